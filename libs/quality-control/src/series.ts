import type { Millis, UtcMillis } from '#libs/kernel';
import type { MeasuredParameter, QualityFlag } from '#libs/telemetry';
import {
  combineResults,
  combineTwo,
  numberOfResult,
  resultOf,
  resultOfNumber,
  type QcTest,
  type QualityResult,
} from './flags.js';
import { continuesRun, flatLineFlag } from './checks/flat-line.js';
import { rangeResult } from './checks/gross-range.js';
import { QC_LIMITS_V1, type QcLimits, type QcLimitsTable } from './limits/limits.js';
import {
  hasLast,
  hasPrevious,
  isSaturatedOf,
  lastOf,
  lastResultOf,
  lastTsOf,
  lastValueOf,
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
  type QcState,
} from './qc-state-form.js';
import { rateOfChangeFlag } from './checks/rate-of-change.js';
import { isLast, isPrevious, previousWasSpike, replacePrevious, withoutInstant } from './replaced.js';
import type { TimedValue } from './sample.js';
import { spikeFlag } from './checks/spike.js';

/** Tests that need the values before or after. */
export const SERIES_TESTS = [
  'spike',
  'rate_of_change',
  'flat_line',
  'saturation',
] as const satisfies readonly QcTest[];
export type SeriesTest = (typeof SERIES_TESTS)[number];

/** Which tests were not evaluated, by {@link notEvaluated}: made once, because every value asks. The spike test never is. */
const NOT_EVALUATED = Array.from({ length: 8 }, (_, bits) =>
  SERIES_TESTS.filter((_test, i) => i === 0 || (bits & (1 << (i - 1))) !== 0),
);

/** What the caller knows beside the series. */
export interface SeriesContext {
  /**
   * For how long after a measurement an equal value is that measurement, said again, and no new one. Default 0: each value
   * was measured anew.
   */
  readonly repeatsWithin?: Millis;
  /** What the other tests say of this value. It is combined in, and remembered in case the value is amended. */
  readonly others?: QualityResult;
}

export interface SeriesStep {
  readonly state: QcState;
  /** Of the value that was given, all tests combined. */
  readonly result: QualityResult;
  /**
   * The series tests that are off or could not be judged now. `spike` is always among them for a new value: it is judged
   * when the next value comes.
   */
  readonly notEvaluated: readonly SeriesTest[];
  /** The value before, when this one reveals that it was a spike, or that it was none: its flag is to be written again. */
  readonly amended?: JudgedSample;
}

/**
 * Judges one value of a series by its range and by the values around it, as a reducer over event time: the same values
 * in the same order give the same flags, however they were cut into batches.
 *
 * - A value that is not newer than the last one, or beyond what the instrument can measure, is judged by its range alone
 *   and changes nothing: late data must not move the series backwards, and a number from outside the instrument's range
 *   is no witness of the air. A repetition of one of the last two values gets the same answer as before.
 * - Another value of the instant of one of the last two replaces it, as it does in the store: what is amended later is then
 *   never a value that was replaced ({@link withoutInstant} says what cannot be told any more).
 * - The spike test judges the *previous* value, since it needs both neighbours: see `amended`. A spike takes no further
 *   part, so that the good value after it is neither a jump nor a spike.
 * - Measurements are judged, not messages: an equal value that {@link SeriesContext.repeatsWithin} takes for a repetition
 *   moves nothing. It is as flat and as saturated as the measurement that it repeats has become by then.
 * - After a silence longer than a test's limit that test starts anew.
 */
export function checkSeries(
  state: QcState,
  sample: TimedValue,
  parameter: MeasuredParameter,
  limits: QcLimitsTable = QC_LIMITS_V1,
  context: SeriesContext = {},
): SeriesStep {
  const known = knownResult(state, sample);
  if (known !== undefined) return { state, result: known, notEvaluated: [] };
  const own = limits[parameter];
  if (isPrevious(state, sample.ts)) return correctPrevious(state, sample, own, context);
  if (isRepetition(state, sample, context.repeatsWithin)) return judgeRepetition(state, sample, own, context);
  if (!isLast(state, sample.ts)) return judgeNext(state, sample, own, context);

  const { state: before, restored } = withoutInstant(state, sample.ts);
  const step = judgeNext(before, sample, own, context);
  const amended = step.amended ?? restored;
  return amended === undefined ? step : { ...step, amended };
}

