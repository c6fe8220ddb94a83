import type { QualityFlag } from '#libs/telemetry';

/** The strongest statement first: fail, suspect, pass, not evaluated, missing (QARTOD; ioos_qc `qartod_compare`). */
const STRENGTH: readonly QualityFlag[] = [4, 3, 1, 2, 9];

/** Combines the flags of several tests of one value: the strongest statement wins. Not evaluated when there is none. */
export function combineFlags(flags: readonly QualityFlag[]): QualityFlag {
  return STRENGTH.find((flag) => flags.includes(flag)) ?? 2;
}

/** Whether a value with this flag enters an aggregate: only one that passed. */
export function isUsable(flag: QualityFlag): boolean {
  return flag === 1;
}
