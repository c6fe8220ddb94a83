import type { UtcMillis } from '#libs/kernel';
import { resultOfNumber, type QualityResult } from './flags.js';
import type { Sample } from './sample.js';

/** A value with what is known of it. */
export interface JudgedSample extends Sample {
  readonly result: QualityResult;
}

/**
 * What is remembered of one parameter of one device. Plain data, so that a restart changes no flag; and a row of numbers
 * instead of an object of objects, because there is one for each series of a regency, made anew by every value and stored
 * with every batch. Results are written as numbers ({@link resultOfNumber}).
 *
 * `last` and `previous` are the two newest values that could be judged as a series, so that a repetition gets the same
 * answer. `neighbour` is the newest value before `last` that is no spike: what `last` and its successor are compared with.
 * `run` are the values that did not move: from when, between which values, and how many. `saturatedSince` is since when a
 * humidity sensor reports saturated air. What is not there yet is 0 throughout; `lastResult`, `previousResult` (also for
 * `neighbour`, which comes with it), `runSamples` and `isSaturated` tell.
 */
export type QcState = readonly [
  lastTs: UtcMillis,
  lastValue: number,
  lastResult: number,
  previousTs: UtcMillis,
  previousValue: number,
  previousResult: number,
  neighbourTs: UtcMillis,
  neighbourValue: number,
  runFrom: UtcMillis,
  runLow: number,
  runHigh: number,
  runSamples: number,
  isSaturated: number,
  saturatedSince: UtcMillis,
];

export const LAST_TS = 0;
export const LAST_VALUE = 1;
export const LAST_RESULT = 2;
export const PREVIOUS_TS = 3;
export const PREVIOUS_VALUE = 4;
export const PREVIOUS_RESULT = 5;
export const NEIGHBOUR_TS = 6;
export const NEIGHBOUR_VALUE = 7;
export const RUN_FROM = 8;
export const RUN_LOW = 9;
export const RUN_HIGH = 10;
export const RUN_SAMPLES = 11;
export const IS_SATURATED = 12;
export const SATURATED_SINCE = 13;

export const initialQcState: QcState = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/** The newest value that could be judged as a series; undefined before the first. */
export function lastOf(state: QcState): JudgedSample | undefined {
  const [ts, value, result] = state;
  return result === 0 ? undefined : { ts, value, result: resultOfNumber(result) };
}

/** The value of an instant, when it is one of the two newest that could be judged as a series. */
export function sampleAt(state: QcState, ts: UtcMillis): JudgedSample | undefined {
  const [lastTs, lastValue, last, previousTs, previousValue, previous] = state;
  if (last !== 0 && lastTs === ts) return { ts, value: lastValue, result: resultOfNumber(last) };
  if (previous === 0 || previousTs !== ts) return undefined;
  return { ts, value: previousValue, result: resultOfNumber(previous) };
}
