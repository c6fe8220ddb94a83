import type { Millis, UtcMillis } from '#libs/kernel';
import type { MeasuredParameter, Reading } from '#libs/telemetry';
import { crossParameter, humidityInfluence, type InstantValues } from './checks/cross-parameter.js';
import { combineResults, combineTwo, resultOf, type QualityResult } from './flags.js';
import type { QcLimitsTable } from './limits/limits.js';
import { initialQcState, type QcState } from './qc-state-form.js';
import { withoutInstant } from './replaced.js';
import { checkSeries, type SeriesStep } from './series.js';

/** What is remembered of a device: of each parameter that it reported. A `Map` will do. */
export interface QcStates {
  get(parameter: MeasuredParameter): QcState | undefined;
  set(parameter: MeasuredParameter, state: QcState): void;
}

/** A value in the unit of its parameter. */
export interface ParameterValue {
  readonly parameter: MeasuredParameter;
  readonly value: number;
  /** Why the device itself doubts the value. */
  readonly suspect?: string;
}

/** Earlier reading of which an instant shows that it was a spike, or that it was none, with its new flag. */
export interface Amendment {
  readonly ts: UtcMillis;
  readonly reading: Reading;
}

/** What the caller knows beside the values. */
export interface ObservationContext {
  /**
   * The device stated a time that cannot be true, and `ts` is another one: every value is suspect, and none takes part in
   * the series, whose order it would disturb.
   */
  readonly clockIsWrong?: boolean;
  /** What {@link clockCheck} says of a time that can be true. */
  readonly clock?: QualityResult;
  /** {@link SeriesContext.repeatsWithin} of every value. */
  readonly repeatsWithin?: Millis;
}

export interface JudgedObservation {
  /** The values of this instant with their flags, in the order given. */
  readonly readings: readonly Reading[];
  readonly amendments: readonly Amendment[];
}

/**
 * Judges all values of a device at one instant: each against its range and its own past, and against the others.
 *
 * @param states - are moved on
 */
export function judgeObservation(
  states: QcStates,
  ts: UtcMillis,
  values: readonly ParameterValue[],
  limits: QcLimitsTable,
  { clockIsWrong = false, clock = NO_RESULT, repeatsWithin = 0 }: ObservationContext = {},
): JudgedObservation {
  const instant = instantOf(values);
  let amendments = NOTHING_AMENDED;
  // Not pushed: an array that grows reserves four times the room, for as long as the batch lasts.
  const readings = new Array<Reading>(values.length);
  let at = 0;
  for (const { parameter, value, suspect } of values) {
    const beside = resultBeside(parameter, instant, limits, clockIsWrong ? WRONG_CLOCK : clock);
    const others = suspect === undefined ? beside : combineTwo(beside, DOUBTED);
    const before = states.get(parameter) ?? initialQcState;
    const { state, result, amended } = clockIsWrong
      ? besideSeries(before, ts, value, parameter, limits, others)
      : checkSeries(before, { ts, value }, parameter, limits, { others, repeatsWithin });
    if (state !== before) states.set(parameter, state);
    if (amended !== undefined) {
      const reading = readingOf(parameter, amended.value, amended.result);
      amendments = [...amendments, { ts: amended.ts, reading }];
    }
    const reading = readingOf(parameter, value, result);
    readings[at++] = suspect === undefined ? reading : { ...reading, doubt: suspect };
  }
  return { readings, amendments };
}

/** Judges a value that takes no part in its series; but what it replaces is no part of it any more either. */
function besideSeries(
  before: QcState,
  ts: UtcMillis,
  value: number,
  parameter: MeasuredParameter,
  limits: QcLimitsTable,
  others: QualityResult,
): Pick<SeriesStep, 'state' | 'result' | 'amended'> {
  const { result } = checkSeries(initialQcState, { ts, value }, parameter, limits, { others });
  const { state, restored } = withoutInstant(before, ts);
  return { state, result, ...(restored === undefined ? {} : { amended: restored }) };
}

const NOTHING_AMENDED: readonly Amendment[] = [];
const NO_RESULT = combineResults([]);
const WRONG_CLOCK = resultOf('clock', 3);
const DOUBTED = resultOf('device', 3);

/** The values that others are judged by; NaN is not there. */
function instantOf(values: readonly ParameterValue[]): InstantValues {
  let pm25 = NaN;
  let pm10 = NaN;
  let humidity = NaN;
  for (const { parameter, value } of values) {
    if (parameter === 'pm25') pm25 = value;
    else if (parameter === 'pm10') pm10 = value;
    else if (parameter === 'humidity') humidity = value;
  }
  return { pm25, pm10, humidity };
}

/** What the tests say of a value that do not look at its past. */
function resultBeside(
  parameter: MeasuredParameter,
  instant: InstantValues,
  limits: QcLimitsTable,
  clock: QualityResult,
): QualityResult {
  let result = humidityInfluence(parameter, instant, limits);
  if (parameter === 'pm25' || parameter === 'pm10')
    result = combineTwo(result, crossParameter(instant, limits));
  return clock === NO_RESULT ? result : combineTwo(result, clock);
}

function readingOf(parameter: MeasuredParameter, value: number, { flag, failed }: QualityResult): Reading {
  return failed.length === 0 ? { parameter, value, flag } : { parameter, value, flag, failed };
}
