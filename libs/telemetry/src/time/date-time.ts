import type { Millis, UtcMillis } from '#libs/kernel';

/** A date and time as it is written. */
export interface DateTime {
  /** The instant, if it were UTC. */
  readonly local: UtcMillis;
  /** How far it is ahead of UTC; undefined when no zone is written. */
  readonly offsetMs: Millis | undefined;
}

const DATE_TIME =
  /^(\d{4})([-/])(\d{2})\2(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(Z|([+-])(\d{2}):?(\d{2}))?$/i;
const MINUTE_MS: Millis = 60_000;

/**
 * Reads a date and time with the year first, such as `2026-01-31T23:59:59+07:00` or `2026/01/31 23:59`. Digits below the
 * millisecond are cut off. Undefined for other texts, for days that do not exist, for 24:00 and for leap seconds.
 */
export function parseDateTime(text: string): DateTime | undefined {
  const match = DATE_TIME.exec(text.trim());
  if (match === null) return undefined;
  const [, year = '', , month = '', day = '', hour = '', minute = '', second = '00', digits = ''] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const seconds = Date.parse(`${iso}Z`);
  // Date.parse rolls 2026-02-30 over into March; such a day does not exist.
  if (Number.isNaN(seconds) || new Date(seconds).toISOString().slice(0, 19) !== iso) return undefined;
  const local = seconds + Number(digits.padEnd(3, '0').slice(0, 3));
  const [zone, sign, hours, minutes] = match.slice(9);
  if (zone === undefined) return { local, offsetMs: undefined };
  const offset = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
  if (offset >= 24 * 60 || Number(minutes ?? 0) >= 60) return undefined;
  return { local, offsetMs: (sign === '-' ? -1 : 1) * offset * MINUTE_MS };
}
