import type { Millis, UtcMillis } from '#libs/kernel';
import { resultOf, type QualityResult } from '../flags.js';
import { CLOCK_LIMITS_V1, type ClockLimits } from '../limits/limits.js';

export interface ClockCheck {
  /** `late` is a buffered or delayed value, or a clock that is slow: from outside these look the same. */
  readonly state: 'ok' | 'late' | 'ahead';
  /** Device time less arrival: positive when the device is ahead. */
  readonly skew: Millis;
  readonly result: QualityResult;
}

/**
 * Clock test: whether the device's clock is ahead. A value cannot be measured after it arrived, so one from the future
 * has a time that is off by a little and is suspect; one that is further ahead than `ingest.maxFuture` never gets here. A late one passes: devices here buffer for hours and days.
 *
 * @param ts - device time
 */
export function clockCheck(
  ts: UtcMillis,
  receivedAt: UtcMillis,
  { maxAhead, lateAfter }: ClockLimits = CLOCK_LIMITS_V1,
): ClockCheck {
  const skew = ts - receivedAt;
  if (!Number.isFinite(skew)) return { state: 'ok', skew: 0, result: resultOf('clock_ahead', 2) };
  if (skew > maxAhead) return { state: 'ahead', skew, result: resultOf('clock_ahead', 3) };
  return { state: -skew > lateAfter ? 'late' : 'ok', skew, result: resultOf('clock_ahead', 1) };
}
