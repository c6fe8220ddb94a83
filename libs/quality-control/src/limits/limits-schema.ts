import { defined, duration } from '#libs/kernel';
import { MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import { z } from 'zod';
import { INSTRUMENT_NAMES, measuringRange, type Instrument } from './instruments.js';
import {
  CLOCK_LIMITS_V1,
  QC_LIMITS_V1,
  QC_LIMITS_VERSION,
  startingLimits,
  type ClockLimits,
  type QcLimits,
  type QcLimitsTable,
} from './limits.js';

const positive = z.number().positive();
const percent = z.number().min(0).max(100);
const count = z.int().min(2);
const range = z.tuple([z.number(), z.number()]);

/**
 * A test: some of its limits, or `false` to turn it off. Not a union, which would answer a typing error deep inside with
 * "Invalid input" and no place.
 */
const test = <T extends z.ZodType>(limits: T) =>
  z
    .unknown()
    .transform((written, context): false | z.output<T> => {
      if (written === false) return false;
      const result = limits.safeParse(written);
      if (result.success) return result.data;
      for (const { path, message } of result.error.issues)
        context.addIssue({ code: 'custom', path: [...path], message });
      return z.NEVER;
    })
    .optional();

/** The limits of clocks that a file may change. */
export const CLOCK_LIMITS = z.strictObject({ maxAhead: duration, lateAfter: duration });

/** Of each test the limits that a file may change. */
export const LIMITS_OF_TESTS = {
  range: z.strictObject({ fail: range, suspect: range }),
  spike: z.strictObject({ suspect: positive, fail: positive, maxSpan: duration }),
  rateOfChange: z.strictObject({ perMinute: positive, maxGap: duration }),
  flatLine: z.strictObject({
    tolerance: positive,
    suspectAfter: duration,
    failAfter: duration,
    suspectSamples: count,
    failSamples: count,
    maxGap: duration,
  }),
  saturation: z.strictObject({ from: percent, suspectAfter: duration, maxGap: duration }),
  humidity: z.strictObject({ suspectFrom: percent }),
  crossParameter: z.strictObject({ tolerance: z.number().min(0) }),
  neighbours: z.strictObject({
    radiusKm: positive,
    minNeighbours: z.int().min(3),
    distance: positive,
    factor: z.number().gt(1).nullable(),
  }),
};

/** Keys of earlier files: they had no effect, and a file that holds one is still read. */
const ABANDONED = { highFrom: z.number().nullable().optional() };

function withoutAbandoned<T extends { highFrom?: unknown }>(written: T): Omit<T, 'highFrom'> {
  const kept = { ...written };
  delete kept.highFrom;
  return kept;
}

const parameterOverrides = z.strictObject({
  /** Cannot be turned off: a number beyond the instrument's range is no measurement. */
  range: LIMITS_OF_TESTS.range.partial().optional(),
  spike: test(LIMITS_OF_TESTS.spike.partial()),
  rateOfChange: test(LIMITS_OF_TESTS.rateOfChange.partial()),
  flatLine: test(LIMITS_OF_TESTS.flatLine.partial()),
  saturation: test(LIMITS_OF_TESTS.saturation.partial()),
  humidity: test(LIMITS_OF_TESTS.humidity.partial()),
  crossParameter: test(LIMITS_OF_TESTS.crossParameter.partial()),
  neighbours: test(LIMITS_OF_TESTS.neighbours.partial().extend(ABANDONED).transform(withoutAbandoned)),
} satisfies Record<keyof typeof LIMITS_OF_TESTS, z.ZodType>);
type ParameterOverrides = z.output<typeof parameterOverrides>;

const overrides = z.partialRecord(
  z.enum(MEASURED_CODES as readonly [MeasuredParameter, ...MeasuredParameter[]]),
  parameterOverrides,
);

type Overrides = z.output<typeof overrides>;

/**
 * A YAML file of limits that differ from {@link QC_LIMITS_V1}: for a parameter, or for a parameter of one device. Only what
 * differs is written; `false` turns a test off. What a device says wins.
 */
export const qcLimitsSchema = z
  .strictObject({
    /** Names this set of limits. Change it with every change of the file: the record of a figure names it. */
    version: z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, 'expected letters, digits, dots and hyphens'),
    parameters: overrides.default({}),
    devices: z.record(z.string().min(1), overrides).default({}),
    /** Which sensors a device has: what they cannot measure fails. What `devices` says of a range wins. */
    instruments: z
      .record(
        z.string().min(1),
        z.array(z.enum(INSTRUMENT_NAMES as readonly [Instrument, ...Instrument[]])).min(1),
      )
      .default({}),
    clock: CLOCK_LIMITS.partial().default({}),
  })
  .superRefine((file, context) => {
    const check = (path: readonly string[], base: QcLimitsTable, written: Overrides): QcLimitsTable => {
      const table = merge(base, written);
      for (const [parameter, own] of entriesOf(written))
        for (const [at, message] of faultsOf(own, table[parameter]))
          context.addIssue({ code: 'custom', path: [...path, parameter, ...at], message });
      return table;
    };
    const general = check(['parameters'], QC_LIMITS_V1, file.parameters);
    for (const [device, own] of Object.entries(file.devices))
      check(['devices', device], withInstruments(general, file.instruments[device]), own);
  });
