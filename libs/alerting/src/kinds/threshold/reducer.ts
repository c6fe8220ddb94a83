import type { Millis, UtcMillis } from '#libs/kernel';
import { entersAlerts } from '#libs/quality-control';
import type { Parameter } from '#libs/telemetry';
import type { AlertStep, Judged, ReadingInput } from '../../rule-kind.js';
import type { ThresholdRule } from './schema.js';

/** What is remembered of one rule on one device. Plain data, so that a restart in the middle of `for` keeps it. */
export interface ThresholdState {
  readonly phase: 'inactive' | 'pending' | 'firing';
  /** Event time of the newest value that was judged. */
  readonly lastTs: UtcMillis | null;
  /** Since when the breach lasts; the identity of the alert. */
  readonly since: UtcMillis | null;
  /** The values that led here, newest last, so that the alert can explain itself. */
  readonly evidence: readonly { readonly ts: UtcMillis; readonly value: number }[];
}

export const INACTIVE: ThresholdState = { phase: 'inactive', lastTs: null, since: null, evidence: [] };

/** What a step says beside its value. */
export interface ThresholdDetail extends Pick<ThresholdRule, 'raise' | 'clear'> {
  readonly parameter: Parameter;
  /** The values that led here, newest last. */
  readonly evidence: ThresholdState['evidence'];
}

type Step = AlertStep<ThresholdDetail>;

const EVIDENCE_KEPT = 10;
const NONE: readonly Step[] = [];

/**
 * Judges one value: a Schmitt trigger with a holding time, as a reducer over event time. Replaying the same readings
 * gives the same steps, however they were cut into batches.
 *
 * A value that is not newer than the last one, or whose standing does not count, changes nothing: late data must not move
 * an alert backwards.
 *
 * @param maxGapMs - longest silence across which a pending breach is believed to have lasted
 */
export function step(
  rule: ThresholdRule,
  state: ThresholdState,
  reading: Pick<ReadingInput, 'ts' | 'value' | 'standing'>,
  maxGapMs: Millis,
): Judged<ThresholdState, ThresholdDetail> {
  const { ts, value, standing } = reading;
  if (!entersAlerts(standing, rule.includeSuspect) || (state.lastTs !== null && ts <= state.lastTs))
    return { state, steps: NONE };
  const level = state.phase === 'inactive' ? rule.raise : rule.clear;
  const breached = reaches(rule, value, level);
  // By far the commonest, so it comes first and makes as little as can be.
  if (!breached && state.phase === 'inactive') return { state: calmSince(ts), steps: NONE };
  const evidence = [...state.evidence, { ts, value }].slice(-EVIDENCE_KEPT);
  const stepOf = (phase: Step['phase'], since: UtcMillis, trail: ThresholdState['evidence']): Step => {
    const { parameter, raise, clear } = rule;
    return { phase, at: ts, since, value, detail: { parameter, raise, clear, evidence: trail } };
  };

  if (!breached) {
    const next = calmSince(ts);
    if (state.since === null) return { state: next, steps: NONE };
    const phase = state.phase === 'firing' ? 'resolved' : 'cancelled';
    return { state: next, steps: [stepOf(phase, state.since, evidence)] };
  }
  if (state.phase === 'firing') return { state: { ...state, lastTs: ts, evidence }, steps: NONE };

  const steps: Step[] = [];
  let { since } = state;
  let trail = evidence;
  const silent = state.lastTs !== null && ts - state.lastTs > maxGapMs;
  if (since !== null && silent) {
    steps.push(stepOf('cancelled', since, evidence));
    since = null;
  }
  if (since === null) {
    // In the hysteresis band a breach lasts, but none begins.
    if (!reaches(rule, value, rule.raise)) return { state: calmSince(ts), steps };
    since = ts;
    trail = [{ ts, value }];
    steps.push(stepOf('pending', since, trail));
  }
  if (ts - since < rule.for)
    return { state: { phase: 'pending', lastTs: ts, since, evidence: trail }, steps };
  steps.push(stepOf('firing', since, trail));
  return { state: { phase: 'firing', lastTs: ts, since, evidence: trail }, steps };
}

/** The device was taken out of service: nobody measures any more what was breached. */
export function end(
  { parameter, raise, clear }: ThresholdRule,
  state: ThresholdState,
  at: UtcMillis,
): Judged<ThresholdState, ThresholdDetail> {
  const { phase, since, evidence, lastTs } = state;
  if (since === null) return { state, steps: NONE };
  const detail = { parameter, raise, clear, evidence };
  const over = { phase: phase === 'firing' ? 'resolved' : 'cancelled', at, since, detail } as const;
  return { state: { ...INACTIVE, lastTs }, steps: [over] };
}

function calmSince(ts: UtcMillis): ThresholdState {
  return { phase: 'inactive', lastTs: ts, since: null, evidence: INACTIVE.evidence };
}

/** Whether the value is at the level or on its bad side. */
function reaches({ direction }: ThresholdRule, value: number, level: number): boolean {
  return direction === 'above' ? value >= level : value <= level;
}
