import { refusal, shown, type Members } from './reading.js';
import { readDateTime, readEpoch, type Instant } from './reading-time.js';

/** As seconds this would be the year 5138, as milliseconds it is 1973. */
const MILLISECONDS_FROM = 1e11;
/** As seconds this is 2001: a smaller number beside values may count something else. */
export const SECONDS_FROM = 1e9;

/**
 * Names of an instant that values have, in any case, with or without the underscore: in the order in which they count, those
 * that the pages of the codecs name first.
 */
const NAMES: ReadonlyMap<string, number> = new Map(
  [
    ...['time_stamp', 'time', 'ts', 'measured_at', 'observed_at', 'sampled_at', 'recorded_at'],
    ...['date_time', 'utc_time', 'time_instant', 'date_observed'],
  ].flatMap((name, rank) => [name, name.replace('_', '')].map((spelling) => [spelling, rank] as const)),
);

function rankOf(name: string): number | undefined {
  return NAMES.get(name.toLowerCase());
}

/** Whether a name is that of an instant. */
export function saysTime(name: string): boolean {
  return rankOf(name) !== undefined;
}

/**
 * Those of the names that are of an instant, in the order in which they count: never in that of the members, which a sender
 * does not promise.
 *
 * @param documented - names of the maker, before all others
 */
export function timeNames(names: readonly string[], documented: readonly string[] = []): readonly string[] {
  const others = names
    .filter((name) => saysTime(name) && !documented.includes(name))
    .sort((a, b) => (rankOf(a) ?? 0) - (rankOf(b) ?? 0) || (a < b ? -1 : 1));
  return [...documented.filter((name) => names.includes(name)), ...others];
}

/** The first of several statements that is an instant, or else what the first one is; undefined where there is none. */
export function firstInstant(stated: readonly Instant[]): Instant | undefined {
  return stated.find((time) => 'ts' in time && time.ts !== undefined) ?? stated[0];
}

/**
 * The instant that values state beside them, under whatever name; undefined where they state none. Of several the first in
 * the order of {@link timeNames} that is one counts; where none is, the statement is refused.
 *
 * @param where - path of the members; empty for the message itself
 * @param countsFrom - of {@link statedInstant}
 */
export function ownTime(members: Members, where: string, countsFrom = SECONDS_FROM): Instant | undefined {
  return firstInstant(
    timeNames(Object.keys(members))
      .filter((name) => (members[name] ?? undefined) !== undefined)
      .map((name) => statedInstant(where === '' ? name : `${where}.${name}`, members[name], countsFrom)),
  );
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
