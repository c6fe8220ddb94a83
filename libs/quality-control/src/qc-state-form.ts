import type { Row, UtcMillis } from '#libs/kernel';
import { resultOfNumber, type QualityResult } from './flags.js';
import type { TimedValue } from './sample.js';

/** A value with what is known of it. */
export interface JudgedSample extends TimedValue {
  readonly result: QualityResult;
}

/**
 * What is remembered of one parameter of one device. Plain data, so that a restart changes no flag; and a row of numbers
 * instead of an object of objects, because there is one for each series of a regency, made anew by every value and stored
 * with every batch.
 */
export type QcState = Row<'quality of a series'>;

/**
 * What stands in a {@link QcState}. Results are written as numbers ({@link resultOfNumber}).
 *
 * `last` and `previous` are the two newest values that could be judged as a series, so that a repetition gets the same
 * answer. `neighbour` is the newest value before `last` that is no spike: what `last` and its successor are compared with.
 * `run` are the values that did not move: from when, between which values, and how many. `saturatedSince` is since when a
 * humidity sensor reports saturated air. What is not there yet is 0 throughout; `lastResult`, `previousResult` (also for
 * `neighbour`, which comes with it), `runSamples` and `isSaturated` tell.
 */
type Places = readonly [
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

export interface QcFields {
  readonly lastTs: UtcMillis;
  readonly lastValue: number;
  readonly lastResult: number;
  readonly previousTs: UtcMillis;
  readonly previousValue: number;
  readonly previousResult: number;
  readonly neighbourTs: UtcMillis;
  readonly neighbourValue: number;
  readonly runFrom: UtcMillis;
  readonly runLow: number;
  readonly runHigh: number;
  readonly runSamples: number;
  readonly isSaturated: boolean;
  readonly saturatedSince: UtcMillis;
}

export function qcStateOf(fields: QcFields): QcState {
  const { lastTs, lastValue, lastResult, previousTs, previousValue, previousResult } = fields;
  const { neighbourTs, neighbourValue, runFrom, runLow, runHigh, runSamples } = fields;
  const { isSaturated, saturatedSince } = fields;
  // Written out: a spread costs more than the judgement.
  // prettier-ignore
  const places: Places = [
    lastTs, lastValue, lastResult, previousTs, previousValue, previousResult, neighbourTs, neighbourValue,
    runFrom, runLow, runHigh, runSamples, isSaturated ? 1 : 0, saturatedSince,
  ];
  return places as unknown as QcState;
}

export function fieldsOf(state: QcState): QcFields {
  const [lastTs, lastValue, lastResult, previousTs, previousValue, previousResult, ...later] =
    placesOf(state);
  const [neighbourTs, neighbourValue, runFrom, runLow, runHigh, runSamples, saturated, saturatedSince] =
    later;
  const last = { lastTs, lastValue, lastResult };
  const previous = { previousTs, previousValue, previousResult, neighbourTs, neighbourValue };
  const run = { runFrom, runLow, runHigh, runSamples };
  return { ...last, ...previous, ...run, isSaturated: saturated === 1, saturatedSince };
}

export const lastTsOf = (state: QcState): UtcMillis => placesOf(state)[0];
export const lastValueOf = (state: QcState): number => placesOf(state)[1];
export const lastResultOf = (state: QcState): number => placesOf(state)[2];
export const previousTsOf = (state: QcState): UtcMillis => placesOf(state)[3];
export const previousValueOf = (state: QcState): number => placesOf(state)[4];
export const previousResultOf = (state: QcState): number => placesOf(state)[5];
export const neighbourTsOf = (state: QcState): UtcMillis => placesOf(state)[6];
export const neighbourValueOf = (state: QcState): number => placesOf(state)[7];
export const runFromOf = (state: QcState): UtcMillis => placesOf(state)[8];
export const runLowOf = (state: QcState): number => placesOf(state)[9];
export const runHighOf = (state: QcState): number => placesOf(state)[10];
export const runSamplesOf = (state: QcState): number => placesOf(state)[11];
export const isSaturatedOf = (state: QcState): boolean => placesOf(state)[12] === 1;
export const saturatedSinceOf = (state: QcState): UtcMillis => placesOf(state)[13];

/** Whether a value was judged as a series already. */
export const hasLast = (state: QcState): boolean => lastResultOf(state) !== 0;
export const hasPrevious = (state: QcState): boolean => previousResultOf(state) !== 0;

const INITIAL: Places = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
export const initialQcState = INITIAL as unknown as QcState;
/** As many numbers as a state is stored in. */
export const NUMBERS_OF_STATE = INITIAL.length;

/** A state as the numbers that it is stored in. */
export function numbersOf(state: QcState): readonly number[] {
  return placesOf(state);
}

export function stateOfNumbers(numbers: readonly number[]): QcState {
  return numbers as unknown as QcState;
}

function placesOf(state: QcState): Places {
  return state as unknown as Places;
}

/** The newest value that could be judged as a series; undefined before the first. */
export function lastOf(state: QcState): JudgedSample | undefined {
  const [ts, value, result] = placesOf(state);
  return result === 0 ? undefined : { ts, value, result: resultOfNumber(result) };
}

/** The value of an instant, when it is one of the two newest that could be judged as a series. */
export function sampleAt(state: QcState, ts: UtcMillis): JudgedSample | undefined {
  const [lastTs, lastValue, last, previousTs, previousValue, previous] = placesOf(state);
  if (last !== 0 && lastTs === ts) return { ts, value: lastValue, result: resultOfNumber(last) };
  if (previous === 0 || previousTs !== ts) return undefined;
  return { ts, value: previousValue, result: resultOfNumber(previous) };
}
