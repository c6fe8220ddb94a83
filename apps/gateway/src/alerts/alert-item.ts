import { explanationOf, type AlertEvent } from '#libs/alerting';
import { defined } from '#libs/kernel';
import type { AlertView } from '../views/views.js';

/** An alert as it is listed. What its kind says stands beside the rest, and `kind` is the phase: so it was while there was one kind. */
export function alertItem(event: AlertEvent, history: AlertView['history']) {
  const { kind, phase, subject, detail, ...rest } = event;
  const explanation = explanationOf(event);
  return {
    ...{ ...rest, ...subject, ...detail, kind: phase, state: phase, ruleKind: kind },
    ...defined({ explanation }),
    history,
  };
}
