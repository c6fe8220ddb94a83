import { HOUR, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { Weather } from './weather.js';

export interface Place {
  /** Degrees north; negative in the regency. */
  readonly latitude: number;
  /** Degrees east. */
  readonly longitude: number;
}

/** A fire, or another source whose smoke the wind carries. */
export interface PlumeSource extends Place, TimeSpan {
  /** PM2.5 that it brings in the middle of its plume, a kilometre downwind at 1 m/s; µg/m³. */
  readonly pm25: number;
}

const METRES_PER_DEGREE = 111_320;
/** A plume opens by this share of the way; Gaussian across the wind (Pasquill's class D in round numbers). */
const OPENING = 0.12;
const MIN_WIDTH = 200;

/**
 * What a source brings to a place: a Gaussian plume along the wind of the time when the smoke left. It arrives later the
 * farther away the place is, so that a plume is seen at one station after the other.
 *
 * @returns µg/m³ of PM2.5
 */
export function plumeAt(source: PlumeSource, place: Place, at: UtcMillis, weather: Weather): number {
  const north = (place.latitude - source.latitude) * METRES_PER_DEGREE;
  const east =
    (place.longitude - source.longitude) * METRES_PER_DEGREE * Math.cos((source.latitude * Math.PI) / 180);
  const distance = Math.hypot(north, east);
  const left = at - Math.min(24 * HOUR, (distance / Math.max(0.5, weather.windSpeed(at))) * 1000);
  if (left < source.from || left >= source.to) return 0;
  // The wind blows towards the opposite of where it comes from.
  const towards = ((weather.windFrom(left) + 180) * Math.PI) / 180;
  const along = north * Math.cos(towards) + east * Math.sin(towards);
  if (along <= 0) return 0;
  const across = east * Math.cos(towards) - north * Math.sin(towards);
  const width = MIN_WIDTH + OPENING * along;
  const kilometre = MIN_WIDTH + OPENING * 1000;
  const dilution = (kilometre / width) ** 2 / Math.max(0.5, weather.windSpeed(left));
  return source.pm25 * dilution * Math.exp(-0.5 * (across / width) ** 2);
}
