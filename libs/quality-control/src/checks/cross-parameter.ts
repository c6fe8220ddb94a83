import type { MeasuredParameter, QualityFlag } from '#libs/telemetry';
import { resultOf, type QualityResult } from '../flags.js';
import { QC_LIMITS_V1, type QcLimitsTable } from '../limits/limits.js';

/** The values of one device at one instant. */
export type InstantValues = Readonly<Partial<Record<MeasuredParameter, number>>>;

/**
 * Cross-parameter test: PM2.5 is a part of PM10 and cannot exceed it, but for the errors of both. When it does, nothing
 * tells which of the two is wrong: both are suspect.
 *
 * @returns the result of PM2.5 and of PM10; not evaluated (flag 2) when one of them is missing or the test is off
 */
export function crossParameter(
  { pm25 = NaN, pm10 = NaN }: InstantValues,
  limits: QcLimitsTable = QC_LIMITS_V1,
): QualityResult {
  return resultOf('cross_parameter', flagOf(pm25, pm10, limits));
}

function flagOf(pm25: number, pm10: number, limits: QcLimitsTable): QualityFlag {
  const { crossParameter } = limits.pm25;
  if (crossParameter === null || !Number.isFinite(pm25) || !Number.isFinite(pm10)) return 2;
  return pm25 > pm10 * (1 + crossParameter.tolerance) ? 3 : 1;
}

/**
 * Humidity test: optical counters take the water on the particles for particles, so their PM is suspect in damp air.
 *
 * Off by default. Near-saturated air is every night's weather here, and not every PM sensor is optical: turn it on for
 * devices that are known to need it.
 *
 * @returns the result for the PM parameter; not evaluated (flag 2) when the humidity is missing or the test is off
 */
export function humidityInfluence(
  parameter: MeasuredParameter,
  { humidity = NaN }: InstantValues,
  limits: QcLimitsTable = QC_LIMITS_V1,
): QualityResult {
  const own = limits[parameter].humidity;
  if (own === null || !Number.isFinite(humidity)) return resultOf('humidity', 2);
  return resultOf('humidity', humidity >= own.suspectFrom ? 3 : 1);
}
