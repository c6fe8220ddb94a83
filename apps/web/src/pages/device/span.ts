/** Which part of time is shown; what a link keeps. */
export interface ShownSpan {
  readonly from: number;
  readonly to: number;
  /** Undefined where somebody zoomed. */
  readonly range: RangeName | undefined;
}

const HOUR = 3_600_000;
export const RANGES = { '6j': 6 * HOUR, '24j': 24 * HOUR, '7h': 168 * HOUR, '30h': 720 * HOUR } as const;
export type RangeName = keyof typeof RANGES;
const STANDARD: RangeName = '24j';
export const LONGEST = 31 * 24 * HOUR;
/** What is followed moves in steps, so that not every second asks anew. */
const STEP = 60_000;

/** The span that the query of an address names; the last day by default, and where what it says makes no sense. */
export function spanOf(query: URLSearchParams, now: number): ShownSpan {
  const [from, to] = [query.get('dari'), query.get('sampai')].map((text) => Date.parse(text ?? '')) as [
    number,
    number,
  ];
  if (from < to && to - from <= LONGEST) return { from, to, range: undefined };
  const named = query.get('rentang') ?? '';
  const range = Object.hasOwn(RANGES, named) ? (named as RangeName) : STANDARD;
  const until = Math.ceil(now / STEP) * STEP;
  return { from: until - RANGES[range], to: until, range };
}
