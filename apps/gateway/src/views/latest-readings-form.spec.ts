import { MINUTE } from '#libs/kernel';
import {
  newestArrivalOf,
  NO_READINGS,
  paceOf,
  readingsOf,
  withReadings,
  type LatestReadings,
} from './latest-readings-form.js';
import { gapsOf } from './pace-form.js';

/** As a data folder holds it. */
const stored = (places: readonly unknown[]): LatestReadings => places as unknown as LatestReadings;

const ROW = [
  ['pm25', 'pm10'],
  [205, 100, 1, 1, 200, 3, 3],
];

describe('the stored latest readings', () => {
  it('have no places outside of their file', () => {
    // @ts-expect-error -- a row has a form
    expect(stored(ROW)[0]).toEqual(['pm25', 'pm10']);
  });

  it.each([
    ['as they are', [...ROW, [100, MINUTE, 2 * MINUTE]], [MINUTE, 2 * MINUTE]],
    ['with a pace that is empty', [...ROW, []], []],
    ['from before there was a pace', ROW, []],
  ])('are read %s', (_what, row, gaps) => {
    const latest = stored(row);
    expect(readingsOf(latest)).toEqual({
      pm25: { ts: 100, value: 1, flag: 1 },
      pm10: { ts: 200, value: 3, flag: 3 },
    });
    expect(newestArrivalOf(latest)).toBe(205);
    expect(gapsOf(paceOf(latest))).toEqual(gaps);
  });

  it('are written as they are read', () => {
    const message = { site: 'betung', device: 'udara-01', ts: 100, receivedAt: 205 };
    const readings = [{ parameter: 'pm25', value: 1, flag: 1 }] as const;
    const after = withReadings(NO_READINGS, { ...message, uplink: { shard: 0, offset: 0 }, readings });
    expect(after).toEqual([['pm25'], [205, 100, 1, 1], [100]]);
  });
});
