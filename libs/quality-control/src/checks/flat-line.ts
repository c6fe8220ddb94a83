import type { Millis } from '#libs/kernel';
import type { QualityFlag } from '#libs/telemetry';
import type { FlatLineLimits } from '../limits/limits.js';

/**
 * Whether a value continues the run of values that did not move. A run compares with its lowest and highest value, not
 * with the last one, so that a slow drift is no flat line.
 *
 * @param low - lowest value of the run
 * @param high - highest value of the run
 * @param silence - since the newest value in the run
 */
export function continuesRun(
  low: number,
  high: number,
  silence: Millis,
  value: number,
  { tolerance, maxGap }: Pick<FlatLineLimits, 'tolerance' | 'maxGap'>,
): boolean {
  return silence <= maxGap && Math.max(high, value) - Math.min(low, value) < tolerance;
}

/**
 * Flat line test of QARTOD on the newest value of a run. The values before it keep their flags: when they came, nothing
 * was wrong with them yet.
 *
 * @param lasted - from the first value of the run to that one
 * @param samples - how many values it has
 * @returns 1, 3 or 4
 */
export function flatLineFlag(lasted: Millis, samples: number, limits: FlatLineLimits): QualityFlag {
  if (lasted >= limits.failAfter && samples >= limits.failSamples) return 4;
  return lasted >= limits.suspectAfter && samples >= limits.suspectSamples ? 3 : 1;
}
