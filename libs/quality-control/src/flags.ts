import type { QualityFlag } from '#libs/telemetry';

/**
 * What the tests are called in a reading's `failed`. Names are stored and exchanged: never reused, never renamed. So are
 * their places ({@link numberOfResult}): a new test goes to the end.
 */
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
  'clock_ahead',
  'device',
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

/** The strongest statement lowest: fail, suspect, pass, not evaluated, missing (QARTOD; ioos_qc `qartod_compare`). */
const RANK: Readonly<Record<QualityFlag, number>> = { 4: 0, 3: 1, 1: 2, 2: 3, 9: 4 };

/** The stronger statement of two. */
function stronger(one: QualityFlag, other: QualityFlag): QualityFlag {
  return RANK[other] < RANK[one] ? other : one;
}

/** Combines the flags of several tests of one value: the strongest statement wins. Not evaluated when there is none. */
export function combineFlags(flags: readonly QualityFlag[]): QualityFlag {
  return flags.length === 0 ? 2 : flags.reduce((one, other) => stronger(one, other));
}

/** Combines the results of several tests of one value; each failed test is named once, in the order given. */
export function combineResults(results: readonly QualityResult[]): QualityResult {
  return results.length === 0 ? NOTHING_FAILED[2] : results.reduce((one, other) => combineTwo(one, other));
}

/** {@link combineResults} of two. While at most one of them failed, one of them is the answer, and nothing is made. */
export function combineTwo(one: QualityResult, other: QualityResult): QualityResult {
  const flag = stronger(one.flag, other.flag);
  if (other.failed.length === 0) return flag === one.flag ? one : other;
  if (one.failed.length === 0) return other;
  return { flag, failed: [...new Set([...one.failed, ...other.failed])] };
}

/** Room for every test, and for none, in a digit of the number that a result is written as. */
const DIGIT = 16;

/**
 * A result as a number, for memories that are kept by the thousand: the flag is the lowest digit to the base of 16, above
 * it stand the places of the failed tests in {@link QC_TESTS}, counted from 1, the last one highest. Never 0.
 */
export function numberOfResult({ flag, failed }: QualityResult): number {
  let places = 0;
  for (let i = failed.length - 1; i >= 0; i--)
    places = places * DIGIT + QC_TESTS.indexOf(failed[i] as QcTest) + 1;
  return places * DIGIT + flag;
}

/** The result that {@link numberOfResult} wrote. */
export function resultOfNumber(number: number): QualityResult {
  const failed: QcTest[] = [];
  for (let rest = Math.floor(number / DIGIT); rest > 0; rest = Math.floor(rest / DIGIT))
    failed.push(QC_TESTS[(rest % DIGIT) - 1] as QcTest);
  return { flag: (number % DIGIT) as QualityFlag, failed };
}

/**
 * Names of failed tests as a number for a store: a bit for the place of each in {@link QC_TESTS}. A name that is not known here,
 * of a later version, has none.
 */
export function maskOfTests(failed: readonly string[] = []): number {
  let mask = 0;
  for (const test of failed) {
    const place = QC_TESTS.indexOf(test as QcTest);
    if (place >= 0) mask |= 1 << place;
  }
  return mask;
}

/** The names that {@link maskOfTests} wrote, in the order of {@link QC_TESTS}. */
export function testsOfMask(mask: number): readonly QcTest[] {
  return QC_TESTS.filter((_test, place) => (mask & (1 << place)) !== 0);
}
