import { combineTwo, numberOfResult, resultOf, resultOfNumber, type QualityResult } from './flags.js';
import {
  initialQcState,
  IS_SATURATED,
  LAST_RESULT,
  LAST_TS,
  LAST_VALUE,
  NEIGHBOUR_TS,
  NEIGHBOUR_VALUE,
  PREVIOUS_RESULT,
  PREVIOUS_TS,
  PREVIOUS_VALUE,
  RUN_FROM,
  RUN_HIGH,
  RUN_LOW,
  RUN_SAMPLES,
  SATURATED_SINCE,
  type JudgedSample,
  type QcState,
} from './qc-state-form.js';
import type { Sample } from './sample.js';

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
  if (isPrevious(state, ts)) return { state: withPrevious(state, 0, 0, 0, 0, 0) };
  return isLast(state, ts) ? withoutLast(state) : { state };
}

export function isLast(state: QcState, ts: number): boolean {
  return state[LAST_RESULT] !== 0 && state[LAST_TS] === ts;
}

export function isPrevious(state: QcState, ts: number): boolean {
  return state[PREVIOUS_RESULT] !== 0 && state[PREVIOUS_TS] === ts;
}

/** Whether the value before the last is known to be a spike. */
export function previousWasSpike(state: QcState): boolean {
  return state[PREVIOUS_RESULT] !== 0 && resultOfNumber(state[PREVIOUS_RESULT]).failed.includes('spike');
}

/** The state with another value in the place of the one before the last. A spike is nobody's neighbour. */
export function replacePrevious(state: QcState, { ts, value }: Sample, result: QualityResult): QcState {
  const isSpike = result.failed.includes('spike');
  return withPrevious(
    state,
    ts,
    value,
    numberOfResult(result),
    isSpike ? state[NEIGHBOUR_TS] : ts,
    isSpike ? state[NEIGHBOUR_VALUE] : value,
  );
}

function withPrevious(
  state: QcState,
  ts: number,
  value: number,
  result: number,
  neighbourTs: number,
  neighbourValue: number,
): QcState {
  return [
    ...[state[LAST_TS], state[LAST_VALUE], state[LAST_RESULT]],
    ...[ts, value, result, neighbourTs, neighbourValue],
    ...[state[RUN_FROM], state[RUN_LOW], state[RUN_HIGH], state[RUN_SAMPLES]],
    ...[state[IS_SATURATED], state[SATURATED_SINCE]],
  ] as unknown as QcState;
}

function withoutLast(state: QcState): WithoutInstant {
  if (state[PREVIOUS_RESULT] === 0) return { state: initialQcState };
  const wasSpike = previousWasSpike(state);
  const judged = resultOfNumber(state[PREVIOUS_RESULT]);
  const result = wasSpike ? withoutSpike(judged) : judged;
  const ts = state[PREVIOUS_TS];
  const value = state[PREVIOUS_VALUE];
  const hasRun = state[RUN_SAMPLES] > 0;
  const goesOn = hasRun && state[RUN_FROM] < state[LAST_TS];
  const wasSaturated = state[IS_SATURATED] === 1 && state[SATURATED_SINCE] < state[LAST_TS];
  const before: QcState = [
    ts,
    value,
    numberOfResult(result),
    // The value before it is remembered only where it is the neighbour of a spike.
    wasSpike ? state[NEIGHBOUR_TS] : 0,
    wasSpike ? state[NEIGHBOUR_VALUE] : 0,
    wasSpike ? PASSED : 0,
    wasSpike ? state[NEIGHBOUR_TS] : 0,
    wasSpike ? state[NEIGHBOUR_VALUE] : 0,
    hasRun ? (goesOn ? state[RUN_FROM] : ts) : 0,
    hasRun ? (goesOn ? state[RUN_LOW] : value) : 0,
    hasRun ? (goesOn ? state[RUN_HIGH] : value) : 0,
    hasRun ? (goesOn ? state[RUN_SAMPLES] - 1 : 1) : 0,
    wasSaturated ? 1 : 0,
    wasSaturated ? state[SATURATED_SINCE] : 0,
  ];
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
