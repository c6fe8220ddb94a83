/** A point of a line: one reading, or an hour with its extremes. */
export interface Point {
  /** Milliseconds. */
  readonly ts: number;
  readonly value: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
  /** QARTOD: 3 suspect, 4 fail. */
  readonly flag?: number;
  readonly why?: string;
}

/** Time without a value. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface Series {
  /** Seconds, as uPlot counts. */
  readonly x: number[];
  readonly value: (number | null)[];
  readonly min: (number | null)[];
  readonly max: (number | null)[];
  readonly gaps: readonly Gap[];
  readonly flagged: readonly Point[];
  /** The end of the scale: what quality control doubts does not stretch it. */
  readonly top: number;
  readonly bottom: number;
}

/** A line is not drawn over more than so many intervals. */
const MISSED = 3;
const MARGIN = 0.08;

/** What a chart draws: a line that never crosses a gap, however it is zoomed. @param points - in the order of time */
export function seriesOf(points: readonly Point[], intervalMs: number): Series {
  const x: number[] = [];
  const value: (number | null)[] = [];
  const min: (number | null)[] = [];
  const max: (number | null)[] = [];
  const gaps: Gap[] = [];
  let last: number | undefined;
  const put = (ts: number, point?: Point): void => {
    x.push(ts / 1_000);
    value.push(point?.value ?? null);
    min.push(point?.min ?? point?.value ?? null);
    max.push(point?.max ?? point?.value ?? null);
  };
  for (const point of points) {
    if (point.value === null) continue;
    if (last !== undefined && point.ts - last > MISSED * intervalMs) {
      gaps.push({ from: last, to: point.ts });
      // Any time between: a place without a value ends the line.
      put(last + 1);
    }
    put(point.ts, point);
    last = point.ts;
  }
  const trusted = points.filter(({ flag = 1 }) => flag < 3);
  const counted = trusted.length > 0 ? trusted : points;
  const [low, high] = boundsOf(counted);
  const room = Math.max((high - low) * MARGIN, 1);
  const flagged = points.filter(({ flag = 1 }) => flag === 3 || flag === 4);
  return { ...{ x, value, min, max, gaps, flagged }, top: high + room, bottom: low < 0 ? low - room : 0 };
}

function boundsOf(points: readonly Point[]): readonly [number, number] {
  let [low, high] = [0, 0];
  for (const { value, min, max } of points) {
    low = Math.min(low, min ?? value ?? 0);
    high = Math.max(high, max ?? value ?? 0);
  }
  return [low, high];
}

/** A part of time with why it is as it is. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly cause: string;
}

/** The cause that most of a gap has; undefined where nothing is known of it. */
export function causeOf({ from, to }: Gap, spans: readonly Span[]): string | undefined {
  const shares = new Map<string, number>();
  for (const span of spans) {
    const shared = Math.min(to, span.to) - Math.max(from, span.from);
    if (shared > 0) shares.set(span.cause, (shares.get(span.cause) ?? 0) + shared);
  }
  return [...shares].sort((a, b) => b[1] - a[1])[0]?.[0];
}
