import { HOUR, MINUTE, type Millis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { GROSS_RANGE_V1, type RangeLimits } from '../checks/gross-range.js';

/** Spike test: how far a value may stand out from both of its neighbours. */
export interface SpikeLimits {
  /** Beyond the nearer neighbour by more than this, in the unit of the parameter. */
  readonly suspect: number;
  readonly fail: number;
  /** Not evaluated when the two neighbours are further apart: the distances hold for values about a minute apart. */
  readonly maxSpan: Millis;
}

/** Rate of change test. Suspect only: a rate proves no fault. */
export interface RateLimits {
  /** Largest change in a minute, in the unit of the parameter. */
  readonly perMinute: number;
  /** Not evaluated across a longer silence. */
  readonly maxGap: Millis;
}

/** Flat line test: for how long values may stay the same. */
export interface FlatLineLimits {
  /** Values are the same while the highest and the lowest of them differ by less than this. */
  readonly tolerance: number;
  readonly suspectAfter: Millis;
  readonly failAfter: Millis;
  /** And not before so many equal values: a few equal hours are an accident of rounding, not a flat line. */
  readonly suspectSamples: number;
  readonly failSamples: number;
  /** A longer silence starts the time anew: nobody knows what the sensor would have said. */
  readonly maxGap: Millis;
}

/** Saturation test of a humidity sensor: for how long it may report saturated air. Suspect only. */
export interface SaturationLimits {
  /** Saturated at this value and above, %. */
  readonly from: number;
  readonly suspectAfter: Millis;
  readonly maxGap: Millis;
}

/** Humidity test of an optical particle counter. */
export interface HumidityLimits {
  /** Suspect when the relative humidity beside it is this much or more, %. */
  readonly suspectFrom: number;
}

/** Cross-parameter test of PM2.5 against PM10. */
export interface CrossParameterLimits {
  /** By which share PM2.5 may exceed PM10. */
  readonly tolerance: number;
}

/** Comparison with other devices of the same parameter. */
export interface NeighbourLimits {
  /** How far away another device still says something about this one, km. */
  readonly radiusKm: number;
  /** Not evaluated with fewer. */
  readonly minNeighbours: number;
  /** Disagreement begins this far from the median of the neighbours, in the unit of the parameter … */
  readonly distance: number;
  /** … and when the value is this many times the median, or a fraction of it; null where ratios mean nothing (°C, %). */
  readonly factor: number | null;
}

/** The limits of one parameter. A test that is null is off. */
export interface QcLimits {
  readonly range: RangeLimits;
  readonly spike: SpikeLimits | null;
  readonly rateOfChange: RateLimits | null;
  readonly flatLine: FlatLineLimits | null;
  readonly saturation: SaturationLimits | null;
  readonly humidity: HumidityLimits | null;
  readonly crossParameter: CrossParameterLimits | null;
  readonly neighbours: NeighbourLimits | null;
}
export type QcLimitsTable = Readonly<Record<MeasuredParameter, QcLimits>>;

/** Which differences between device time and arrival are worth a word. */
export interface ClockLimits {
  /** A clock that is ahead by more is suspect. */
  readonly maxAhead: Millis;
  /** What arrives later than this counts as late, which is no fault. */
  readonly lateAfter: Millis;
}

/** Raised whenever a number below or the meaning of a test changes; printed with what rests on the flags. */
export const QC_LIMITS_VERSION = 2;

/** Longest span in which limits made for values a minute apart are still applied. */
const NEAR = 10 * MINUTE;
/** A missing hour of an hourly station does not end a flat line; more does. */
const SILENCE = 2 * HOUR;

/** Limits that follow one pattern for every parameter. */
function limits(
  parameter: MeasuredParameter,
  {
    spike: [suspect, fail],
    flat: [suspectAfter, failAfter],
    tolerance,
    neighbours,
    ...others
  }: {
    readonly spike: readonly [suspect: number, fail: number];
    readonly flat: readonly [suspectAfter: Millis, failAfter: Millis];
    readonly tolerance: number;
    readonly neighbours: Pick<NeighbourLimits, 'distance' | 'factor'>;
  } & Partial<Pick<QcLimits, 'crossParameter' | 'saturation'>>,
): QcLimits {
  return {
    range: GROSS_RANGE_V1[parameter],
    spike: { suspect, fail, maxSpan: NEAR },
    // Between two minutes nothing may change by more than what would make a single value fail as a spike.
    rateOfChange: { perMinute: fail, maxGap: NEAR },
    // Nothing at a value a minute. At an hour half a day and a day: hourly means are rounded, and four years of four real
    // stations repeat one for five hours (the 3 and 5 values of QARTOD's example) far too often to mean a fault.
    flatLine: { tolerance, suspectAfter, failAfter, suspectSamples: 12, failSamples: 24, maxGap: SILENCE },
    saturation: null,
    // Off: near-saturated air is every night's weather here, and half of the data would be suspect.
    humidity: null,
    crossParameter: null,
    neighbours: { radiusKm: 25, minNeighbours: 3, ...neighbours },
    ...others,
  };
}

/** A sensor that works never repeats itself for so long. */
const STUCK = [30 * MINUTE, 3 * HOUR] as const;
const GAS = {
  spike: [100, 300],
  flat: STUCK,
  tolerance: 0.05,
  neighbours: { distance: 100, factor: 3 },
} as const;

/**
 * Limits to start from, made for sensors that report every minute. Project choices, none from a standard: tune them by
 * model and site with {@link qcLimitsSchema}. `docs/quality-control.md` gives the reasons.
 *
 * Tolerances lie below the resolution of the sensors in use, so that only values that do not move at all are flat.
 */
export const QC_LIMITS_V1: QcLimitsTable = {
  pm25: limits('pm25', {
    spike: [50, 150],
    flat: STUCK,
    tolerance: 0.05,
    neighbours: { distance: 50, factor: 3 },
    crossParameter: { tolerance: 0.1 },
  }),
  pm10: limits('pm10', {
    spike: [100, 300],
    flat: STUCK,
    tolerance: 0.05,
    neighbours: { distance: 100, factor: 3 },
  }),
  co: limits('co', {
    spike: [5_000, 15_000],
    flat: STUCK,
    tolerance: 0.5,
    neighbours: { distance: 5_000, factor: 3 },
  }),
  no2: limits('no2', GAS),
  o3: limits('o3', GAS),
  so2: limits('so2', GAS),
  hc: limits('hc', GAS),
  temperature: limits('temperature', {
    spike: [3, 6],
    flat: [2 * HOUR, 6 * HOUR],
    tolerance: 0.05,
    neighbours: { distance: 6, factor: null },
  }),
  humidity: limits('humidity', {
    spike: [15, 30],
    flat: [3 * HOUR, 12 * HOUR],
    tolerance: 0.05,
    neighbours: { distance: 30, factor: null },
    // Longer than a night near the equator, in which air is saturated for hours: only a sensor stays wet by day.
    saturation: { from: 99, suspectAfter: 12 * HOUR, maxGap: SILENCE },
  }),
};

/** The limits that a test which is off by default starts from when it is turned on. */
export function startingLimits(parameter: MeasuredParameter): QcLimits {
  const own = QC_LIMITS_V1[parameter];
  const isParticulate = parameter === 'pm25' || parameter === 'pm10';
  return isParticulate ? { ...own, humidity: { suspectFrom: 95 } } : own;
}

/** Clocks set by NTP agree within seconds; what is ahead by more than `ingest.maxFuture` never gets here. */
export const CLOCK_LIMITS_V1: ClockLimits = { maxAhead: MINUTE, lateAfter: NEAR };
