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

/** Nothing failed: by far the commonest results, made once. */
const NOTHING_FAILED = {
  1: { flag: 1, failed: [] },
  2: { flag: 2, failed: [] },
  9: { flag: 9, failed: [] },
} as const satisfies Partial<Record<QualityFlag, QualityResult>>;

/** The result of one test that was judged, or could not be (flag 2). */
export function resultOf(test: QcTest, flag: QualityFlag): QualityResult {
  return flag === 3 || flag === 4 ? { flag, failed: [test] } : NOTHING_FAILED[flag];
}

/** The strongest statement first: fail, suspect, pass, not evaluated, missing (QARTOD; ioos_qc `qartod_compare`). */
const STRENGTH: readonly QualityFlag[] = [4, 3, 1, 2, 9];

/** Combines the flags of several tests of one value: the strongest statement wins. Not evaluated when there is none. */
export function combineFlags(flags: readonly QualityFlag[]): QualityFlag {
  return STRENGTH.find((flag) => flags.includes(flag)) ?? 2;
}

/** Combines the results of several tests of one value; each failed test is named once, in the order given. */
export function combineResults(results: readonly QualityResult[]): QualityResult {
  const flag = combineFlags(results.map((result) => result.flag));
  return flag === 3 || flag === 4
    ? { flag, failed: [...new Set(results.flatMap(({ failed }) => failed))] }
    : NOTHING_FAILED[flag];
}

/** Whether a value with this flag enters an aggregate: only one that passed. */
export function isUsable(flag: QualityFlag): boolean {
  return flag === 1;
}
