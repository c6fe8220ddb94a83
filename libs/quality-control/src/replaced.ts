import { combineTwo, numberOfResult, resultOf, resultOfNumber, type QualityResult } from './flags.js';
import {
  fieldsOf,
  hasLast,
  hasPrevious,
  initialQcState,
  isSaturatedOf,
  lastTsOf,
  neighbourTsOf,
  neighbourValueOf,
  previousResultOf,
  previousTsOf,
  previousValueOf,
  qcStateOf,
  runFromOf,
  runHighOf,
  runLowOf,
  runSamplesOf,
  saturatedSinceOf,
  type JudgedSample,
  type QcFields,
  type QcState,
} from './qc-state-form.js';
import type { TimedValue } from './sample.js';

/** What is remembered once an instant is forgotten. */
export interface WithoutInstant {
  readonly state: QcState;
  /** The value before, when only the forgotten one had shown it to be a spike: it is none any more. */
  readonly restored?: JudgedSample;
}

/**
 * The state as if the value of this instant had never come. A value that is replaced in the store must be forgotten:
 * whatever is amended later is what is remembered, and would overwrite the newer value.
 *
 * The state holds no more than it needs, so two things stay lost: whether the value before is a spike in the light of
 * another successor, unless it was one already; and a run, or saturated air, that the forgotten value had ended.
 */
export function withoutInstant(state: QcState, ts: number): WithoutInstant {
  if (isPrevious(state, ts)) return { state: withPrevious(state, NO_PREVIOUS) };
  return isLast(state, ts) ? withoutLast(state) : { state };
}

export function isLast(state: QcState, ts: number): boolean {
  return hasLast(state) && lastTsOf(state) === ts;
}

export function isPrevious(state: QcState, ts: number): boolean {
  return hasPrevious(state) && previousTsOf(state) === ts;
}

/** Whether the value before the last is known to be a spike. */
export function previousWasSpike(state: QcState): boolean {
  return hasPrevious(state) && resultOfNumber(previousResultOf(state)).failed.includes('spike');
}

/** The state with another value in the place of the one before the last. A spike is nobody's neighbour. */
export function replacePrevious(state: QcState, { ts, value }: TimedValue, result: QualityResult): QcState {
  const isSpike = result.failed.includes('spike');
  return withPrevious(state, {
    previousTs: ts,
    previousValue: value,
    previousResult: numberOfResult(result),
    neighbourTs: isSpike ? neighbourTsOf(state) : ts,
    neighbourValue: isSpike ? neighbourValueOf(state) : value,
  });
}

type Previous = Pick<
  QcFields,
  'previousTs' | 'previousValue' | 'previousResult' | 'neighbourTs' | 'neighbourValue'
>;

const NO_PREVIOUS: Previous = {
  previousTs: 0,
  previousValue: 0,
  previousResult: 0,
  neighbourTs: 0,
  neighbourValue: 0,
};

function withPrevious(state: QcState, previous: Previous): QcState {
  return qcStateOf({ ...fieldsOf(state), ...previous });
}

function withoutLast(state: QcState): WithoutInstant {
  if (!hasPrevious(state)) return { state: initialQcState };
  const wasSpike = previousWasSpike(state);
  const judged = resultOfNumber(previousResultOf(state));
  const result = wasSpike ? withoutSpike(judged) : judged;
  const ts = previousTsOf(state);
  const value = previousValueOf(state);
  const hasRun = runSamplesOf(state) > 0;
  const goesOn = hasRun && runFromOf(state) < lastTsOf(state);
  const wasSaturated = isSaturatedOf(state) && saturatedSinceOf(state) < lastTsOf(state);
  const before = qcStateOf({
    lastTs: ts,
    lastValue: value,
    lastResult: numberOfResult(result),
    // The value before it is remembered only where it is the neighbour of a spike.
    previousTs: wasSpike ? neighbourTsOf(state) : 0,
    previousValue: wasSpike ? neighbourValueOf(state) : 0,
    previousResult: wasSpike ? PASSED : 0,
    neighbourTs: wasSpike ? neighbourTsOf(state) : 0,
    neighbourValue: wasSpike ? neighbourValueOf(state) : 0,
    runFrom: hasRun ? (goesOn ? runFromOf(state) : ts) : 0,
    runLow: hasRun ? (goesOn ? runLowOf(state) : value) : 0,
    runHigh: hasRun ? (goesOn ? runHighOf(state) : value) : 0,
    runSamples: hasRun ? (goesOn ? runSamplesOf(state) - 1 : 1) : 0,
    isSaturated: wasSaturated,
    saturatedSince: wasSaturated ? saturatedSinceOf(state) : 0,
  });
  return wasSpike ? { state: before, restored: { ts, value, result } } : { state: before };
}

const PASSED = numberOfResult(resultOf('spike', 1));

/** What the other tests had said. Of those that judge a series only a flat line fails a value by itself. */
function withoutSpike({ flag, failed }: QualityResult): QualityResult {
  return failed
    .filter((test) => test !== 'spike')
    .map((test) => resultOf(test, test === 'flat_line' && flag === 4 ? 4 : 3))
    .reduce(combineTwo, resultOf('spike', 1));
}
