import {
  hourOfDay,
  isDeviceDay,
  isOpenHours,
  rollupOf,
  SERIES_DAY_FORM,
  type StoredDay,
} from './buckets/device-day-form.js';
import { JUDGED_MEAN_FORM, type StoredMean } from './neighbours/judged-mean-form.js';

const SERIES = { site: 'betung', device: 'udara-01', parameter: 'pm25' } as const;

/** As a data folder holds it. */
const stored = <Row>(places: readonly unknown[]): Row => places as unknown as Row;

describe('the stored forms of the evidence', () => {
  it('have no places outside of their files', () => {
    const mean = stored<StoredMean>([12, 1, 3, 11]);
    // @ts-expect-error -- a row has a form
    expect(mean[0]).toBe(12);
  });

  it('keep a judged mean', () => {
    const row = stored<StoredMean>([12, 3, 4, 80]);
    const mean = { mean: 12, flag: 3, neighbours: 4, median: 80 } as const;
    expect(JUDGED_MEAN_FORM.unpack(row)).toEqual(mean);
    expect(JUDGED_MEAN_FORM.pack(mean)).toEqual(row);
  });

  it('keep a day with its hours', () => {
    const figures = [60, 60, 57, 20, 10, 40, 3, 0.9, 0.05, 19, 1];
    for (const row of [
      ['betung', [[3_600_000, 'betung', true, figures]]],
      ['betung', [[3_600_000, 'betung', true, figures]], [24, 1, 1, 20, 10, 40, 1, 0.0375, 0.05, 19, 1]],
    ]) {
      const day = SERIES_DAY_FORM.unpack(stored(row));
      expect(day).toMatchObject({
        site: 'betung',
        hours: [{ hour: 3_600_000, site: 'betung', isValid: true }],
      });
      expect(SERIES_DAY_FORM.pack(day)).toEqual(row);
      expect(isDeviceDay({ pm25: row })).toBe(true);
    }
  });

  it('tell a row that its readers could not read', () => {
    for (const day of ['text', ['betung', [[0, 'betung', true]]], ['betung', 'hours'], [1, []], null])
      expect(isDeviceDay({ pm25: day })).toBe(false);
    for (const value of [null, [], 'text']) {
      expect(isDeviceDay(value)).toBe(false);
      expect(isOpenHours(value)).toBe(false);
    }
    expect(isOpenHours({ pm25: { hour: 0, site: 'betung' } })).toBe(true);
    expect(isOpenHours({ pm25: 0 })).toBe(false);
  });

  it('read a day from before unusual values and covered time were kept', () => {
    const row = ['betung', [[0, 'betung', true, [60, 50, 45, 20, 10, 40]]], [24, 1, 1, 20, 10, 40]];
    const { hours, figures } = SERIES_DAY_FORM.unpack(stored<StoredDay>(row));
    expect(hourOfDay(hours[0]!)).toEqual({
      received: 50,
      unusual: 0,
      isValid: true,
      mean: 20,
      min: 10,
      max: 40,
      covered: 0.75,
      unusualShare: 0,
      withoutUnusual: { mean: 20, isValid: true },
    });
    const span = { from: 0, to: 86_400_000 };
    expect(rollupOf('day', SERIES, span, figures!)).toEqual({
      ...SERIES,
      tier: 'day',
      ...span,
      expected: 24,
      received: 1,
      valid: 1,
      unusual: 0,
      covered: 0,
      mean: 20,
      min: 10,
      max: 40,
      unusualShare: null,
      validWithoutUnusual: 0,
      meanWithoutUnusual: null,
    });
  });
});
