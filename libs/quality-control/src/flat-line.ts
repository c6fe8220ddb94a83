import type { UtcMillis } from '#libs/kernel';
import type { QualityFlag } from '#libs/telemetry';
import type { FlatLineLimits } from './limits.js';
import type { Sample } from './sample.js';

/** Values that did not move: from when, between which values, and how many. */
export interface FlatRun {
  readonly from: UtcMillis;
  readonly low: number;
  readonly high: number;
  readonly samples: number;
}

/**
 * Adds a value to the run that it continues, or begins one with it. A run compares with its lowest and highest value, not
 * with the last one, so that a slow drift is no flat line.
 *
 * @param last - time of the newest value in the run
 */
export function extendRun(
  run: FlatRun | null,
  last: UtcMillis,
  { ts, value }: Sample,
  { tolerance, maxGap }: Pick<FlatLineLimits, 'tolerance' | 'maxGap'>,
): FlatRun {
  if (run !== null && ts - last <= maxGap) {
    const low = Math.min(run.low, value);
    const high = Math.max(run.high, value);
    if (high - low < tolerance) return { from: run.from, low, high, samples: run.samples + 1 };
  }
  return { from: ts, low: value, high: value, samples: 1 };
}

/**
 * Flat line test of QARTOD on the newest value of a run. The values before it keep their flags: when they came, nothing
 * was wrong with them yet.
 *
 * @param ts - time of that value
 * @returns 1, 3 or 4
 */
export function flatLineFlag(run: FlatRun, ts: UtcMillis, limits: FlatLineLimits): QualityFlag {
  const lasted = ts - run.from;
  if (lasted >= limits.failAfter && run.samples >= limits.failSamples) return 4;
  return lasted >= limits.suspectAfter && run.samples >= limits.suspectSamples ? 3 : 1;
}
