import type { QualityFlag } from '#libs/telemetry';

/** What the tests are called in a reading's `failed`. Names are stored and exchanged: never reused, never renamed. */
export const QC_TESTS = [
  'gross_range',
  'spike',
  'rate_of_change',
  'flat_line',
  'saturation',
  'cross_parameter',
  'humidity',
  'neighbour',
  'clock',
] as const;
export type QcTest = (typeof QC_TESTS)[number];

/** What one or several tests say of one value. */
export interface QualityResult {
  readonly flag: QualityFlag;
  /** Names of the tests that did not pass. */
  readonly failed: readonly QcTest[];
}

/** The result of one test that was judged, or could not be (flag 2). */
export function resultOf(test: QcTest, flag: QualityFlag): QualityResult {
  return { flag, failed: flag === 3 || flag === 4 ? [test] : [] };
}

/** The strongest statement first: fail, suspect, pass, not evaluated, missing (QARTOD; ioos_qc `qartod_compare`). */
const STRENGTH: readonly QualityFlag[] = [4, 3, 1, 2, 9];

/** Combines the flags of several tests of one value: the strongest statement wins. Not evaluated when there is none. */
export function combineFlags(flags: readonly QualityFlag[]): QualityFlag {
  return STRENGTH.find((flag) => flags.includes(flag)) ?? 2;
}

/** Combines the results of several tests of one value; each failed test is named once, in the order given. */
export function combineResults(results: readonly QualityResult[]): QualityResult {
  return {
    flag: combineFlags(results.map(({ flag }) => flag)),
    failed: [...new Set(results.flatMap(({ failed }) => failed))],
  };
}

/** Whether a value with this flag enters an aggregate: only one that passed. */
export function isUsable(flag: QualityFlag): boolean {
  return flag === 1;
}
