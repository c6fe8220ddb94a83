import type { Parameter } from '#libs/telemetry';
import type { ThresholdRule } from './rule.js';
import type { AlertTransition } from './threshold.js';

/** Stream `alerts`: one transition of one alert, with what is needed to understand it. */
export interface AlertEvent extends AlertTransition {
  /** `{rule}/{device}/{since}`: the same for pending, firing and resolved, so that repeats can be told. */
  readonly alert: string;
  readonly rule: string;
  /** Digest of the rule's content. */
  readonly ruleVersion: string;
  readonly severity: ThresholdRule['severity'];
  readonly title: ThresholdRule['title'];
  readonly site: string;
  readonly device: string;
  readonly parameter: Parameter;
  readonly raise: number;
  readonly clear: number;
}
