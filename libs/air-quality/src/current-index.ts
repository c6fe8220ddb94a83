import { ispu, ISPU_AVERAGING_HOURS, ISPU_PARAMETERS, type Ispu, type IspuParameter } from './ispu.js';
import { nowCast, type NowCast } from './nowcast.js';

/**
 * Valid hours of the last 24 that a parameter needs for a mean. The regulation states no minimum; three quarters is the
 * rule of the US AQI (40 CFR 58, appendix G) and this project's choice.
 */
export const ISPU_REQUIRED_HOURS = 18;

/** A mean over the last 24 hours and how many of them it rests on. */
export interface RollingMean {
  /** µg/m³; null with fewer than {@link ISPU_REQUIRED_HOURS} valid hours. */
  readonly mean: number | null;
  readonly validHours: number;
}

/** What can be said of the air of one station now. */
export interface CurrentIndex {
  /** Undefined while no parameter has enough hours: there is no index, which is not an index of 0. */
  readonly ispu: Ispu | undefined;
  /** Those of which at least one hour is valid. */
  readonly means: Readonly<Partial<Record<IspuParameter, RollingMean>>>;
  /** µg/m³; no part of ISPU, see {@link nowCast}. */
  readonly nowCast: Readonly<Partial<Record<'pm25' | 'pm10', NowCast>>>;
}

/**
 * The rolling index: ISPU of the means of the last 24 hours that are over, as P.14/2020 article 6 has it every hour, and
 * beside it the NowCast of particulate matter, which reacts within hours.
 *
 * @param hours - by parameter the hourly means in µg/m³, newest first from the last hour that is over; an hour without a
 *   valid mean is null or undefined and keeps its place
 */
export function currentIndex(
  hours: Readonly<Partial<Record<IspuParameter, readonly (number | null | undefined)[]>>>,
): CurrentIndex {
  const means: Partial<Record<IspuParameter, RollingMean>> = {};
  for (const parameter of ISPU_PARAMETERS) {
    const valid = (hours[parameter] ?? [])
      .slice(0, ISPU_AVERAGING_HOURS)
      .filter((mean) => mean !== null && mean !== undefined);
    if (valid.length === 0) continue;
    const mean = valid.reduce((sum, value) => sum + value, 0) / valid.length;
    means[parameter] = {
      mean: valid.length < ISPU_REQUIRED_HOURS ? null : mean,
      validHours: valid.length,
    };
  }
  const nowCasts: Partial<Record<'pm25' | 'pm10', NowCast>> = {};
  for (const parameter of ['pm25', 'pm10'] as const) {
    const value = nowCast(parameter, hours[parameter] ?? []);
    if (value !== undefined) nowCasts[parameter] = value;
  }
  const enough = Object.fromEntries(Object.entries(means).map(([parameter, { mean }]) => [parameter, mean]));
  return { ispu: ispu(enough), means, nowCast: nowCasts };
}
