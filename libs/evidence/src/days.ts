import type { Spans } from '#libs/availability';
import { localDateOf, localDaySpan } from '#libs/kernel';

/** A figure of a device on a day. */
export interface DayCursor {
  readonly date: string;
  readonly indicator: string;
  readonly device: string;
}

/** A figure of a device, with the time of whose days there is one. */
export interface DaySeries extends Omit<DayCursor, 'date'> {
  readonly spans: Spans;
}

/** As `{date}/{indicator}/{device}`; no part holds a slash. */
export function cursorOf({ date, indicator, device }: DayCursor): string {
  return `${date}/${indicator}/${device}`;
}

/** @returns undefined for a text that is none */
export function readCursor(text: string): DayCursor | undefined {
  const [date = '', indicator = '', device = '', ...more] = text.split('/');
  const isOne = localDaySpan(date) !== undefined && indicator !== '' && device !== '' && more.length === 0;
  return isOne ? { date, indicator, device } : undefined;
}

/**
 * Which figures there are, newest day first, then by indicator and device: one more than the limit when there are more. Days are
 * gone through one by one, and only as many as the limit needs.
 */
export function newestDays(
  series: readonly DaySeries[],
  {
    from = '',
    to,
    after,
    limit,
  }: {
    readonly from?: string;
    readonly to?: string;
    readonly after?: DayCursor;
    readonly limit: number;
  },
): DayCursor[] {
  const ordered = series.toSorted((a, b) => compare(a.indicator, b.indicator) || compare(a.device, b.device));
  const days: DayCursor[] = [];
  const newest = [to, after?.date].filter((date) => date !== undefined).sort()[0];
  let end = newest === undefined ? Infinity : (localDaySpan(newest)?.to ?? Infinity);
  while (days.length <= limit) {
    const latest = latestBefore(ordered, end);
    if (latest === undefined) break;
    const date = localDateOf(latest);
    const day = localDaySpan(date);
    if (date < from || day === undefined) break;
    for (const { indicator, device, spans } of ordered) {
      if (!spans.some((span) => span.from < day.to && span.to > day.from)) continue;
      const isListed =
        date === after?.date && (compare(indicator, after.indicator) || compare(device, after.device)) <= 0;
      if (!isListed && days.length <= limit) days.push({ date, indicator, device });
    }
    end = day.from;
  }
  return days;
}

/** The newest instant before another that any series has. */
function latestBefore(series: readonly DaySeries[], end: number): number | undefined {
  let latest: number | undefined;
  for (const { spans } of series) {
    const span = spans.findLast(({ from }) => from < end);
    if (span !== undefined) latest = Math.max(latest ?? -Infinity, Math.min(span.to, end) - 1);
  }
  return latest;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
