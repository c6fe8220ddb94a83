import type { Millis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { QC_LIMITS_V1 } from './limits/limits.js';
import { initialQcState } from './qc-state-form.js';
import type { TimedValue } from './sample.js';
import { checkSeries, type SeriesContext, type SeriesStep } from './series.js';

export const T0 = Date.parse('2026-08-01T00:00:00Z');

/** Values one interval apart. */
export function every(interval: Millis, values: readonly number[]): TimedValue[] {
  return values.map((value, i) => ({ ts: T0 + i * interval, value }));
}

export function steps(
  samples: readonly TimedValue[],
  parameter: MeasuredParameter,
  context?: SeriesContext,
): SeriesStep[] {
  let state = initialQcState;
  return samples.map((sample) => {
    const step = checkSeries(state, sample, parameter, QC_LIMITS_V1, context);
    state = step.state;
    return step;
  });
}

/** What a store holds in the end: by instant the flag and the failed tests, amended where a later value said so. */
export function stored(
  samples: readonly TimedValue[],
  parameter: MeasuredParameter,
  context?: SeriesContext,
): string[] {
  const flags = new Map<number, string>();
  steps(samples, parameter, context).forEach(({ result, amended }, i) => {
    flags.set(samples[i]!.ts, [result.flag, ...result.failed].join(' '));
    if (amended) flags.set(amended.ts, [amended.result.flag, ...amended.result.failed].join(' '));
  });
  return [...flags.values()];
}
