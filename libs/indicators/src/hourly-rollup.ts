import { HOUR, type Millis, type UtcMillis } from '#libs/kernel';
import type { JournalRef, QualityFlag } from '#libs/telemetry';

/** One value of a device and parameter, with the journal entry that holds it. */
export interface Sample extends JournalRef {
  readonly ts: UtcMillis;
  readonly value: number;
  readonly flag: QualityFlag;
}

/** An hour of a device and parameter. A mean without its counts is not evidence. */
export interface HourlyRollup {
  readonly hour: UtcMillis;
  readonly expected: number;
  readonly received: number;
  readonly valid: number;
  /** Received but not used, by flag. */
  readonly suspect: number;
  readonly failed: number;
  /** Of the values that passed; null without any. */
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** At least 75 % of what was expected passed. */
  readonly isValid: boolean;
}

/** Share of expected values that must be valid: for an hour from its readings and for a day from its hours. A project choice. */
export const REQUIRED_SHARE = 0.75;

/**
 * Rolls up one hour.
 *
 * @param samples - of this hour, one a timestamp, in any order: the result does not depend on it
 * @param intervalMs - how often the device promises to report
 */
export function hourlyRollup(hour: UtcMillis, samples: readonly Sample[], intervalMs: Millis): HourlyRollup {
  // Summed in the order of time: floating-point addition depends on the order, and evidence must not.
  const ordered = isInOrder(samples) ? samples : samples.toSorted((a, b) => a.ts - b.ts);
  const expected = Math.max(1, Math.round(HOUR / intervalMs));
  let [valid, suspect, failed, sum, min, max] = [0, 0, 0, 0, Infinity, -Infinity];
  for (const { value, flag } of ordered) {
    if (flag === 3) suspect++;
    if (flag === 4) failed++;
    if (flag !== 1) continue;
    valid++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const none = valid === 0;
  return {
    hour,
    expected,
    received: samples.length,
    valid,
    suspect,
    failed,
    mean: none ? null : sum / valid,
    min: none ? null : min,
    max: none ? null : max,
    isValid: valid >= REQUIRED_SHARE * expected,
  };
}

function isInOrder(samples: readonly Sample[]): boolean {
  let newest = -Infinity;
  for (const { ts } of samples) {
    if (ts < newest) return false;
    newest = ts;
  }
  return true;
}