/** Judges a value whose instant is not remembered. */
function judgeNext(
  state: QcState,
  sample: TimedValue,
  own: QcLimits,
  { others = NO_OTHERS }: SeriesContext,
): SeriesStep {
  const range = rangeResult(sample.value, own.range);
  const isFirst = !hasLast(state);
  const isNewer = Number.isFinite(sample.ts) && (isFirst || sample.ts > lastTsOf(state));
  if (!isNewer || range.flag === 4)
    return { state, result: combineTwo(range, others), notEvaluated: SERIES_TESTS };

  // A device may send -0. Stored as JSON it comes back as 0, and a restart must change nothing.
  const ts = sample.ts + 0;
  const value = sample.value + 0;
  const spike = judgeSpike(state, ts, value, own);
  const wasSpike = spike === 3 || spike === 4;
  // A good value is compared with the one before the spike, or the fault of one would be counted twice.
  const baseTs = wasSpike ? neighbourTsOf(state) : lastTsOf(state);
  const baseValue = wasSpike ? neighbourValueOf(state) : lastValueOf(state);

  const hasRun = own.flatLine !== null;
  const goesOn = runGoesOn(state, ts, value, own);
  const runFrom = goesOn ? runFromOf(state) : ts;
  const runSamples = goesOn ? runSamplesOf(state) + 1 : 1;
  const isSaturated = own.saturation !== null && value >= own.saturation.from;
  const saturatedSince = saturationGoesOn(state, ts, own) ? saturatedSinceOf(state) : ts;

  const rate = isFirst ? 2 : judgeRate(baseValue, value, ts - baseTs, own);
  const flat = isFirst ? 2 : judgeFlatLine(ts - runFrom, runSamples, value, own);
  const saturation = judgeSaturation(isSaturated, ts - saturatedSince, own);
  let result = combineTwo(range, resultOf('rate_of_change', rate));
  result = combineTwo(result, resultOf('flat_line', flat));
  result = combineTwo(result, resultOf('saturation', saturation));
  result = combineTwo(result, others);

  const amended = wasSpike ? amendedLast(state, spike) : undefined;
  const next = qcStateOf({
    lastTs: ts,
    lastValue: value,
    lastResult: numberOfResult(result),
    previousTs: lastTsOf(state),
    previousValue: lastValueOf(state),
    previousResult: amended === undefined ? lastResultOf(state) : numberOfResult(amended.result),
    neighbourTs: baseTs,
    neighbourValue: baseValue,
    runFrom: hasRun ? runFrom : 0,
    runLow: hasRun ? (goesOn ? Math.min(runLowOf(state), value) : value) : 0,
    runHigh: hasRun ? (goesOn ? Math.max(runHighOf(state), value) : value) : 0,
    runSamples: hasRun ? runSamples : 0,
    isSaturated,
    saturatedSince: isSaturated ? saturatedSince : 0,
  });
  const notEvaluated = notEvaluatedOf(rate, flat, saturation);
  return amended === undefined
    ? { state: next, result, notEvaluated }
    : { state: next, result, notEvaluated, amended };
}

const NO_OTHERS = combineResults([]);

/**
 * Judges another value for the instant before the last. Its successor is known, and the value before it only where the
 * replaced one was a spike; then it is judged as one too.
 */
function correctPrevious(
  state: QcState,
  { ts, value }: TimedValue,
  own: QcLimits,
  { others = NO_OTHERS }: SeriesContext,
): SeriesStep {
  const range = rangeResult(value, own.range);
  if (range.flag === 4) {
    const { state: next } = withoutInstant(state, ts);
    return { state: next, result: combineTwo(range, others), notEvaluated: SERIES_TESTS };
  }
  const sample = { ts, value: value + 0 };
  const spike = previousWasSpike(state)
    ? judgeSpikeBetween(state, sample.value, lastTsOf(state), lastValueOf(state), own)
    : 2;
  const result = combineTwo(combineTwo(range, resultOf('spike', spike)), others);
  return { state: replacePrevious(state, sample, result), result, notEvaluated: SERIES_TESTS };
}

function isRepetition(state: QcState, { ts, value }: TimedValue, within = 0): boolean {
  const elapsed = ts - lastTsOf(state);
  return hasLast(state) && value === lastValueOf(state) && elapsed > 0 && elapsed < within;
}

