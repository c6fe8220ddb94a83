import { MINUTE, type Millis } from '#libs/kernel';
import type { QualityFlag } from '#libs/telemetry';
import type { RateLimits } from '../limits/limits.js';

/**
 * Rate of change test of QARTOD. Values less than a minute apart are judged as if a minute lay between them: the noise
 * of two readings a second apart is no rate.
 *
 * @param elapsed - from the one to the other
 * @returns 1 or 3
 */
export function rateOfChangeFlag(
  from: number,
  to: number,
  elapsed: Millis,
  { perMinute }: Pick<RateLimits, 'perMinute'>,
): QualityFlag {
  const minutes = Math.max(1, elapsed / MINUTE);
  return Math.abs(to - from) / minutes > perMinute ? 3 : 1;
}
