import { refusal, shown, type Members } from './reading.js';
import { readDateTime, readEpoch, type Instant } from './reading-time.js';

/** As seconds this would be the year 5138, as milliseconds it is 1973. */
const MILLISECONDS_FROM = 1e11;
/** As seconds this is 2001: a smaller number beside values may count something else. */
export const SECONDS_FROM = 1e9;

/** Names of an instant that values have, in any spelling. */
const NAME =
  /^(?:time|ts|time_?stamp|date_?time|utc_?time|time_?instant|date_?observed|(?:measured|observed|sampled|recorded)_?at)$/i;

/** Whether a name is that of an instant. */
export function saysTime(name: string): boolean {
  return NAME.test(name);
}

/**
 * The instant that values state beside them, under whatever name; undefined where they state none. What is stated is an
 * instant, or refused.
 *
 * @param where - path of the members; empty for the message itself
 * @param countsFrom - of {@link statedInstant}
 */
export function ownTime(members: Members, where: string, countsFrom = SECONDS_FROM): Instant | undefined {
  const name = Object.keys(members).find((key) => saysTime(key) && (members[key] ?? undefined) !== undefined);
  const path = where === '' ? name : `${where}.${name}`;
  return name === undefined ? undefined : statedInstant(path ?? '', members[name], countsFrom);
}

/**
 * The time under the name that the maker documents where that is stated, or else {@link ownTime}.
 *
 * @param documented - reads it
 */
export function timeUnder(
  name: string,
  members: Members,
  where: string,
  documented: (path: string, found: unknown) => Instant,
): Instant {
  const found = members[name] ?? undefined;
  if (found !== undefined) return documented(where === '' ? name : `${where}.${name}`, found);
  return ownTime(members, where) ?? { ts: undefined };
}

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
