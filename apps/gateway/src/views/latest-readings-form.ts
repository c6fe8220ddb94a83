import type { Row, UtcMillis } from '#libs/kernel';
import type { Observation, Parameter, QualityFlag } from '#libs/telemetry';
import { withMeasurement, type Pace } from './pace-form.js';

/**
 * The latest reading of each parameter of a device, apart from {@link DeviceView} and without names, because it is written
 * with nearly every message.
 */
export type LatestReadings = Row<'latest readings'>;

type Places = readonly [
  parameters: readonly Parameter[],
  /** The arrival of the newest message, then instant, value and flag of each parameter. */
  figures: readonly number[],
  /** Of the first parameter. */
  pace?: Pace,
];

export interface LatestReading {
  readonly ts: UtcMillis;
  readonly value: number;
  readonly flag: QualityFlag;
}

/** Numbers of a reading among the figures. */
const FIGURES = 3;

export function isLatestReadings(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [parameters, figures] = value as readonly unknown[];
  return Array.isArray(parameters) && Array.isArray(figures) && figures.every(Number.isFinite);
}

export const NO_READINGS = rowOf([[], [0]]);

/** Takes a message in. By device time: a late one never moves a value backwards. */
export function withReadings(
  latest: LatestReadings,
  { ts, receivedAt, readings, amendment }: Observation,
): LatestReadings {
  const [parameters, figures, pace] = placesOf(latest);
  let known = parameters;
  const after = figures.slice();
  after[0] = Math.max(receivedAt, figures[0] ?? 0);
  for (const { parameter, value, flag } of readings) {
    const place = known.indexOf(parameter);
    const at = 1 + (place < 0 ? known.length : place) * FIGURES;
    if (ts < (after[at] ?? 0)) continue;
    if (place < 0) known = [...known, parameter];
    after[at] = ts;
    after[at + 1] = value;
    after[at + 2] = flag;
  }
  // One parameter alone: a device may send each in a message of its own, seconds apart.
  const isPaced = amendment !== true && readings.some(({ parameter }) => parameter === known[0]);
  const paceAfter = isPaced ? withMeasurement(pace, ts) : pace;
  return rowOf(paceAfter === undefined ? [known, after] : [known, after, paceAfter]);
}

export function readingsOf(latest: LatestReadings): Partial<Record<Parameter, LatestReading>> {
  const [parameters, figures] = placesOf(latest);
  const readings = parameters.map((parameter, place): [Parameter, LatestReading] => {
    const [ts = 0, value = 0, flag = 2] = figures.slice(1 + place * FIGURES);
    return [parameter, { ts, value, flag: flag as QualityFlag }];
  });
  return Object.fromEntries(readings);
}

/** When the newest message with readings came; 0 before the first. */
export function newestArrivalOf(latest: LatestReadings): UtcMillis {
  const [, [newest = 0]] = placesOf(latest);
  return newest;
}

export function paceOf(latest: LatestReadings): Pace | undefined {
  const [, , pace] = placesOf(latest);
  return pace;
}

function rowOf(places: Places): LatestReadings {
  return places as unknown as LatestReadings;
}

function placesOf(row: LatestReadings): Places {
  return row as unknown as Places;
}