/** Judges what was said again since it was measured. */
function judgeRepetition(
  state: QcState,
  { ts, value }: TimedValue,
  own: QcLimits,
  { others = NO_OTHERS }: SeriesContext,
): SeriesStep {
  const flat = judgeFlatLine(ts - runFromOf(state), runSamplesOf(state), value, own);
  const isSaturated = isSaturatedOf(state);
  const saturation = judgeSaturation(isSaturated, ts - saturatedSinceOf(state), own);
  let result = combineTwo(rangeResult(value, own.range), resultOf('flat_line', flat));
  result = combineTwo(result, resultOf('saturation', saturation));
  return { state, result: combineTwo(result, others), notEvaluated: notEvaluatedOf(2, flat, saturation) };
}

/** What was said of this value before, when it comes again. */
function knownResult(state: QcState, { ts, value }: TimedValue): QualityResult | undefined {
  if (hasLast(state) && lastTsOf(state) === ts && lastValueOf(state) === value)
    return resultOfNumber(lastResultOf(state));
  if (hasPrevious(state) && previousTsOf(state) === ts && previousValueOf(state) === value)
    return resultOfNumber(previousResultOf(state));
  return undefined;
}

function notEvaluatedOf(
  rate: QualityFlag,
  flat: QualityFlag,
  saturation: QualityFlag,
): readonly SeriesTest[] {
  const bits = (rate === 2 ? 1 : 0) | (flat === 2 ? 2 : 0) | (saturation === 2 ? 4 : 0);
  return NOT_EVALUATED[bits] ?? SERIES_TESTS;
}

/** The spike flag of the last value, now that the next one is known. */
function judgeSpike(state: QcState, nextTs: UtcMillis, nextValue: number, limits: QcLimits): QualityFlag {
  // The neighbour comes with the previous value.
  if (!hasPrevious(state)) return 2;
  return judgeSpikeBetween(state, lastValueOf(state), nextTs, nextValue, limits);
}

/** The spike flag of a value between the neighbour and the next one. */
function judgeSpikeBetween(
  state: QcState,
  value: number,
  nextTs: UtcMillis,
  nextValue: number,
  { spike }: QcLimits,
): QualityFlag {
  if (spike === null || nextTs - neighbourTsOf(state) > spike.maxSpan) return 2;
  return spikeFlag(neighbourValueOf(state), value, nextValue, spike);
}

/** The last value, once it is known to be a spike. */
function amendedLast(state: QcState, spike: QualityFlag): JudgedSample | undefined {
  const last = lastOf(state);
  return last && { ...last, result: combineTwo(last.result, resultOf('spike', spike)) };
}

function judgeRate(base: number, value: number, elapsed: Millis, { rateOfChange }: QcLimits): QualityFlag {
  if (rateOfChange === null || elapsed > rateOfChange.maxGap) return 2;
  return rateOfChangeFlag(base, value, elapsed, rateOfChange);
}

function judgeFlatLine(
  lasted: Millis,
  samples: number,
  value: number,
  { flatLine, saturation }: QcLimits,
): QualityFlag {
  if (flatLine === null) return 2;
  // Saturated air is flat by nature; the saturation test has its own patience.
  if (saturation !== null && value >= saturation.from) return 2;
  return flatLineFlag(lasted, samples, flatLine);
}

function judgeSaturation(isSaturated: boolean, lasted: Millis, { saturation }: QcLimits): QualityFlag {
  if (saturation === null) return 2;
  return isSaturated && lasted >= saturation.suspectAfter ? 3 : 1;
}

/** Whether the value continues the run of those before it. */
function runGoesOn(state: QcState, ts: UtcMillis, value: number, { flatLine }: QcLimits): boolean {
  return (
    flatLine !== null &&
    runSamplesOf(state) > 0 &&
    continuesRun(runLowOf(state), runHighOf(state), ts - lastTsOf(state), value, flatLine)
  );
}

/** Whether air that is saturated now has been so since before. */
function saturationGoesOn(state: QcState, ts: UtcMillis, { saturation }: QcLimits): boolean {
  return saturation !== null && isSaturatedOf(state) && ts - lastTsOf(state) <= saturation.maxGap;
}
