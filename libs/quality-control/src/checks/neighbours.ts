import type { MeasuredParameter, QualityFlag } from '#libs/telemetry';
import { resultOf, type QualityResult } from '../flags.js';
import { QC_LIMITS_V1, type NeighbourLimits, type QcLimitsTable } from '../limits/limits.js';

/** What another device says about the same parameter at about the same time. */
export interface NeighbourReading {
  /** Best a mean of the hour: single readings differ between places for good reasons. */
  readonly value: number;
  readonly distanceKm: number;
}

/** What the neighbours say of a value. */
export interface NeighbourResult extends QualityResult {
  /** Neighbours within the radius that have a value. */
  readonly count: number;
  /** Of their values; null without any. */
  readonly median: number | null;
}

/** Makes the median absolute deviation comparable with a standard deviation of normally distributed values. */
const MAD_TO_SIGMA = 1.4826;
/** How many of these a value must be away to disagree. */
const SIGMAS = 5;
const NOBODY = new Float64Array();

/**
 * Neighbour test: suspect when a value disagrees strongly with devices nearby, which agree among themselves.
 *
 * Three things must hold, so that a local fire is seldom taken for a fault: far from the median of the neighbours in
 * absolute terms, by a multiple of it, and by more than five times their own spread (from the median absolute deviation,
 * which one broken neighbour does not move). Never fails a value: the one that differs may be the only one that is right.
 *
 * @param neighbours - other devices, values that did not fail (flag 4) only
 * @returns not evaluated (flag 2) with too few neighbours within the radius
 */
export function neighbourConsensus(
  value: number,
  neighbours: readonly NeighbourReading[],
  parameter: MeasuredParameter,
  limits: QcLimitsTable = QC_LIMITS_V1,
): NeighbourResult {
  const own = limits[parameter].neighbours;
  const values = own === null ? NOBODY : valuesWithin(neighbours, own);
  const middle = median(values);
  const count = values.length;
  if (own === null || middle === undefined || count < own.minNeighbours || !Number.isFinite(value))
    return resultBy(2, count, middle);
  const distance = Math.abs(value - middle);
  const spread = MAD_TO_SIGMA * (median(values.map((x) => Math.abs(x - middle))) ?? 0);
  const isFar =
    distance > own.distance &&
    distance > SIGMAS * spread &&
    (own.factor === null || value > middle * own.factor || value < middle / own.factor);
  return resultBy(isFar ? 3 : 1, count, middle);
}

function resultBy(of: QualityFlag, count: number, middle: number | undefined): NeighbourResult {
  const { flag, failed } = resultOf('neighbour', of);
  return { flag, failed, count, median: middle ?? null };
}

function valuesWithin(neighbours: readonly NeighbourReading[], { radiusKm }: NeighbourLimits): Float64Array {
  const values = new Float64Array(neighbours.length);
  let count = 0;
  for (const { value, distanceKm } of neighbours)
    if (Number.isFinite(value) && distanceKm <= radiusKm) values[count++] = value;
  return values.subarray(0, count);
}

/** Undefined of nothing. Leaves the values in order. */
function median(values: Float64Array): number | undefined {
  // An array of numbers alone is sorted without a call for each comparison.
  values.sort();
  const [low, high] = [values[(values.length - 1) >> 1], values[values.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
