import type { Point, WriteReport } from './time-series-store.js';

/**
 * Why no store can hold the point; undefined when it can. Found here and not by the engines: InfluxDB refuses a whole
 * batch for one NaN, and an error of DuckDB's bindings would look like a store that is away and be retried for ever.
 */
export function faultOf({ value, ts, receivedAt }: Point): string | undefined {
  if (!Number.isFinite(value)) return `the value ${value} is not a finite number`;
  if (!Number.isSafeInteger(ts)) return `the time ${ts} is not a whole number of milliseconds`;
  if (!Number.isSafeInteger(receivedAt))
    return `the arrival ${receivedAt} is not a whole number of milliseconds`;
  return undefined;
}

/** Sets aside the points that have a fault. */
export function refuseFaulty(
  points: readonly Point[],
  fault: (point: Point) => string | undefined = faultOf,
): { accepted: readonly Point[]; refused: WriteReport['refused'] } {
  const accepted: Point[] = [];
  const refused: { point: Point; message: string }[] = [];
  for (const point of points) {
    const message = fault(point);
    if (message === undefined) accepted.push(point);
    else refused.push({ point, message });
  }
  return { accepted, refused };
}

/** Of several points of one identity the last one. */
export function distinctPoints(points: readonly Point[]): readonly Point[] {
  const distinct = new Map<string, Point>();
  for (const point of points) distinct.set(`${point.device}\u0000${point.parameter}\u0000${point.ts}`, point);
  return distinct.size === points.length ? points : [...distinct.values()];
}
