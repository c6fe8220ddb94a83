import type { UtcMillis } from '#libs/kernel';
import type { MeasuredParameter, Reading } from '#libs/telemetry';
import { crossParameter, humidityInfluence, type InstantValues } from './cross-parameter.js';
import { resultOf, type QualityResult } from './flags.js';
import type { QcLimitsTable } from './limits.js';
import { checkSeries, initialQcState, type QcState } from './series.js';

/** What is remembered of a device: of each parameter that it reported. */
export type DeviceQcState = Readonly<Partial<Record<MeasuredParameter, QcState>>>;

export interface JudgedObservation {
  readonly state: DeviceQcState;
  /** The values of this instant with their flags, in the order given. */
  readonly readings: readonly Reading[];
  /** Earlier readings of which this instant shows that they were spikes, with their new flags. */
  readonly amendments: readonly { readonly ts: UtcMillis; readonly reading: Reading }[];
}

/**
 * Judges all values of a device at one instant: each against its range and its own past, and against the others.
 *
 * @param clockIsWrong - the device stated a time that cannot be true, and `ts` is another one: every value is suspect, and
 *   none takes part in the series, whose order it would disturb
 */
export function judgeObservation(
  state: DeviceQcState,
  ts: UtcMillis,
  values: readonly (readonly [MeasuredParameter, number])[],
  limits: QcLimitsTable,
  clockIsWrong = false,
): JudgedObservation {
  const instant: InstantValues = Object.fromEntries(values);
  const particulate = crossParameter(instant, limits);
  const next: Partial<Record<MeasuredParameter, QcState>> = { ...state };
  const readings: Reading[] = [];
  const amendments: { ts: UtcMillis; reading: Reading }[] = [];
  for (const [parameter, value] of values) {
    const others: QualityResult[] = [humidityInfluence(parameter, instant, limits)];
    if (parameter === 'pm25' || parameter === 'pm10') others.push(particulate[parameter]);
    if (clockIsWrong) others.push(resultOf('clock', 3));
    const before = clockIsWrong ? initialQcState : (next[parameter] ?? initialQcState);
    const step = checkSeries(before, { ts, value }, parameter, limits, { others });
    if (!clockIsWrong) next[parameter] = step.state;
    readings.push(readingOf(parameter, value, step.result));
    const { amended } = step;
    if (amended !== undefined)
      amendments.push({ ts: amended.ts, reading: readingOf(parameter, amended.value, amended.result) });
  }
  return { state: next, readings, amendments };
}

function readingOf(parameter: MeasuredParameter, value: number, { flag, failed }: QualityResult): Reading {
  return { parameter, value, flag, ...(failed.length === 0 ? {} : { failed }) };
}
