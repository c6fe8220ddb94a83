import type { UtcMillis } from '#libs/kernel';
import type { Parameter } from '#libs/telemetry';
import { sentenceOf, type Explanation, type Text } from './explanation.js';
import type { AlertPhase, AlertStep, RuleHead } from './rule-kind.js';
import { ruleKindOf } from './rules.js';

/** Stream `alerts`: one step of one alert, with what is needed to understand it. */
export interface AlertEvent extends AlertStep {
  /** `{rule}/{device}/{since}`: the same in every phase, so that repeats can be told. */
  readonly alert: string;
  readonly rule: string;
  /** Digest of the rule's content. */
  readonly ruleVersion: string;
  /** Kind of the rule; says what is in `detail`. */
  readonly kind: string;
  readonly severity: RuleHead['severity'];
  readonly title: RuleHead['title'];
  readonly subject: { readonly site: string; readonly device: string };
}

/** What was written while every rule was a threshold: subject and detail among the rest, and `kind` was the phase. */
interface FlatAlertEvent extends Omit<AlertEvent, 'kind' | 'phase' | 'subject' | 'detail' | 'value'> {
  readonly kind: AlertPhase;
  readonly site: string;
  readonly device: string;
  readonly parameter: Parameter;
  readonly raise: number;
  readonly clear: number;
  readonly value: number;
  readonly evidence: readonly { readonly ts: UtcMillis; readonly value: number }[];
}

/** An entry of the stream, whichever version wrote it: {@link alertEventOf} reads it. */
export type StoredAlertEvent = AlertEvent | FlatAlertEvent;

export function alertEventOf(stored: StoredAlertEvent): AlertEvent {
  if ('subject' in stored) return stored;
  const { kind: phase, site, device, parameter, raise, clear, evidence, ...rest } = stored;
  const detail = { parameter, raise, clear, evidence };
  return { ...rest, kind: 'threshold', phase, subject: { site, device }, detail };
}

/** The step in one sentence of both languages, and what is in it as data; undefined for a kind that this version does not know. */
export function explanationOf(event: AlertEvent): (Explanation & Text) | undefined {
  const kind = ruleKindOf(event.kind);
  if (kind === undefined) return undefined;
  const explanation = kind.explain(event);
  const message = `${event.kind}.${explanation.message}`;
  return { ...sentenceOf(explanation, kind.messages), ...explanation, message };
}
