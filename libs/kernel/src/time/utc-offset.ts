import { HOUR, MINUTE, type Millis } from './time.js';

const FARTHEST = 14 * HOUR;

/** `+07:00` as milliseconds; undefined for what is no offset. */
export function utcOffsetOf(text: string): Millis | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):([0-5]\d)$/.exec(text) ?? [];
  const ms = Number(hours) * HOUR + Number(minutes) * MINUTE;
  if (!(ms <= FARTHEST)) return undefined;
  return sign === '-' ? -ms : ms;
}

/** The other way round. */
export function utcOffsetText(ms: Millis): string {
  const minutes = Math.abs(ms) / MINUTE;
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${ms < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
