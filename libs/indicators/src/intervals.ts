import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';

/** How often a device promised to report, from when on; in order of time, the first from the beginning. */
export type Intervals = readonly { readonly from: UtcMillis; readonly intervalMs: Millis }[];

/** What the device promised at an instant. */
export function intervalAt(intervals: Intervals, at: UtcMillis): Millis {
  const entry = intervals.findLast(({ from }) => from <= at) ?? intervals[0];
  return entry?.intervalMs ?? Infinity;
}

/**
 * The one interval that leads to as many expected readings as those of the span do, each for its part of it: the harmonic
 * mean, weighted by time.
 */
export function intervalIn(intervals: Intervals, { from, to }: TimeSpan): Millis {
  const within = intervals.filter((entry) => entry.from > from && entry.from < to);
  const only = intervalAt(intervals, from);
  if (within.length === 0) return only;
  let expected = 0;
  let [since, intervalMs] = [from, only];
  for (const entry of [...within, { from: to, intervalMs: only }]) {
    expected += (entry.from - since) / intervalMs;
    [since, intervalMs] = [entry.from, entry.intervalMs];
  }
  return (to - from) / expected;
}

/** The same with one interval from an instant to another. */
export function correctedIntervals(
  intervals: Intervals,
  from: UtcMillis,
  until: UtcMillis,
  intervalMs: Millis,
): Intervals {
  return [
    ...intervals.filter((entry) => entry.from < from),
    { from, intervalMs },
    { from: until, intervalMs: intervalAt(intervals, until) },
    ...intervals.filter((entry) => entry.from > until),
  ];
}
