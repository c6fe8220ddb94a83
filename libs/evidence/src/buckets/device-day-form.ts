import type { DailyRollup, HourOfDay } from '#libs/indicators';
import { type Row, type TimeSpan, type UtcMillis, isObject } from '#libs/kernel';
import type { Parameter, Rollup } from '#libs/telemetry';

/** Of each series of a device the newest hour, which is open. */
export type OpenHours = Readonly<Partial<Record<Parameter, TouchedHour>>>;

export interface TouchedHour {
  readonly hour: UtcMillis;
  /** Of the first reading of the series and hour in the batch. */
  readonly site: string;
}

export function isOpenHours(value: unknown): boolean {
  return (
    isObject(value) && Object.values(value).every((open) => isObject(open) && Number.isFinite(open['hour']))
  );
}

/** A day of a device. All of its series together, because their hours end together. */
export type DeviceDay = Readonly<Partial<Record<Parameter, StoredDay>>>;

/** Lists, because a day is written again with every hour of its device. */
export type StoredDay = Row<'day of a series'>;
/** What an hour or a day comes to. */
export type Figures = Row<'figures'>;

/** A day of a series. */
export interface SeriesDay {
  readonly site: string;
  /** In order of time. */
  readonly hours: readonly EmittedHour[];
  /** Once the day was emitted. */
  readonly figures: Figures | undefined;
}

/** An hour as it was emitted. It stays under the site of its first reading, so that a correction replaces it. */
export interface EmittedHour {
  readonly hour: UtcMillis;
  readonly site: string;
  readonly isValid: boolean;
  readonly figures: Figures;
}

type PlacesOfFigures = readonly [
  expected: number,
  received: number,
  valid: number,
  mean: number | null,
  min: number | null,
  max: number | null,
  // What was written before these were kept ends here.
  unusual?: number,
  covered?: number,
  unusualShare?: number | null,
  meanWithout?: number | null,
  /** Whether the hour is valid without the unusual values, 1 or 0; of a day: its hours that are. */
  validWithout?: number,
];
type PlacesOfHour = readonly [hour: UtcMillis, site: string, isValid: boolean, figures: Figures];
type PlacesOfDay = readonly [site: string, hours: readonly PlacesOfHour[], figures?: Figures];

export function isDeviceDay(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.values(value).every((day) => {
      const [site, hours, figures = []] = Array.isArray(day) ? (day as readonly unknown[]) : [];
      return typeof site === 'string' && isHours(hours) && Array.isArray(figures);
    })
  );
}

export const SERIES_DAY_FORM = {
  pack({ site, hours, figures }: SeriesDay): StoredDay {
    const stored = hours.map((hour): PlacesOfHour => [hour.hour, hour.site, hour.isValid, hour.figures]);
    const places: PlacesOfDay = figures === undefined ? [site, stored] : [site, stored, figures];
    return places as unknown as StoredDay;
  },

  unpack(stored: StoredDay): SeriesDay {
    const [site, hours, figures] = stored as unknown as PlacesOfDay;
    return {
      site,
      hours: hours.map(([hour, siteOfHour, isValid, ofHour]) => ({
        hour,
        site: siteOfHour,
        isValid,
        figures: ofHour,
      })),
      figures,
    };
  },
};

/** @param validWithout - of an hour, whether it is valid without its unusual values, 1 or 0; of a day, how many hours are */
export function figuresOf(
  rollup: Omit<DailyRollup, 'withoutUnusual'> & { readonly withoutUnusual: { readonly mean: number | null } },
  validWithout: number,
): Figures {
  const { expected, received, valid, mean, min, max } = rollup;
  const { unusual, covered, unusualShare, withoutUnusual } = rollup;
  const places: PlacesOfFigures = [
    ...([expected, received, valid, mean, min, max] as const),
    ...([unusual, covered, unusualShare, withoutUnusual.mean, validWithout] as const),
  ];
  return places as unknown as Figures;
}

export function isSameFigures(a: Figures, b: Figures): boolean {
  const [before, after] = [a, b] as unknown as [PlacesOfFigures, PlacesOfFigures];
  return before.length === after.length && before.every((figure, i) => figure === after[i]);
}

/** Of an hour that was rolled up by counts the share of the readings stands for that of the time. */
export function hourOfDay({ isValid, figures }: EmittedHour): HourOfDay {
  const [expected, received, valid, mean, min, max, ...later] = figures as unknown as PlacesOfFigures;
  const [unusual = 0, covered = Math.min(1, valid / expected), unusualShare = 0, ...without] = later;
  const [meanWithout = mean, validWithout = isValid ? 1 : 0] = without;
  const withoutUnusual = { mean: meanWithout, isValid: validWithout === 1 };
  return { received, unusual, isValid, mean, min, max, covered, unusualShare, withoutUnusual };
}

export function rollupOf(
  tier: Rollup['tier'],
  { site, device, parameter }: Pick<Rollup, 'site' | 'device' | 'parameter'>,
  { from, to }: TimeSpan,
  figures: Figures,
): Rollup {
  const [expected, received, valid, mean, min, max, unusual = 0, covered = 0, ...later] =
    figures as unknown as PlacesOfFigures;
  const [unusualShare = null, meanWithoutUnusual = null, validWithout = 0] = later;
  const counts = { expected, received, valid, unusual, covered };
  const validWithoutUnusual = tier === 'day' ? validWithout : valid - unusual;
  const without = { unusualShare, validWithoutUnusual, meanWithoutUnusual };
  return { site, device, parameter, tier, from, to, ...counts, mean, min, max, ...without };
}

function isHours(hours: unknown): boolean {
  return Array.isArray(hours) && hours.every((hour) => Array.isArray(hour) && Array.isArray(hour[3]));
}
