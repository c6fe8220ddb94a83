import { MINUTE } from '#libs/kernel';
import type { QualityFlag } from '#libs/telemetry';
import type { RateLimits } from './limits.js';
import type { Sample } from './sample.js';

/**
 * Rate of change test of QARTOD. Values less than a minute apart are judged as if a minute lay between them: the noise
 * of two readings a second apart is no rate.
 *
 * @returns 1 or 3
 */
export function rateOfChangeFlag(
  from: Sample,
  to: Sample,
  { perMinute }: Pick<RateLimits, 'perMinute'>,
): QualityFlag {
  const minutes = Math.max(1, (to.ts - from.ts) / MINUTE);
  return Math.abs(to.value - from.value) / minutes > perMinute ? 3 : 1;
}
