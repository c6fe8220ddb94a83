import type { UtcMillis } from '#libs/kernel';
import type { MeasuredParameter, QualityFlag } from '#libs/telemetry';
import { combineResults, resultOf, type QcTest, type QualityResult } from './flags.js';
import { extendRun, flatLineFlag, type FlatRun } from './flat-line.js';
import { rangeResult } from './gross-range.js';
import { QC_LIMITS_V1, type QcLimits, type QcLimitsTable } from './limits.js';
import { rateOfChangeFlag } from './rate-of-change.js';
import type { Sample } from './sample.js';
import { spikeFlag } from './spike.js';

/** A value with what is known of it. */
export interface JudgedSample extends Sample {
  readonly result: QualityResult;
}

/** What is remembered of one parameter of one device. Plain data, so that a restart changes no flag. */
export interface QcState {
  /** The two newest values that could be judged as a series, so that a repetition gets the same answer. */
  readonly last: JudgedSample | null;
  readonly previous: JudgedSample | null;
  /** The newest value before `last` that is no spike: what `last` and its successor are compared with. */
  readonly neighbour: Sample | null;
  readonly run: FlatRun | null;
  /** Since when a humidity sensor reports saturated air. */
  readonly saturatedSince: UtcMillis | null;
}

export const initialQcState: QcState = {
  last: null,
  previous: null,
  neighbour: null,
  run: null,
  saturatedSince: null,
};

/** Tests that need the values before or after. */
export const SERIES_TESTS = [
  'spike',
  'rate_of_change',
  'flat_line',
  'saturation',
] as const satisfies readonly QcTest[];
export type SeriesTest = (typeof SERIES_TESTS)[number];

/** What the caller knows beside the series. */
export interface SeriesContext {
  /**
   * Other devices nearby report bad air too ({@link neighboursHigh}). What only smoke explains is then no fault: a fast
   * rise passes, and a spike or a counter pinned at its ceiling is suspect instead of failed.
   */
  readonly neighboursHigh?: boolean;
  /** Results of the other tests of this value. They are combined in, and remembered in case the value is amended. */
  readonly others?: readonly QualityResult[];
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
  /** The value before, when this one reveals that it was a spike: its flag is to be written again. */
  readonly amended?: JudgedSample;
}

/**
 * Judges one value of a series by its range and by the values around it, as a reducer over event time: the same values
 * in the same order give the same flags, however they were cut into batches.
 *
 * - A value that is not newer than the last one, or beyond what the instrument can measure, is judged by its range alone
 *   and changes nothing: late data must not move the series backwards, and a number from outside the instrument's range
 *   is no witness of the air. A repetition of one of the last two values gets the same answer as before.
 * - The spike test judges the *previous* value, since it needs both neighbours: see `amended`. A spike takes no further
 *   part, so that the good value after it is neither a jump nor a spike.
 * - After a silence longer than a test's limit that test starts anew.
 */
export function checkSeries(
  state: QcState,
  { ts, value }: Sample,
  parameter: MeasuredParameter,
  limits: QcLimitsTable = QC_LIMITS_V1,
  { neighboursHigh = false, others = [] }: SeriesContext = {},
): SeriesStep {
  const own = limits[parameter];
  const known = [state.last, state.previous].find((judged) => judged?.ts === ts && judged.value === value);
  if (known) return { state, result: known.result, notEvaluated: [] };

  const range = rangeResult(value, own.range);
  const isNewer = Number.isFinite(ts) && (state.last === null || ts > state.last.ts);
  if (!isNewer || range.flag === 4)
    return { state, result: combineResults([range, ...others]), notEvaluated: SERIES_TESTS };

  // A device may send -0. Stored as JSON it comes back as 0, and a restart must change nothing.
  const sample: Sample = { ts: ts + 0, value: value + 0 };
  const spike = judgeSpike(state, sample, own, neighboursHigh);
  const wasSpike = spike === 3 || spike === 4;
  // A good value is compared with the one before the spike, or the fault of one would be counted twice.
  const base = wasSpike ? state.neighbour : state.last;
  const { run, saturatedSince } = extend(state, sample, own);
  const flags = {
    spike: 2,
    rate_of_change: judgeRate(base, sample, own, neighboursHigh),
    flat_line: state.last === null ? 2 : judgeFlatLine(run, sample, own, neighboursHigh),
    saturation: judgeSaturation(saturatedSince, sample, own),
  } satisfies Record<SeriesTest, QualityFlag>;
  const result = combineResults([
    range,
    ...SERIES_TESTS.map((test) => resultOf(test, flags[test])),
    ...others,
  ]);
  const amended =
    state.last !== null && wasSpike
      ? { ...state.last, result: combineResults([state.last.result, resultOf('spike', spike)]) }
      : undefined;
  return {
    state: {
      last: { ...sample, result },
      previous: amended ?? state.last,
      neighbour: base && { ts: base.ts, value: base.value },
      run,
      saturatedSince,
    },
    result,
    notEvaluated: SERIES_TESTS.filter((test) => flags[test] === 2),
    ...(amended && { amended }),
  };
}

/** The spike flag of the last value, now that the next one is known. */
function judgeSpike(
  { neighbour, last }: QcState,
  next: Sample,
  { spike }: QcLimits,
  neighboursHigh: boolean,
): QualityFlag {
  if (neighbour === null || last === null || spike === null || next.ts - neighbour.ts > spike.maxSpan)
    return 2;
  const flag = spikeFlag(neighbour.value, last.value, next.value, spike);
  return flag === 4 && neighboursHigh && last.value > next.value ? 3 : flag;
}

function judgeRate(
  base: Sample | null,
  sample: Sample,
  { rateOfChange }: QcLimits,
  neighboursHigh: boolean,
): QualityFlag {
  if (base === null || rateOfChange === null || sample.ts - base.ts > rateOfChange.maxGap) return 2;
  if (neighboursHigh && sample.value > base.value) return 1;
  return rateOfChangeFlag(base, sample, rateOfChange);
}

function judgeFlatLine(
  run: FlatRun | null,
  { ts, value }: Sample,
  { flatLine, saturation, range }: QcLimits,
  neighboursHigh: boolean,
): QualityFlag {
  if (run === null || flatLine === null) return 2;
  // Saturated air is flat by nature; the saturation test has its own patience.
  if (saturation !== null && value >= saturation.from) return 2;
  const flag = flatLineFlag(run, ts, flatLine);
  // Only a value at the top is pinned by smoke. One that stands still at 12 amid smoke is stuck.
  const isPinned = neighboursHigh && value >= range.suspect[1];
  return flag === 4 && isPinned ? 3 : flag;
}

function judgeSaturation(since: UtcMillis | null, { ts }: Sample, { saturation }: QcLimits): QualityFlag {
  if (saturation === null) return 2;
  return since !== null && ts - since >= saturation.suspectAfter ? 3 : 1;
}

/** What lasts: the run of equal values, and the time of saturation. */
function extend(
  { last, run, saturatedSince }: QcState,
  sample: Sample,
  { flatLine, saturation }: QcLimits,
): Pick<QcState, 'run' | 'saturatedSince'> {
  const { ts, value } = sample;
  const lastTs = last?.ts ?? ts;
  const isSaturated = saturation !== null && value >= saturation.from;
  const goesOn = saturation !== null && saturatedSince !== null && ts - lastTs <= saturation.maxGap;
  return {
    run: flatLine === null ? null : extendRun(run, lastTs, sample, flatLine),
    saturatedSince: isSaturated ? (goesOn ? saturatedSince : ts) : null,
  };
}
