import type { Millis, UtcMillis } from '#libs/kernel';
import type { JudgedTime } from './device-time.js';

/** What was learnt on one day of arrival about the clock of a device. */
export interface ClockCounts {
  readonly messages: number;
  /** Messages without a time of the device's own. */
  readonly withoutTime: number;
  /** Messages whose time cannot be true. */
  readonly wrong: number;
  /** Messages that arrived later than `lateAfter` of the quality limits after they were measured: buffered, or of a clock that is slow. */
  readonly late: number;
  /**
   * Largest and smallest device time less arrival. A message can arrive late but never early, so the largest is the skew
   * of the clock, less the shortest way that a message took.
   */
  readonly skewMaxMs: Millis | null;
  readonly skewMinMs: Millis | null;
}

/** A line of the ledger of clock skew. */
export interface ClockDay extends ClockCounts {
  /** Calendar day of the regency on which the messages arrived. */
  readonly day: string;
}

/** The counts with one more message. @param stated - the device's time, if it stated one; @param lateAfter - what arrives later than this after it was measured is late */
export function countClock(
  before: ClockCounts | undefined,
  stated: UtcMillis | undefined,
  receivedAt: UtcMillis,
  clock: Extract<JudgedTime, { clock: unknown }>['clock'],
  lateAfter: Millis,
): ClockCounts {
  const {
    messages = 0,
    withoutTime = 0,
    wrong = 0,
    late = 0,
    skewMaxMs = null,
    skewMinMs = null,
  } = before ?? {};
  const skew = stated === undefined || clock === 'wrong' ? null : stated - receivedAt;
  return {
    messages: messages + 1,
    withoutTime: withoutTime + (clock === 'none' ? 1 : 0),
    wrong: wrong + (clock === 'wrong' ? 1 : 0),
    late: late + (skew !== null && -skew > lateAfter ? 1 : 0),
    skewMaxMs: skew === null ? skewMaxMs : Math.max(skew, skewMaxMs ?? skew),
    skewMinMs: skew === null ? skewMinMs : Math.min(skew, skewMinMs ?? skew),
  };
}
