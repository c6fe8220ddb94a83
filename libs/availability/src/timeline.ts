import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import { intersect, subtract, total, union, type Spans } from './spans.js';

/** What a device, or its agent, said of itself at an instant of its own clock. */
export interface HeartbeatSample {
  readonly ts: UtcMillis;
  readonly state: 'up' | 'down';
}

/**
 * Why time counts as it does:
 * - `heartbeat`: up, it said so;
 * - `reported`: down, it said so;
 * - `silent`: down, it said nothing although Pantau was listening;
 * - `unobserved`: unknown, it said nothing and Pantau was not listening.
 */
export type Cause = 'heartbeat' | 'reported' | 'silent' | 'unobserved';

export const STATE_OF_CAUSE = {
  heartbeat: 'up',
  reported: 'down',
  silent: 'down',
  unobserved: 'unknown',
} as const;

export interface TimelineInput {
  /** The time to account for. */
  readonly window: TimeSpan;
  /** In any order, repeated or not; those shortly before the window matter too. */
  readonly heartbeats: readonly HeartbeatSample[];
  /** When Pantau was awake and listening. */
  readonly observed: Spans;
  /** How often the device promises to report. */
  readonly intervalMs: Millis;
  /** How much later than promised it may be. */
  readonly graceMs: Millis;
}

/** The window split by cause: the four lists cover it exactly and do not overlap. */
export type Timeline = Readonly<Record<Cause, Spans>>;

/**
 * Accounts for every moment of a window.
 *
 * A heartbeat speaks for the time until the next one, at most for one interval plus grace. What it says counts even if
 * Pantau was down at that time: devices buffer and deliver late. The rest is silence, which counts against the device
 * only while Pantau was listening. Two heartbeats of one instant that disagree count as down.
 */
export function deviceTimeline({
  window,
  heartbeats,
  observed,
  intervalMs,
  graceMs,
}: TimelineInput): Timeline {
  const states = new Map<UtcMillis, HeartbeatSample['state']>();
  for (const { ts, state } of heartbeats) if (states.get(ts) !== 'down') states.set(ts, state);
  const ordered = [...states].sort(([a], [b]) => a - b);
  const spans = { up: [] as TimeSpan[], down: [] as TimeSpan[] };
  ordered.forEach(([ts, state], i) => {
    const next = ordered[i + 1]?.[0] ?? Infinity;
    spans[state].push({ from: ts, to: Math.min(next, ts + intervalMs + graceMs) });
  });
  const whole = union([window]);
  const heartbeat = intersect(whole, union(spans.up));
  const reported = intersect(whole, union(spans.down));
  const silence = subtract(subtract(whole, heartbeat), reported);
  return {
    heartbeat,
    reported,
    silent: intersect(silence, observed),
    unobserved: subtract(silence, observed),
  };
}

/** A record of Pantau's own life. */
export interface LivenessSample {
  /** One run of one process. */
  readonly run: string;
  readonly kind: 'start' | 'beat' | 'stop';
  readonly at: UtcMillis;
}

/**
 * When Pantau was awake. Within a run, records no further apart than three beats belong together; a longer gap is a
 * machine that was suspended. A run that crashed ends at its last beat.
 */
export function observedSpans(liveness: readonly LivenessSample[], beatMs: Millis): Spans {
  const runs = new Map<string, UtcMillis[]>();
  for (const { run, at } of liveness) runs.set(run, [...(runs.get(run) ?? []), at]);
  const spans: TimeSpan[] = [];
  for (const instants of runs.values()) {
    instants.sort((a, b) => a - b);
    instants.forEach((at, i) => {
      const next = instants[i + 1];
      if (next !== undefined && next - at <= 3 * beatMs) spans.push({ from: at, to: next });
    });
  }
  return union(spans);
}

/** Totals of a timeline and the availability under each way of counting, as a share of 1. */
export interface Availability {
  readonly ms: Readonly<Record<Cause, Millis>>;
  /** up ÷ (up + down): unknown time is left out. Null when nothing is known. */
  readonly observedOnly: number | null;
  /** up ÷ all: unknown time counts as down. The lower bound. */
  readonly strict: number | null;
  /** (up + unknown) ÷ all: unknown time counts as up. The upper bound. */
  readonly optimistic: number | null;
}

/** Availability as a ratio of times (ITU-T E.800: ability to be in a state to perform a required function). */
export function availabilityOf(timeline: Timeline): Availability {
  const ms = {
    heartbeat: total(timeline.heartbeat),
    reported: total(timeline.reported),
    silent: total(timeline.silent),
    unobserved: total(timeline.unobserved),
  };
  const known = ms.heartbeat + ms.reported + ms.silent;
  const all = known + ms.unobserved;
  return {
    ms,
    observedOnly: ratio(ms.heartbeat, known),
    strict: ratio(ms.heartbeat, all),
    optimistic: ratio(ms.heartbeat + ms.unobserved, all),
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
