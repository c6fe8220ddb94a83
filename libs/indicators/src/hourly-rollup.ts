import { HOUR, type Millis, type UtcMillis } from '#libs/kernel';
import { entersFigures, type Standing } from '#libs/quality-control';
import type { JournalRef, QualityFlag } from '#libs/telemetry';

/** One value of a device and parameter, with the journal entry that holds it. */
export interface Sample extends JournalRef {
  readonly ts: UtcMillis;
  readonly value: number;
  readonly flag: QualityFlag;
  readonly standing: Standing;
}

/** A mean over time, and for how much of the hour values speak. */
export interface CoveredMean {
  /** Null without any value. */
  readonly mean: number | null;
  /** Share of the hour for which there is a value, 0 to 1. */
  readonly covered: number;
  /** At least {@link REQUIRED_SHARE} of the hour is covered. */
  readonly isValid: boolean;
}

/** An hour of a device and parameter. A mean without its counts is not evidence. */
export interface HourlyRollup extends CoveredMean {
  readonly hour: UtcMillis;
  readonly expected: number;
  readonly received: number;
  /** Values that the mean is made of: those that passed, and the unusual ones. */
  readonly valid: number;
  /** Of them those that are unusual: suspect, and no test says that the instrument is at fault. */
  readonly unusual: number;
  /** Received but not used: suspect because of the instrument, failed. */
  readonly suspect: number;
  readonly failed: number;
  /** Of the values that count; null without any. */
  readonly min: number | null;
  readonly max: number | null;
  /** Share of the covered time for which unusual values speak; null without any value. */
  readonly unusualShare: number | null;
  /** The same hour without the unusual values. */
  readonly withoutUnusual: CoveredMean;
}

/**
 * Share that must be covered: of an hour by its readings, and of a day by its hours. A project choice.
 */
export const REQUIRED_SHARE = 0.75;

/** Above the error of a share in binary floating point. */
const EPSILON = 1e-9;

/**
 * Rolls up one hour. The mean is one over time: a value speaks until the next one comes, but for no longer than the interval
 * that the device promised. So forty values in seven minutes weigh seven minutes, and cover no more of the hour than that.
 *
 * The last value speaks until the first one of an hour that repeats itself: what it covers beyond the end stands for what the
 * hour before covered at the beginning. So an hour rests on its own readings alone, at whatever minute the device reports.
 *
 * @param samples - of this hour, one a timestamp, in any order: the result does not depend on it
 * @param intervalMs - how often the device promises to report
 */
export function hourlyRollup(hour: UtcMillis, samples: readonly Sample[], intervalMs: Millis): HourlyRollup {
  // Summed in the order of time: floating-point addition depends on the order, and evidence must not.
  const ordered = isInOrder(samples) ? samples : samples.toSorted((a, b) => a.ts - b.ts);
  const counted = ordered.filter(({ standing }) => entersFigures(standing));
  const weights = weightsOf(counted, intervalMs);
  const all = coveredMean(counted, weights);
  const usual = counted.filter(({ standing }) => standing !== 'unusual');
  const unusual = counted.length - usual.length;
  let [suspect, failed, min, max, unusualMs] = [0, 0, Infinity, -Infinity, 0];
  for (const { flag, standing } of ordered) {
    if (flag === 3 && standing !== 'unusual') suspect++;
    if (flag === 4) failed++;
  }
  for (const [i, { value, standing }] of counted.entries()) {
    if (value < min) min = value;
    if (value > max) max = value;
    if (standing === 'unusual') unusualMs += weights[i] as number;
  }
  const none = counted.length === 0;
  return {
    hour,
    expected: Math.max(1, Math.round(HOUR / intervalMs)),
    received: samples.length,
    valid: counted.length,
    unusual,
    suspect,
    failed,
    ...all,
    min: none ? null : min,
    max: none ? null : max,
    unusualShare: none ? null : unusualMs / sumOf(weights),
    withoutUnusual: unusual === 0 ? all : coveredMean(usual, weightsOf(usual, intervalMs)),
  };
}

/** For how long each value speaks. Never more than an hour in all. */
function weightsOf(ordered: readonly Sample[], intervalMs: Millis): readonly Millis[] {
  const first = ordered[0]?.ts ?? 0;
  return ordered.map(({ ts }, i) => Math.min((ordered[i + 1]?.ts ?? first + HOUR) - ts, intervalMs));
}

function coveredMean(ordered: readonly Sample[], weights: readonly Millis[]): CoveredMean {
  const total = sumOf(weights);
  const covered = total / HOUR;
  let sum = 0;
  for (const [i, { value }] of ordered.entries()) sum += (weights[i] as number) * value;
  return {
    mean: total === 0 ? null : sum / total,
    covered,
    isValid: covered >= REQUIRED_SHARE - EPSILON,
  };
}

function sumOf(weights: readonly Millis[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

function isInOrder(samples: readonly Sample[]): boolean {
  let newest = -Infinity;
  for (const { ts } of samples) {
    if (ts < newest) return false;
    newest = ts;
  }
  return true;
}
