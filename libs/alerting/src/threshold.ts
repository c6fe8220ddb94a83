import type { Millis, UtcMillis } from '#libs/kernel';
import { entersAlerts, type Standing } from '#libs/quality-control';
import type { ThresholdRule } from './rule.js';

/** One value of the rule's parameter. */
export interface AlertReading {
  /** Device time: the event time of everything here. */
  readonly ts: UtcMillis;
  readonly value: number;
  readonly standing: Standing;
}

/** What is remembered of one rule on one device. Plain data, so that a restart in the middle of `for` keeps it. */
export interface AlertState {
  readonly phase: 'inactive' | 'pending' | 'firing';
  /** Event time of the newest value that was judged. */
  readonly lastTs: UtcMillis | null;
  /** Since when the breach lasts; the identity of the alert. */
  readonly since: UtcMillis | null;
  /** The values that led here, newest last, so that the alert can explain itself. */
  readonly evidence: readonly { readonly ts: UtcMillis; readonly value: number }[];
}

export const INACTIVE: AlertState = { phase: 'inactive', lastTs: null, since: null, evidence: [] };

/** A change of state, in event time. `cancelled` ends a pending alert that never fired. */
export interface AlertTransition {
  readonly kind: 'pending' | 'firing' | 'resolved' | 'cancelled';
  readonly at: UtcMillis;
  readonly since: UtcMillis;
  readonly value: number;
  readonly evidence: AlertState['evidence'];
}

export interface Step {
  readonly state: AlertState;
  readonly transitions: readonly AlertTransition[];
}

const EVIDENCE_KEPT = 10;
const NONE: readonly AlertTransition[] = [];

/**
 * Judges one value: a Schmitt trigger with a holding time, as a reducer over event time. Replaying the same readings
 * gives the same transitions, however they were cut into batches.
 *
 * A value that is not newer than the last one, or whose standing does not count, changes nothing: late data must not move
 * an alert backwards.
 *
 * @param maxGapMs - longest silence across which a pending breach is believed to have lasted
 */
export function step(rule: ThresholdRule, state: AlertState, reading: AlertReading, maxGapMs: Millis): Step {
  const { ts, value, standing } = reading;
  if (!entersAlerts(standing, rule.includeSuspect) || (state.lastTs !== null && ts <= state.lastTs))
    return { state, transitions: NONE };
  const level = state.phase === 'inactive' ? rule.raise : rule.clear;
  const breached = reaches(rule, value, level);
  // By far the commonest, so it comes first and makes as little as can be.
  if (!breached && state.phase === 'inactive') return { state: calmSince(ts), transitions: NONE };
  const evidence = [...state.evidence, { ts, value }].slice(-EVIDENCE_KEPT);

  if (!breached) {
    const next = calmSince(ts);
    if (state.since === null) return { state: next, transitions: NONE };
    const kind = state.phase === 'firing' ? 'resolved' : 'cancelled';
    return { state: next, transitions: [{ kind, at: ts, since: state.since, value, evidence }] };
  }
  if (state.phase === 'firing') return { state: { ...state, lastTs: ts, evidence }, transitions: NONE };

  const transitions: AlertTransition[] = [];
  let { since } = state;
  let trail = evidence;
  const silent = state.lastTs !== null && ts - state.lastTs > maxGapMs;
  if (since !== null && silent) {
    transitions.push({ kind: 'cancelled', at: ts, since, value, evidence });
    since = null;
  }
  if (since === null) {
    // In the hysteresis band a breach lasts, but none begins.
    if (!reaches(rule, value, rule.raise)) return { state: calmSince(ts), transitions };
    since = ts;
    trail = [{ ts, value }];
    transitions.push({ kind: 'pending', at: ts, since, value, evidence: trail });
  }
  if (ts - since < rule.for)
    return { state: { phase: 'pending', lastTs: ts, since, evidence: trail }, transitions };
  transitions.push({ kind: 'firing', at: ts, since, value, evidence: trail });
  return { state: { phase: 'firing', lastTs: ts, since, evidence: trail }, transitions };
}

function calmSince(ts: UtcMillis): AlertState {
  return { phase: 'inactive', lastTs: ts, since: null, evidence: INACTIVE.evidence };
}

/** Whether the value is at the level or on its bad side. */
function reaches({ direction }: ThresholdRule, value: number, level: number): boolean {
  return direction === 'above' ? value >= level : value <= level;
}
