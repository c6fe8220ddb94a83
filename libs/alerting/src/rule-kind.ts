import { type Millis, type UtcMillis } from '#libs/kernel';
import type { Standing } from '#libs/quality-control';
import type { Parameter } from '#libs/telemetry';
import type { OperatorFunction } from 'rxjs';
import { z } from 'zod';
import type { Explanation, Messages } from './explanation.js';

export const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** What every rule has, whatever its kind. */
export const ruleHead = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens'),
  title: z.strictObject({ id: z.string().min(1), en: z.string().min(1) }).describe('Indonesian and English'),
  /** Which devices; all by default. */
  select: z
    .strictObject({ sites: z.array(z.string()).optional(), devices: z.array(z.string()).optional() })
    .default({}),
  severity: z.enum(SEVERITIES),
} as const;
export type RuleHead = Readonly<z.output<z.ZodObject<typeof ruleHead>>>;

/** One value of a parameter that the rule judges. */
export interface ReadingInput {
  /** Device time: the event time of everything here. */
  readonly ts: UtcMillis;
  readonly parameter: Parameter;
  readonly value: number;
  readonly standing: Standing;
}

/**
 * Time has passed. Every reading is judged that a device had been given an acknowledgement for before `ts`; later ones may be judged, too.
 * There is none while Pantau does not run.
 */
export interface Beat {
  /** Pantau's own time, as a device with a right clock has it. */
  readonly ts: UtcMillis;
  /** Since when devices could be heard without interruption: their silence before that says nothing. */
  readonly heardSince: UtcMillis;
}

/** Phases of an alert. `cancelled` ends a pending alert that never fired. */
export const ALERT_PHASES = ['pending', 'firing', 'resolved', 'cancelled'] as const;
export type AlertPhase = (typeof ALERT_PHASES)[number];

/** An alert comes into a phase, in event time. */
export interface AlertStep<Detail extends object = object> {
  readonly phase: AlertPhase;
  readonly at: UtcMillis;
  /** Since when that lasts of which the alert tells; with rule and device the identity of the alert. */
  readonly since: UtcMillis;
  /** The value that led to the step; absent where none did. */
  readonly value?: number;
  /** What else the kind has to say about it. */
  readonly detail: Detail;
}

/** What one input did. The state is the same object where it changed nothing. */
export interface Judged<State = unknown, Detail extends object = object> {
  readonly state: State;
  readonly steps: readonly AlertStep<Detail>[];
}

/** What a device promises. */
export interface Promised {
  /** How often it reports. */
  readonly intervalMs: Millis;
}

/** A kind of alert rule; one folder in `kinds/`. */
export interface RuleKind<Rule extends RuleHead = RuleHead, State = unknown, Detail extends object = object> {
  /** What a rule of this kind is in `rules.yaml`, without its member `kind`. */
  readonly schema: z.ZodType<Rule>;
  /** The members of a rule that are times. */
  readonly durations?: readonly string[];
  /** The parameters whose readings it judges. */
  inputs(rule: Rule): readonly Parameter[];
  readonly initial: State;
  /** How the state of a device is stored between its messages: plain data in a list, short, because it is written with nearly each. */
  readonly form: {
    pack(state: State): readonly unknown[];
    unpack(stored: readonly unknown[]): State;
  };
  /**
   * Judges the readings of one device, in the order in which they arrived: emits for each what it did. The same readings give the same
   * steps, however they were cut into batches.
   *
   * @param initial - the state that was kept
   */
  judge(
    rule: Rule,
    promised: Promised,
    initial: State,
  ): OperatorFunction<ReadingInput, Judged<State, Detail>>;
  /**
   * For a kind that judges silence: what it does to a device that time has passed, also to one that never reported. A beat comes for
   * every device that is registered; of beats that pile up, the newest alone.
   */
  pass?(rule: Rule, promised: Promised, state: State, beat: Beat): Judged<State, Detail>;
  /**
   * Ends what is under way of a device that was taken out of service: a step without a value. Without it what is under way lasts until the
   * device is back.
   */
  end?(rule: Rule, state: State, at: UtcMillis): Judged<State, Detail>;
  /** Its sentences by name, with places `{name}` for values: the one dictionary of whoever shows an alert. */
  readonly messages: Messages;
  /** Which of its sentences a step is, with which values. */
  explain(step: AlertStep<Detail>): Explanation;
}

/** Checks that a kind fits together, and forgets its types, so that kinds of all types stand in one list. */
export function defineRuleKind<Rule extends RuleHead, State, Detail extends object>(
  kind: RuleKind<Rule, State, Detail>,
): RuleKind {
  return kind;
}
