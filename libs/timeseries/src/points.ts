import type { Point, WriteReport } from './time-series-store.js';

/** No store can hold a value that is not a finite number, and one of them refuses the whole batch for it. */
export function refuseNonFinite(points: readonly Point[]): {
  accepted: readonly Point[];
  refused: WriteReport['refused'];
} {
  const refused = points.filter(({ value }) => !Number.isFinite(value));
  if (refused.length === 0) return { accepted: points, refused: [] };
  return {
    accepted: points.filter(({ value }) => Number.isFinite(value)),
    refused: refused.map((point) => ({ point, message: `the value ${point.value} is not a finite number` })),
  };
}

/** Of several points of one identity the last one. */
export function distinctPoints(points: readonly Point[]): readonly Point[] {
  const distinct = new Map<string, Point>();
  for (const point of points) distinct.set(`${point.device}\u0000${point.parameter}\u0000${point.ts}`, point);
  return distinct.size === points.length ? points : [...distinct.values()];
}
