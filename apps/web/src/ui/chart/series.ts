/** A point of a line: one reading, or the readings of a part of time together. */
export interface Point {
  /** Milliseconds. */
  readonly ts: number;
  readonly value: number | null;
  /** Of readings together: the first and the last instant of their part of time. */
  readonly from?: number;
  readonly to?: number;
  readonly min?: number | null;
  readonly max?: number | null;
  /** How many readings it is; 1 by default. */
  readonly count?: number;
  /** QARTOD: 3 suspect, 4 fail. */
  readonly flag?: number;
  readonly why?: string;
  /** Of readings together those that quality control doubts. */
  readonly doubted?: readonly Doubted[];
}

/** Doubted readings of one flag. */
export interface Doubted {
  readonly flag: 3 | 4;
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

/** Time without a value. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Where quality control doubts a value. */
export interface Mark {
  readonly ts: number;
  readonly value: number;
  readonly flag: number;
}

export interface Series {
  /** Seconds, as uPlot counts. */
  readonly x: number[];
  readonly value: (number | null)[];
  readonly min: (number | null)[];
  readonly max: (number | null)[];
  /** What stands at each place; nothing where the line ends. */
  readonly points: readonly (Point | undefined)[];
  readonly gaps: readonly Gap[];
  readonly marks: readonly Mark[];
  /** The end of the scale: what quality control doubts does not stretch it. */
  readonly top: number;
  readonly bottom: number;
}

/** A line is not drawn over more than so many intervals. */
const MISSED = 3;
const MARGIN = 0.08;

export const firstOf = ({ from, ts }: Point): number => from ?? ts;
export const lastOf = ({ to, ts }: Point): number => to ?? ts;

/** What a chart draws: a line that never crosses a gap, however it is zoomed. @param points - in the order of time */
export function seriesOf(points: readonly Point[], intervalMs: number): Series {
  const x: number[] = [];
  const value: (number | null)[] = [];
  const min: (number | null)[] = [];
  const max: (number | null)[] = [];
  const at: (Point | undefined)[] = [];
  const gaps: Gap[] = [];
  const marks: Mark[] = [];
  let last: number | undefined;
  const put = (ts: number, point?: Point): void => {
    x.push(ts / 1_000);
    value.push(point?.value ?? null);
    min.push(point?.min ?? point?.value ?? null);
    max.push(point?.max ?? point?.value ?? null);
    at.push(point);
  };
  for (const point of points) {
    if (point.value === null) continue;
    if (last !== undefined && firstOf(point) - last > MISSED * intervalMs) {
      gaps.push({ from: last, to: firstOf(point) });
      // Any time between: a place without a value ends the line.
      put((last + firstOf(point)) / 2);
    }
    put(point.ts, point);
    marks.push(...marksOf(point));
    last = lastOf(point);
  }
  const [low, high] = boundsOf(points);
  const room = Math.max((high - low) * MARGIN, 1);
  return {
    ...{ x, value, min, max, gaps, marks, points: at },
    ...{ top: high + room, bottom: low < 0 ? low - room : 0 },
  };
}

/** Of readings together the highest doubted one, and the lowest where it is below what is trusted. */
function marksOf({ ts, value, flag = 1, min, doubted }: Point): Mark[] {
  if (doubted === undefined) return value !== null && (flag === 3 || flag === 4) ? [{ ts, value, flag }] : [];
  return doubted.flatMap((one) => [
    { ts, value: one.max, flag: one.flag },
    ...(one.min < Math.min(one.max, min ?? Infinity) ? [{ ts, value: one.min, flag: one.flag }] : []),
  ]);
}

const isTrusted = ({ flag = 1, doubted, min }: Point): boolean =>
  flag < 3 && (doubted === undefined || (min !== null && min !== undefined));

function boundsOf(points: readonly Point[]): readonly [number, number] {
  const trusted = points.filter(isTrusted);
  let [low, high] = [0, 0];
  for (const { value, min, max } of trusted.length > 0 ? trusted : points) {
    low = Math.min(low, min ?? value ?? 0);
    high = Math.max(high, max ?? value ?? 0);
  }
  return [low, high];
}

/** Gaps of a series, and those at both ends of what is shown. */
export function gapsWithin(
  { points, gaps }: Pick<Series, 'points' | 'gaps'>,
  { from, to }: Gap,
  intervalMs: number,
): readonly Gap[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [{ from, to }];
  const [begin, end] = [firstOf(first), lastOf(last)];
  return [
    ...(begin - from > MISSED * intervalMs ? [{ from, to: begin }] : []),
    ...gaps,
    ...(to - end > MISSED * intervalMs ? [{ from: end, to }] : []),
  ];
}

/** A part of time with why it is as it is. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly cause: string;
}

/** The cause that most of a gap has; undefined where nothing is known of it. @param spans - in the order of time */
export function causeOf({ from, to }: Gap, spans: readonly Span[]): string | undefined {
  const shares = new Map<string, number>();
  for (let i = firstBeyond(spans, from); i < spans.length; i++) {
    const span = spans[i] as Span;
    if (span.from >= to) break;
    const shared = Math.min(to, span.to) - Math.max(from, span.from);
    if (shared > 0) shares.set(span.cause, (shares.get(span.cause) ?? 0) + shared);
  }
  return [...shares].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** Of spans in the order of time the first that ends after an instant. */
function firstBeyond(spans: readonly Span[], at: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).to > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
