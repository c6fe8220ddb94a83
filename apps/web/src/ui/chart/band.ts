import { firstOf, lastOf, type Point } from './series';

/** A rectangle of whole pixels. */
export interface Column {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The lowest and highest value of each part of time as rectangles of whole pixels that do not overlap. A browser without a graphics
 * processor fills a thousand of those in a millisecond; one polygon with as many corners takes it a tenth of a second.
 *
 * @param points - in the order of time; a place without a value stays empty, and so does a single reading
 * @param x - the pixel of an instant
 * @param y - the pixel of a value
 */
export function columnsOf(
  points: readonly (Point | undefined)[],
  x: (ts: number) => number,
  y: (value: number) => number,
): readonly Column[] {
  const columns: { left: number; right: number; top: number; bottom: number }[] = [];
  for (const point of points) {
    if (typeof point?.min !== 'number' || typeof point.max !== 'number') continue;
    const [from, to] = [Math.round(x(firstOf(point))), Math.round(x(lastOf(point) + 1))];
    const [top, bottom] = [Math.round(y(point.max)), Math.round(y(point.min))];
    const last = columns.at(-1);
    const left = Math.max(from, last?.right ?? -Infinity);
    const right = Math.max(to, from + 1);
    if (last === undefined || right > left) columns.push({ left, right, top, bottom });
    else {
      // Less than a pixel of its own: it stands in the one that it shares.
      last.top = Math.min(last.top, top);
      last.bottom = Math.max(last.bottom, bottom);
    }
  }
  return columns.map(({ left, right, top, bottom }) => ({
    ...{ left, top, width: right - left, height: Math.max(1, bottom - top) },
  }));
}
