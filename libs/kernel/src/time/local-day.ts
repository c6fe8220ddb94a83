import { DAY, HOUR, type TimeSpan, type UtcMillis } from './time.js';

/** The regency's zone: WIB, UTC+7 all year. The days of every indicator are days of this zone. */
export const REGENCY_TIME_ZONE = 'Asia/Jakarta';

/** WIB has had no daylight saving and no other offset since 1964, so a constant is exact and needs no zone data. */
const WIB_OFFSET = 7 * HOUR;

const LOCAL_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The day that was asked for last. Instants come by the thousand of one day, and comparing costs less than writing a date. */
let latest: TimeSpan & { readonly date: string } = { from: 0, to: 0, date: '' };

/** The calendar day in the regency's zone, `YYYY-MM-DD`, that the instant falls into. */
export function localDateOf(at: UtcMillis): string {
  if (at >= latest.from && at < latest.to) return latest.date;
  const date = new Date(at + WIB_OFFSET).toISOString().slice(0, 10);
  const from = Math.floor((at + WIB_OFFSET) / DAY) * DAY - WIB_OFFSET;
  latest = { from, to: from + DAY, date };
  return date;
}

/**
 * The explicit UTC bounds of a calendar day of the regency: 00:00 WIB is 17:00 UTC of the day before.
 *
 * @returns undefined when the text is not an existing calendar day
 */
export function localDaySpan(date: string): TimeSpan | undefined {
  const match = LOCAL_DATE.exec(date);
  if (match === null) return undefined;
  const midnight = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  // Date.UTC rolls 2026-02-30 over into March; such a day does not exist.
  if (new Date(midnight).toISOString().slice(0, 10) !== date) return undefined;
  return { from: midnight - WIB_OFFSET, to: midnight - WIB_OFFSET + DAY };
}

/** The start of the hour that holds the instant. WIB is a whole number of hours from UTC, so local and UTC hours agree. */
export function hourOf(at: UtcMillis): UtcMillis {
  return Math.floor(at / HOUR) * HOUR;
}
