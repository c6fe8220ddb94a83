import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import { HEARTBEAT_STATES, type HeartbeatState } from '#libs/telemetry';
import { intersect, subtract, total, union, type Spans } from './spans.js';

/** What a device, or its agent, said of itself at an instant of its own clock. */
export interface HeartbeatSample {
  readonly ts: UtcMillis;
  readonly state: HeartbeatState;
}

/**
 * Why time counts as it does:
 * - `heartbeat`: up, it said so;
 * - `degraded`: up, it said that it works worse than it should;
 * - `reported`: down, it said so;
 * - `silent`: down, it said nothing although Pantau was listening;
 * - `planned`: off on purpose, it said so; neither up nor down;
 * - `undetermined`: unknown, it said that it cannot tell, or a word that Pantau does not know;
 * - `unobserved`: unknown, it said nothing and Pantau was not listening.
 */
export type Cause =
  'heartbeat' | 'degraded' | 'reported' | 'silent' | 'planned' | 'undetermined' | 'unobserved';

const CAUSE_OF_STATE = {
  up: 'heartbeat',
  degraded: 'degraded',
  down: 'reported',
  planned: 'planned',
  unknown: 'undetermined',
} as const satisfies Record<HeartbeatState, Cause>;

/** Of two heartbeats of one instant the one counts that claims less for the device. */
const CLAIMING_LEAST_FIRST: readonly HeartbeatState[] = ['down', 'unknown', 'planned', 'degraded', 'up'];

export interface TimelineInput {
  /** The time to account for. */
  readonly window: TimeSpan;
  /** In any order, repeated or not; those shortly before the window matter too. */
  readonly heartbeats: readonly HeartbeatSample[];
  /** When Pantau was awake and listening. */
  readonly observed: Spans;
  /** How often the device promises to report. */
  readonly intervalMs: Millis;
  /** What it promised at the time of a heartbeat, where that was not always the same; the grace has the same share of it. */
  readonly intervalAt?: (ts: UtcMillis) => Millis;
  /** How much later than promised it may be. */
  readonly graceMs: Millis;
  /** When it was out of service: its silence then is `planned`. */
  readonly outOfService?: Spans;
}

/** The window split by cause: the lists cover it exactly and do not overlap. */
export type Timeline = Readonly<Record<Cause, Spans>>;

/**
 * Accounts for every moment of a window.
 *
 * A heartbeat speaks for the time until the next one, at most for one interval plus grace. What it says counts even if
 * Pantau was down at that time: devices buffer and deliver late. The rest is silence, which counts against the device
 * only while Pantau was listening.
 */
export function deviceTimeline({
  window,
  heartbeats,
  observed,
  intervalMs,
  graceMs,
  intervalAt = () => intervalMs,
  outOfService = [],
}: TimelineInput): Timeline {
  const states = new Map<UtcMillis, HeartbeatSample['state']>();
  for (const { ts, state } of heartbeats) {
    const before = states.get(ts);
    const claimsLess =
      before === undefined || CLAIMING_LEAST_FIRST.indexOf(state) < CLAIMING_LEAST_FIRST.indexOf(before);
    if (claimsLess) states.set(ts, state);
  }
  const ordered = [...states].sort(([a], [b]) => a - b);
  const spans: Record<HeartbeatState, TimeSpan[]> = {
    up: [],
    degraded: [],
    down: [],
    planned: [],
    unknown: [],
  };
  ordered.forEach(([ts, state], i) => {
    const next = ordered[i + 1]?.[0] ?? Infinity;
    spans[state].push({ from: ts, to: Math.min(next, ts + intervalAt(ts) * (1 + graceMs / intervalMs)) });
  });
  const whole = union([window]);
  const unsaid = subtract(whole, union(Object.values(spans).flat()));
  spans.planned.push(...intersect(unsaid, outOfService));
  const silence = subtract(unsaid, outOfService);
  const stated = HEARTBEAT_STATES.map((state) => [
    CAUSE_OF_STATE[state],
    intersect(whole, union(spans[state])),
  ]);
  return {
    ...(Object.fromEntries(stated) as Record<(typeof CAUSE_OF_STATE)[HeartbeatState], Spans>),
    silent: intersect(silence, observed),
    unobserved: subtract(silence, observed),
  };
}

/** A record of Pantau's own life: devices could be heard by every way in. */
export interface LivenessSample {
  readonly at: UtcMillis;
  /** They could not until shortly before. */
  readonly resumed?: true | undefined;
}

/**
 * When a run of Pantau heard devices, with its next record. Records no further apart than three beats belong together, unless the
 * later one says that it is the first after an interruption; a longer gap is a machine that was suspended. A run that crashed ends
 * at its last record.
 *
 * @param spans - of the records before
 */
export function extendRun(
  spans: readonly TimeSpan[],
  { at, resumed }: LivenessSample,
  beatMs: Millis,
): TimeSpan[] {
  const last = spans.at(-1);
  if (last !== undefined && resumed !== true && at >= last.from && at - last.to <= 3 * beatMs)
    return [...spans.slice(0, -1), { from: last.from, to: Math.max(last.to, at) }];
  return [...spans, { from: at, to: at }];
}

/** Totals of a timeline and the availability under each way of counting, as a share of 1. */
export interface Availability {
  readonly ms: Readonly<Record<Cause, Millis>>;
  /** up ÷ (up + down): unknown time is left out. Null when nothing is known. */
  readonly observedOnly: number | null;
  /** up ÷ (up + down + unknown): unknown time counts as down. The lower bound. */
  readonly strict: number | null;
  /** (up + unknown) ÷ (up + down + unknown): unknown time counts as up. The upper bound. */
  readonly optimistic: number | null;
  /** The share of the time up that was degraded. Null when it was never up. */
  readonly degraded: number | null;
}

/**
 * Availability as a ratio of times (ITU-T E.800: ability to be in a state to perform a required function). In planned time the
 * function is not required: it is in no ratio. Degraded time is up.
 */
export function availabilityOf(timeline: Timeline): Availability {
  const ms = {
    heartbeat: total(timeline.heartbeat),
    degraded: total(timeline.degraded),
    reported: total(timeline.reported),
    silent: total(timeline.silent),
    planned: total(timeline.planned),
    undetermined: total(timeline.undetermined),
    unobserved: total(timeline.unobserved),
  };
  return availabilityOfTotals(ms);
}

/** The same from totals, which may be those of several devices together. */
export function availabilityOfTotals(ms: Availability['ms']): Availability {
  const up = ms.heartbeat + ms.degraded;
  const known = up + ms.reported + ms.silent;
  const unknown = ms.undetermined + ms.unobserved;
  return {
    ms,
    observedOnly: ratio(up, known),
    strict: ratio(up, known + unknown),
    optimistic: ratio(up + unknown, known + unknown),
    degraded: ratio(ms.degraded, up),
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
