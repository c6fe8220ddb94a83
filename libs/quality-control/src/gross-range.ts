import type { Parameter, QualityFlag } from '#libs/telemetry';

/** Inclusive limits in the unit of the parameter. */
export interface RangeLimits {
  /** Outside is beyond what the instrument can measure: fail. */
  readonly fail: readonly [number, number];
  /** Outside is implausible at the site: suspect. */
  readonly suspect: readonly [number, number];
}

/**
 * Gross range test of QARTOD (IOOS), with limits chosen for a lowland regency in Sumatra and for optical particle
 * counters in peat haze. A project choice, version 1; not from a standard.
 */
export const GROSS_RANGE_V1: Readonly<Record<Parameter, RangeLimits>> = {
  pm25: { fail: [0, 1_000], suspect: [0, 500] },
  pm10: { fail: [0, 2_000], suspect: [0, 600] },
  co: { fail: [0, 100_000], suspect: [0, 45_000] },
  no2: { fail: [0, 4_000], suspect: [0, 1_200] },
  o3: { fail: [0, 4_000], suspect: [0, 1_200] },
  so2: { fail: [0, 4_000], suspect: [0, 1_200] },
  hc: { fail: [0, 4_000], suspect: [0, 1_200] },
  temperature: { fail: [-10, 60], suspect: [15, 45] },
  humidity: { fail: [0, 100], suspect: [20, 100] },
};

export interface QualityResult {
  readonly flag: QualityFlag;
  /** Names of the tests that did not pass. */
  readonly failed: readonly string[];
}

/** Flags a value 1 (pass), 3 (suspect) or 4 (fail) by its range. */
export function grossRange(parameter: Parameter, value: number, limits = GROSS_RANGE_V1): QualityResult {
  const { fail, suspect } = limits[parameter];
  if (value < fail[0] || value > fail[1]) return { flag: 4, failed: ['gross_range'] };
  if (value < suspect[0] || value > suspect[1]) return { flag: 3, failed: ['gross_range'] };
  return { flag: 1, failed: [] };
}
