import { DAY, HOUR } from '#libs/kernel';
import type { Reading, Rollup } from '#libs/telemetry';
import type { Point, PointQuery, StorableObservation, TimeSeriesStore } from './time-series-store.js';

export interface StoreFixture extends AsyncDisposable {
  readonly store: TimeSeriesStore;
}

export const T0 = Date.UTC(2015, 11, 7);

export function aPoint(overrides: Partial<Point> = {}): Point {
  return {
    site: 'betung',
    device: 'udara-01',
    parameter: 'pm25',
    ts: T0,
    value: 12.5,
    flag: 1,
    receivedAt: T0 + 1,
    ...overrides,
  };
}

/** As messages bring them: those of one device, instant and arrival that follow each other are one observation. */
export function observed(...points: readonly Point[]): StorableObservation[] {
  const observations: (StorableObservation & { readings: Reading[] })[] = [];
  for (const { parameter, value, flag, failed, doubt, ...of } of points) {
    let last = observations.at(-1);
    if (last === undefined || Object.entries(of).some(([key, its]) => last![key as keyof typeof of] !== its))
      observations.push((last = { ...of, readings: [] }));
    last.readings.push({
      ...{ parameter, value, flag },
      ...(failed === undefined ? {} : { failed }),
      ...(doubt === undefined ? {} : { doubt }),
    });
  }
  return observations;
}

export function aRollup(overrides: Partial<Rollup> = {}): Rollup {
  const { tier = 'hour', from = T0 } = overrides;
  return {
    site: 'betung',
    device: 'udara-01',
    parameter: 'pm25',
    tier,
    from,
    to: from + (tier === 'hour' ? HOUR : DAY),
    expected: 60,
    received: 58,
    valid: 57,
    mean: 12.5,
    min: 0.1 + 0.2,
    max: 31,
    ...overrides,
  };
}

export const all: PointQuery = { limit: 10_000, order: 'asc' };
