import { HOUR, type Millis, type UtcMillis } from '#libs/kernel';
import { entersFigures, type Standing } from '#libs/quality-control';
import type { JournalRef, QualityFlag, Rollup } from '#libs/telemetry';
import { intervalAt, intervalIn, type Intervals } from './intervals.js';

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
  /** Readings that the promised interval leads to; of an hour in which it changed, each for its part. */
  readonly expected: number;
  /** Of them those that came, see {@link countSlots}; never more. */
  readonly received: number;
  /** Of those the ones with a value that the mean is made of: one that passed, or an unusual one. */
  readonly valid: number;
  /** Of them those with unusual values alone: suspect, and no test says that the instrument is at fault. */
  readonly unusual: number;
  /** Received and not used: suspect because of the instrument, failed. */
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

/** Whether the mean of a rolled-up hour counts. Roll-ups of before the mean over time state no cover: their values are counted. */
export function isValidHour({
  covered,
  valid,
  expected,
}: Pick<Rollup, 'covered' | 'valid' | 'expected'>): boolean {
  return (covered ?? valid / expected) >= REQUIRED_SHARE - EPSILON;
}

/**
 * Rolls up one hour. The mean is one over time: a value speaks until the next one comes, but for no longer than the interval
 * that the device promised at its time. So forty values in seven minutes weigh seven minutes, and cover no more of the hour than
 * that.
 *
 * The last value speaks until the first one of an hour that repeats itself: what it covers beyond the end stands for what the
 * hour before covered at the beginning. So an hour rests on its own readings alone, at whatever minute the device reports.
 *
 * @param samples - of this hour, one a timestamp, in any order: the result does not depend on it
 * @param promised - how often the device promised to report, and since when
 */
export function hourlyRollup(hour: UtcMillis, samples: readonly Sample[], promised: Intervals): HourlyRollup {
  // Summed in the order of time: floating-point addition depends on the order, and evidence must not.
  const ordered = isInOrder(samples) ? samples : samples.toSorted((a, b) => a.ts - b.ts);
  const counted = ordered.filter(({ standing }) => entersFigures(standing));
  const weights = weightsOf(counted, promised);
  const all = coveredMean(counted, weights);
  const usual = counted.filter(({ standing }) => standing !== 'unusual');
  const expected = Math.max(1, Math.round(HOUR / intervalIn(promised, { from: hour, to: hour + HOUR })));
  let [min, max, unusualMs] = [Infinity, -Infinity, 0];
  for (const [i, { value, standing }] of counted.entries()) {
    if (value < min) min = value;
    if (value > max) max = value;
    if (standing === 'unusual') unusualMs += weights[i] as number;
  }
  const none = counted.length === 0;
  return {
    hour,
    expected,
    ...countSlots(ordered, expected, promised),
    ...all,
    min: none ? null : min,
    max: none ? null : max,
    unusualShare: none ? null : unusualMs / sumOf(weights),
    withoutUnusual: usual.length === counted.length ? all : coveredMean(usual, weightsOf(usual, promised)),
  };
}

/** What a slot is worth, by the best of its values. */
const CLASSES = ['other', 'failed', 'suspect', 'unusual', 'usual'] as const;

/**
 * Counts values as the expected ones that they stand for: the hour has a slot for each expected value, laid out from the first
 * one on, and anew from the first one after the interval has changed. A value fills the nearest, or the one after it when half an
 * interval has passed since the last one was filled. So a repetition is no second reading, a device that reports more often than
 * it promised is not captured by more than all, and a clock that is a little fast, or jitter, costs nothing.
 *
 * @param ordered - by time
 */
function countSlots(
  ordered: readonly Sample[],
  expected: number,
  promised: Intervals,
): Pick<HourlyRollup, 'received' | 'valid' | 'unusual' | 'suspect' | 'failed'> {
  let [first, base, intervalMs] = [0, 0, NaN];
  const counts = { other: 0, failed: 0, suspect: 0, unusual: 0, usual: 0 };
  let [slot, filledAt, best] = [-1, -Infinity, 0];
  for (const sample of ordered) {
    const interval = intervalAt(promised, sample.ts);
    // The shorter of the two: a device that reports more seldom from now on is not early.
    const isNear = sample.ts - filledAt < Math.min(interval, intervalAt(promised, filledAt)) / 2;
    if (interval !== intervalMs) [first, base, intervalMs] = [sample.ts, isNear ? slot : slot + 1, interval];
    const nearest = base + Math.round((sample.ts - first) / intervalMs);
    const next = isNear ? slot : Math.max(nearest, slot + 1);
    const place = Math.min(next, nearest + 1, expected - 1);
    const worth = CLASSES.indexOf(classOf(sample));
    if (place > slot) {
      if (slot >= 0) counts[CLASSES[best] ?? 'other']++;
      [slot, filledAt, best] = [place, sample.ts, worth];
    } else if (worth > best) best = worth;
  }
  if (slot >= 0) counts[CLASSES[best] ?? 'other']++;
  const { other, failed, suspect, unusual, usual } = counts;
  const valid = usual + unusual;
  return { received: valid + suspect + failed + other, valid, unusual, suspect, failed };
}

function classOf({ flag, standing }: Sample): (typeof CLASSES)[number] {
  if (standing === 'unusual') return 'unusual';
  if (entersFigures(standing)) return 'usual';
  return flag === 3 ? 'suspect' : flag === 4 ? 'failed' : 'other';
}

/** For how long each value speaks. Never more than an hour in all. */
function weightsOf(ordered: readonly Sample[], promised: Intervals): readonly Millis[] {
  const first = ordered[0]?.ts ?? 0;
  return ordered.map(({ ts }, i) =>
    Math.min((ordered[i + 1]?.ts ?? first + HOUR) - ts, intervalAt(promised, ts)),
  );
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
