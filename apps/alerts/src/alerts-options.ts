import type { AlertRule } from '#libs/alerting';
import type { Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import type { UnreadableListener } from '#libs/state';

export interface AlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly registry: Registry;
  readonly journal: Journal;
  /** Told once of each state of a rule that cannot be read: the rule begins anew for that device. */
  readonly onUnreadable: UnreadableListener;
}
