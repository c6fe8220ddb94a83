import type { Rollup } from '#libs/telemetry';
import { TIER_LENGTH } from './retention.js';
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

/** Why no store can hold the roll-up; undefined when it can. */
export function rollupFaultOf(rollup: Rollup): string | undefined {
  const { tier, from, to, valid, mean, min, max } = rollup;
  if (!Number.isSafeInteger(from)) return `the time ${from} is not a whole number of milliseconds`;
  // The end is not stored.
  if (to !== from + TIER_LENGTH[tier])
    return `the time ${to} is not the end of the ${tier} that begins at ${from}`;
  for (const count of ['expected', 'received', 'valid'] as const)
    if (!Number.isSafeInteger(rollup[count])) return `${count}: ${rollup[count]} is not a whole number`;
  // InfluxDB cannot store null, and without one an earlier figure stays; so the count says that there is none.
  for (const figure of [mean, min, max])
    if (valid === 0 ? figure !== null : figure === null || !Number.isFinite(figure))
      return `the figure ${figure} does not go with ${valid} valid values`;
  return undefined;
}

/** Sets aside the points that have a fault. */
export function refuseFaulty<T>(
  points: readonly T[],
  fault: (point: T) => string | undefined,
): { accepted: readonly T[]; refused: WriteReport<T>['refused'] } {
  const refused: { point: T; message: string }[] = [];
  for (const point of points) {
    const message = fault(point);
    if (message !== undefined) refused.push({ point, message });
  }
  if (refused.length === 0) return { accepted: points, refused };
  const faulty = new Set(refused.map(({ point }) => point));
  return { accepted: points.filter((point) => !faulty.has(point)), refused };
}

/** Of several points of one identity the last one. */
export function distinctPoints(points: readonly Point[]): readonly Point[] {
  if (areInOrder(points)) return points;
  return distinct(points, ({ device, parameter, ts }) => `${device}\u0000${parameter}\u0000${ts}`);
}

/**
 * Whether the points of each device come in order of time, those of one instant side by side and each of another
 * parameter. That is nearly every batch, and it costs far less to see than a key for every point.
 */
function areInOrder(points: readonly Point[]): boolean {
  const newest = new Map<string, number>();
  for (let i = 0; i < points.length; i++) {
    const point = points[i] as Point;
    let before = i - 1;
    for (; before >= 0 && isSameInstant(points[before] as Point, point); before--)
      if (points[before]?.parameter === point.parameter) return false;
    if (before < i - 1) continue;
    if (point.ts <= (newest.get(point.device) ?? -Infinity)) return false;
    newest.set(point.device, point.ts);
  }
  return true;
}

function isSameInstant(a: Point, b: Point): boolean {
  return a.ts === b.ts && a.device === b.device;
}

/** Of several roll-ups of one identity the last one. */
export function distinctRollups(rollups: readonly Rollup[]): readonly Rollup[] {
  return distinct(
    rollups,
    ({ tier, device, parameter, from }) => `${device}\u0000${parameter}\u0000${tier}\u0000${from}`,
  );
}

function distinct<T>(items: readonly T[], identity: (item: T) => string): readonly T[] {
  const byIdentity = new Map(items.map((item) => [identity(item), item]));
  return byIdentity.size === items.length ? items : [...byIdentity.values()];
}
