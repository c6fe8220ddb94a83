import type { Millis, Row, UtcMillis } from '#libs/kernel';

/** The newest instant of a device's first parameter, and the gaps before it, the newest last. */
export type Pace = Row<'pace'>;

type Places = readonly [newest: UtcMillis, ...gaps: Millis[]];

/** Enough that a few lost messages, or a few sent twice, do not change the median. */
export const GAPS = 9;

/** Takes in an instant. What is no newer than the newest, such as a message that came late, says nothing of the pace. */
export function withMeasurement(pace: Pace | undefined, ts: UtcMillis): Pace {
  const [newest, ...gaps] = placesOf(pace);
  if (pace !== undefined && newest !== undefined && ts <= newest) return pace;
  const places = newest === undefined ? [ts] : [ts, ...[...gaps, ts - newest].slice(-GAPS)];
  return places as unknown as Pace;
}

/** The newest is the last; {@link GAPS} at most. */
export function gapsOf(pace: Pace | undefined): readonly Millis[] {
  const [, ...gaps] = placesOf(pace);
  return gaps;
}

/** Stored before there was a pace, it is empty. */
function placesOf(pace: Pace | undefined): Places | readonly [] {
  return (pace as unknown as Places | readonly [] | undefined) ?? [];
}
