import type { MeasuredParameter } from '#libs/telemetry';

/** What quantities are called, lower-cased, in formats that give them no names of their own. */
export const COMMON_NAMES: readonly (readonly [string, MeasuredParameter])[] = [
  ['pm25', 'pm25'],
  ['pm2.5', 'pm25'],
  ['pm2_5', 'pm25'],
  ['pm10', 'pm10'],
  ['so2', 'so2'],
  ['no2', 'no2'],
  ['co', 'co'],
  ['o3', 'o3'],
  ['hc', 'hc'],
  ['temperature', 'temperature'],
  ['humidity', 'humidity'],
];
