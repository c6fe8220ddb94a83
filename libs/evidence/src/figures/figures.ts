import type { Spans } from '#libs/availability';
import { periodAt, periodNamed, type Period, type PeriodUnit } from '#libs/indicators';
import { type UtcMillis, compareTexts } from '#libs/kernel';

/** Which figure: an indicator, of which subject, in which period, each by its name. */
export interface FigureCursor {
  readonly period: string;
  readonly indicator: string;
  readonly subject: string;
}

/** The figures of a subject. */
export interface FigureSeries extends Omit<FigureCursor, 'period'> {
  readonly unit: PeriodUnit;
  /** The time of whose periods there is one: in order, apart from each other. Asked at most once, and only where it matters. */
  readonly spans: () => Promise<Spans>;
}

/** Which figures are asked for. */
export interface FigureBounds {
  /** Periods that begin in this time. */
  readonly from?: UtcMillis;
  readonly before?: UtcMillis;
  /** What comes after this in the list. */
  readonly after?: FigureCursor;
  readonly limit: number;
}

/**
 * Which figures there are, those first whose period begins last, then by indicator and subject: one more than the limit when there
 * are more. Periods are gone through one by one, and of the series only those are asked for their time that stand before the end of
 * the page, so that a page costs what it holds, however many series there are. Where no series of a unit has a figure in a period, all
 * of them were asked, and the newest period of any of them is known.
 *
 * @param series - in the order of their indicators and subjects
 */
export async function newestFigures(
  series: readonly FigureSeries[],
  { from = -Infinity, before = Infinity, after, limit }: FigureBounds,
): Promise<FigureCursor[]> {
  const times = new Map<FigureSeries, Spans>();
  const timesOf = async (one: FigureSeries): Promise<Spans> => {
    const spans = times.get(one) ?? (await one.spans());
    times.set(one, spans);
    return spans;
  };
  const newestOf = async (unit: PeriodUnit, end: UtcMillis): Promise<Period | undefined> => {
    let newest: Period | undefined;
    for (const one of series) {
      const period = one.unit === unit ? newestBefore(unit, await timesOf(one), end) : undefined;
      if (period !== undefined && period.from > (newest?.from ?? -Infinity)) newest = period;
    }
    return newest;
  };

  const last = after && periodNamed(after.period);
  const isListed = ({ indicator, subject }: FigureSeries, begin: UtcMillis): boolean =>
    after !== undefined &&
    begin === last?.from &&
    (compareTexts(indicator, after.indicator) || compareTexts(subject, after.subject)) <= 0;
  const end = Math.min(before, (last?.from ?? Infinity) + 1);
  /** The newest period of each unit that was not gone through. */
  const heads = new Map<PeriodUnit, Period>();
  const goOn = (unit: PeriodUnit, period: Period | undefined): void => {
    if (period === undefined || period.from < from) heads.delete(unit);
    else heads.set(unit, period);
  };
  for (const unit of new Set(series.map((one) => one.unit)))
    goOn(unit, end === Infinity ? await newestOf(unit, end) : periodAt(unit, end - 1));

  const figures: FigureCursor[] = [];
  while (heads.size > 0) {
    const begin = Math.max(...[...heads.values()].map((period) => period.from));
    const units = [...heads.keys()].filter((unit) => heads.get(unit)?.from === begin);
    const found = new Set<PeriodUnit>();
    for (const one of series) {
      const period = units.includes(one.unit) ? heads.get(one.unit) : undefined;
      if (period === undefined) continue;
      if (isListed(one, begin)) found.add(one.unit);
      else if (newestBefore(one.unit, await timesOf(one), begin + 1)?.from === begin) {
        found.add(one.unit);
        figures.push({ period: period.name, indicator: one.indicator, subject: one.subject });
        if (figures.length > limit) return figures;
      }
    }
    for (const unit of units)
      goOn(unit, found.has(unit) ? periodAt(unit, begin - 1) : await newestOf(unit, begin));
  }
  return figures;
}

/** The newest period that begins before an instant; it may go on beyond that. */
function newestBefore(unit: PeriodUnit, spans: Spans, end: UtcMillis): Period | undefined {
  const newest = spans.at(-1)?.to;
  if (newest === undefined) return undefined;
  const { to } = periodAt(unit, Math.min(end, newest) - 1);
  const span = spans.findLast(({ from }) => from < to);
  return span && periodAt(unit, Math.min(span.to, to) - 1);
}