export type QcLimitsFile = Readonly<z.output<typeof qcLimitsSchema>>;

/** The limits that hold for one device. */
export interface DeviceQcLimits {
  /** Of the limits that Pantau ships, and of the file that overrides them: `1`, `1+banyuasin-2026-01`. */
  readonly version: string;
  readonly parameters: QcLimitsTable;
  readonly clock: ClockLimits;
}

/** The setting `quality`: the version of the shipped limits, and the file of others. */
export interface QualitySetting {
  readonly shipped: number;
  readonly limits: Pick<QcLimitsFile, 'version'> | null;
}

/** What is printed beside the figures, and named in their records. */
export function limitsVersion({ shipped, limits }: QualitySetting): string {
  return limits === null ? `${shipped}` : `${shipped}+${limits.version}`;
}

/** The limits of a device: those of Pantau, then what the file says of the parameter, then of the device. */
export function qcLimitsOf(device: string, file?: QcLimitsFile): DeviceQcLimits {
  if (file === undefined)
    return { version: limitsVersion(SHIPPED), parameters: QC_LIMITS_V1, clock: CLOCK_LIMITS_V1 };
  const general = merge(QC_LIMITS_V1, file.parameters);
  const instruments = Object.hasOwn(file.instruments, device) ? file.instruments[device] : undefined;
  const base = withInstruments(general, instruments);
  const own = Object.hasOwn(file.devices, device) ? file.devices[device] : undefined;
  return {
    version: limitsVersion({ ...SHIPPED, limits: file }),
    parameters: own === undefined ? base : merge(base, own),
    clock: { ...CLOCK_LIMITS_V1, ...defined(file.clock) },
  };
}

const SHIPPED: QualitySetting = { shipped: QC_LIMITS_VERSION, limits: null };

/** The limits with `fail` at the ends of what the sensors can measure. */
function withInstruments(base: QcLimitsTable, instruments: readonly Instrument[] = []): QcLimitsTable {
  const table = { ...base };
  for (const instrument of instruments)
    for (const [parameter, fail] of Object.entries(measuringRange(instrument))) {
      const limits = table[parameter as MeasuredParameter];
      const [low, high] = limits.range.suspect;
      const suspect = [Math.max(low, fail[0]), Math.min(high, fail[1])] as const;
      table[parameter as MeasuredParameter] = { ...limits, range: { fail, suspect } };
    }
  return table;
}

function merge(base: QcLimitsTable, written: Overrides): QcLimitsTable {
  const table = { ...base };
  for (const [parameter, own] of entriesOf(written))
    table[parameter] = mergeLimits(base[parameter], startingLimits(parameter), own);
  return table;
}

function mergeLimits(base: QcLimits, start: QcLimits, written: ParameterOverrides): QcLimits {
  return {
    range: { ...base.range, ...defined(written.range ?? {}) },
    spike: mergeTest(base.spike, start.spike, written.spike),
    rateOfChange: mergeTest(base.rateOfChange, start.rateOfChange, written.rateOfChange),
    flatLine: mergeTest(base.flatLine, start.flatLine, written.flatLine),
    saturation: mergeTest(base.saturation, start.saturation, written.saturation),
    humidity: mergeTest(base.humidity, start.humidity, written.humidity),
    crossParameter: mergeTest(base.crossParameter, start.crossParameter, written.crossParameter),
    neighbours: mergeTest(base.neighbours, start.neighbours, written.neighbours),
  };
}

/** @param start - what a test that is off is turned on with; null where it does not apply */
function mergeTest<T extends object>(
  base: T | null,
  start: T | null,
  written: false | { readonly [K in keyof T]?: T[K] | undefined } | undefined,
): T | null {
  if (written === undefined) return base;
  const complete = base ?? start;
  return written === false || complete === null ? null : { ...complete, ...defined(written) };
}

/** What cannot be meant, each with the place within the parameter. Only of tests that were written. */
function faultsOf(
  written: ParameterOverrides,
  { range, spike, flatLine, ...others }: QcLimits,
): (readonly [path: readonly string[], message: string])[] {
  const faults: (readonly [readonly string[], string])[] = [];
  const [low, high] = range.suspect;
  if (written.range !== undefined && !(range.fail[0] <= low && low < high && high <= range.fail[1]))
    faults.push([['range'], 'suspect must lie within fail, and its low end below its high end']);
  if (written.spike !== undefined && spike !== null && spike.suspect > spike.fail)
    faults.push([['spike'], 'suspect must not exceed fail']);
  if (written.flatLine !== undefined && flatLine !== null) {
    if (flatLine.suspectAfter > flatLine.failAfter)
      faults.push([['flatLine'], 'suspectAfter must not exceed failAfter']);
    if (flatLine.suspectSamples > flatLine.failSamples)
      faults.push([['flatLine'], 'suspectSamples must not exceed failSamples']);
  }
  for (const test of ['saturation', 'humidity', 'crossParameter'] as const)
    if (written[test] && others[test] === null)
      faults.push([[test], 'this test does not apply to this parameter']);
  return faults;
}

function entriesOf(written: Overrides): [MeasuredParameter, ParameterOverrides][] {
  return Object.entries(written) as [MeasuredParameter, ParameterOverrides][];
}
