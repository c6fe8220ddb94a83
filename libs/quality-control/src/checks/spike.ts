import type { QualityFlag } from '#libs/telemetry';
import type { SpikeLimits } from '../limits/limits.js';

/**
 * Spike test of QARTOD: whether a value stands out from the values before and after it, which come back together.
 *
 * The distance is measured from the nearer neighbour. That is the distance from the mean of both less half of their
 * difference (GTSPP; the `differential` method of ioos_qc), and equal to it when the neighbours agree. The plain
 * distance from the mean would call the first minute of a fire (30, 400, 390 µg/m³) a spike; this one does not, and
 * a value between its neighbours never is one.
 *
 * @returns 1, 3 or 4
 */
export function spikeFlag(
  before: number,
  value: number,
  after: number,
  { suspect, fail }: Pick<SpikeLimits, 'suspect' | 'fail'>,
): QualityFlag {
  const above = value - Math.max(before, after);
  const below = Math.min(before, after) - value;
  const distance = Math.max(above, below);
  if (distance > fail) return 4;
  return distance > suspect ? 3 : 1;
}
