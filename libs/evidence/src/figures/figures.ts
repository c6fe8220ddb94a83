import type { Spans } from '#libs/availability';
import { periodAt, periodNamed, type Period, type PeriodUnit } from '#libs/indicators';
import { type UtcMillis, compareTexts } from '#libs/kernel';

/** Which figure: an indicator, of which subject, in which period, each by its name. */
export interface FigureCursor {
  readonly period: string;
  readonly indicator: string;
  readonly subject: string;
}

/** The figures of a subject, with the time of whose periods there is one. */
export interface FigureSeries extends Omit<FigureCursor, 'period'> {
  readonly unit: PeriodUnit;
  /** In order of time, apart from each other. */
  readonly spans: Spans;
}

/** As `{period}/{indicator}/{subject}`. */
export function cursorOf({ period, indicator, subject }: FigureCursor): string {
  return `${period}/${indicator}/${encodeURIComponent(subject)}`;
}

/** @returns undefined for a text that is none */
export function readCursor(text: string): FigureCursor | undefined {
  const match = /^([^/]+)\/([^/]+)\/([^/]+)$/.exec(text);
  if (match === null) return undefined;
  const [, period = '', indicator = '', subject = ''] = match;
  if (periodNamed(period) === undefined) return undefined;
  try {
    return { period, indicator, subject: decodeURIComponent(subject) };
  } catch {
    return undefined;
  }
}

/**
 * Which figures there are, those first whose period begins last, then by indicator and subject: one more than the limit when there
 * are more. Periods are gone through one by one, and only as many as the limit needs.
 */
export function newestFigures(
  series: readonly FigureSeries[],
  {
    from = -Infinity,
    before = Infinity,
    after,
    limit,
  }: {
    /** Periods that begin in this time. */
    readonly from?: UtcMillis;
    readonly before?: UtcMillis;
    /** What comes after this in the list. */
    readonly after?: FigureCursor;
    readonly limit: number;
  },
): FigureCursor[] {
  const last = after && periodNamed(after.period);
  const end = Math.min(before, (last?.from ?? Infinity) + 1);
  const heads = series
    .toSorted((a, b) => compareTexts(a.indicator, b.indicator) || compareTexts(a.subject, b.subject))
    .map((of) => ({ of, period: newestBefore(of, end) }));
  const figures: FigureCursor[] = [];
  while (figures.length <= limit) {
    const begin = heads.reduce(
      (latest, { period }) => Math.max(latest, period?.from ?? -Infinity),
      -Infinity,
    );
    if (begin < from || begin === -Infinity) break;
    for (const head of heads) {
      if (head.period?.from !== begin) continue;
      const { indicator, subject } = head.of;
      const isListed =
        after !== undefined &&
        begin === last?.from &&
        (compareTexts(indicator, after.indicator) || compareTexts(subject, after.subject)) <= 0;
      if (!isListed && figures.length <= limit)
        figures.push({ period: head.period.name, indicator, subject });
      head.period = newestBefore(head.of, begin);
    }
  }
  return figures;
}

/** The newest period of a series that begins before an instant; it may go on beyond that. */
function newestBefore({ unit, spans }: FigureSeries, end: UtcMillis): Period | undefined {
  const newest = spans.at(-1)?.to;
  if (newest === undefined) return undefined;
  const { to } = periodAt(unit, Math.min(end, newest) - 1);
  const span = spans.findLast(({ from }) => from < to);
  return span && periodAt(unit, Math.min(span.to, to) - 1);
}
