import type { MeasuredParameter } from '#libs/telemetry';
import { resultOf, type QualityResult } from '../flags.js';

/** Inclusive limits in the unit of the parameter. */
export interface RangeLimits {
  /** Outside is beyond what the instrument can measure: fail. */
  readonly fail: readonly [number, number];
  /** Outside is implausible at the site: suspect. */
  readonly suspect: readonly [number, number];
}

/**
 * Gross range test of QARTOD (IOOS). `fail` is what no instrument in use can measure, for devices whose model is not named
 * ({@link INSTRUMENTS}): the full scale of the widest analysers (beta attenuation 10 mg/m³; CO 1000 ppm, NO2 and SO2 20 ppm,
 * O3 10 ppm at 25 °C). `suspect` is what is rare in a lowland regency in Sumatra: that is no fault. Project choices.
 */
export const GROSS_RANGE_V1: Readonly<Record<MeasuredParameter, RangeLimits>> = {
  pm25: { fail: [0, 10_000], suspect: [0, 500] },
  pm10: { fail: [0, 10_000], suspect: [0, 600] },
  co: { fail: [0, 1_146_000], suspect: [0, 45_000] },
  no2: { fail: [0, 37_700], suspect: [0, 1_200] },
  o3: { fail: [0, 19_700], suspect: [0, 500] },
  so2: { fail: [0, 52_500], suspect: [0, 1_200] },
  hc: { fail: [0, 52_500], suspect: [0, 1_200] },
  temperature: { fail: [-40, 85], suspect: [15, 45] },
  humidity: { fail: [0, 100], suspect: [20, 100] },
};

/** Flags a value 1 (pass), 3 (suspect) or 4 (fail) by its range. A value that is not a number fails. */
export function grossRange(
  parameter: MeasuredParameter,
  value: number,
  limits = GROSS_RANGE_V1,
): QualityResult {
  return rangeResult(value, limits[parameter]);
}

/** {@link grossRange} by the limits of one parameter. */
export function rangeResult(value: number, { fail, suspect }: RangeLimits): QualityResult {
  if (!isWithin(value, fail)) return resultOf('gross_range', 4);
  return resultOf('gross_range', isWithin(value, suspect) ? 1 : 3);
}

/** Asked this way round, NaN is outside of everything. */
function isWithin(value: number, [low, high]: readonly [number, number]): boolean {
  return value >= low && value <= high;
}
