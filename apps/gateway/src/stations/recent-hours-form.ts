import { ISPU_AVERAGING_HOURS, ISPU_PARAMETERS, type IspuParameter } from '#libs/air-quality';
import { isValidHour } from '#libs/indicators';
import { HOUR, type Row, type UtcMillis } from '#libs/kernel';
import type { Rollup } from '#libs/telemetry';

/** The hourly means of a device that the current index looks back at. */
export type RecentHours = Row<'recent hours'>;

type Places = readonly [
  /** The beginning of the newest hour of any parameter; null before the first. */
  newest: UtcMillis | null,
  /** In the order of {@link ISPU_PARAMETERS}: means from the newest hour back, µg/m³; null where there is no valid one. */
  means: readonly (readonly (number | null)[])[],
];

export function isRecentHours(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [newest, means] = value as readonly unknown[];
  return (newest === null || Number.isFinite(newest)) && Array.isArray(means) && means.every(Array.isArray);
}

export const NO_HOURS = rowOf([null, ISPU_PARAMETERS.map(() => [])]);

/** Takes the roll-up of an hour in; a later one of the same hour replaces it. What is too old changes nothing. */
export function withRollup(hours: RecentHours, rollup: Rollup): RecentHours {
  const place = ISPU_PARAMETERS.indexOf(rollup.parameter as IspuParameter);
  if (rollup.tier !== 'hour' || place === -1) return hours;
  const [known, means] = placesOf(hours);
  const newest = Math.max(known ?? rollup.from, rollup.from);
  const age = (newest - rollup.from) / HOUR;
  if (age >= ISPU_AVERAGING_HOURS) return hours;
  const after = means.map((list) => aged(list, (newest - (known ?? newest)) / HOUR));
  const list = [...(after[place] ?? [])];
  while (list.length < age) list.push(null);
  list[age] = isValidHour(rollup) ? rollup.mean : null;
  after[place] = list;
  return rowOf([newest, after]);
}

/** By parameter the means of the hours before this instant, newest first; for `currentIndex`. */
export function hoursBefore(
  hours: RecentHours,
  at: UtcMillis,
): Partial<Record<IspuParameter, readonly (number | null)[]>> {
  const [newest, means] = placesOf(hours);
  if (newest === null) return {};
  const last = Math.floor(at / HOUR) * HOUR - HOUR;
  // A device whose clock is ahead has hours that are not over yet.
  const ahead = Math.max(0, (newest - last) / HOUR);
  return Object.fromEntries(
    ISPU_PARAMETERS.map((parameter, place) => [
      parameter,
      aged((means[place] ?? []).slice(ahead), Math.max(0, (last - newest) / HOUR)),
    ]),
  );
}

/** The end of the newest hour; undefined before the first. */
export function newestHourEnd(hours: RecentHours): UtcMillis | undefined {
  const [newest] = placesOf(hours);
  return newest === null ? undefined : newest + HOUR;
}

function aged(means: readonly (number | null)[], hours: number): readonly (number | null)[] {
  if (hours === 0 || means.length === 0) return means;
  if (hours >= ISPU_AVERAGING_HOURS) return [];
  return [...Array<null>(hours).fill(null), ...means].slice(0, ISPU_AVERAGING_HOURS);
}

function rowOf(places: Places): RecentHours {
  return places as unknown as RecentHours;
}

function placesOf(row: RecentHours): Places {
  return row as unknown as Places;
}
