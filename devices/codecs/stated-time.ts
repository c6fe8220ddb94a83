import { refusal, shown } from './reading.js';
import { readDateTime, readEpoch, type Instant } from './reading-time.js';

/** As seconds this would be the year 5138, as milliseconds it is 1973. */
const MILLISECONDS_FROM = 1e11;
/** As seconds this is 2001: a smaller number beside values may count something else. */
export const SECONDS_FROM = 1e9;

/**
 * Reads a time that a message states in a form of its own: a date and time, or a count of seconds or milliseconds since
 * 1970, told apart by their size. What is no instant is refused: the arrival does not stand in for what is stated.
 *
 * @param countsFrom - a smaller number is no count of time
 */
export function statedInstant(path: string, found: unknown, countsFrom: number): Instant {
  const isCount = typeof found === 'number' && found >= countsFrom;
  const time = isCount
    ? readEpoch(path, found, found < MILLISECONDS_FROM ? 1000 : 1)
    : readDateTime(path, found, undefined);
  if ('refusal' in time || time.ts !== undefined) return time;
  return {
    refusal: refusal(
      'schema_violation',
      path,
      `expected an instant, with its zone or since 1970, found ${shown(found)}`,
    ),
  };
}
