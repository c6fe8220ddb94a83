import { HOUR } from '#libs/kernel';
import type { Rollup } from '#libs/telemetry';
import fc from 'fast-check';
import { hoursBefore, newestHourEnd, NO_HOURS, withRollup } from './recent-hours-form.js';

const T0 = Date.UTC(2026, 0, 1);

const rollup = (hour: number, mean: number | null, more: Partial<Rollup> = {}): Rollup => ({
  ...{ site: 'betung', device: 'udara-01', parameter: 'pm25', tier: 'hour' },
  ...{ from: T0 + hour * HOUR, to: T0 + (hour + 1) * HOUR },
  ...{ expected: 60, received: 60, valid: 60, covered: 1, mean, min: mean, max: mean },
  ...more,
});
const after = (...rollups: readonly Rollup[]) => rollups.reduce(withRollup, NO_HOURS);

describe('the recent hours of a device', () => {
  it('are by parameter, newest first from the last hour that is over; a missing one keeps its place', () => {
    const hours = after(rollup(0, 10), rollup(1, 11), rollup(3, 13), rollup(3, 50, { parameter: 'pm10' }));
    expect(hoursBefore(hours, T0 + 4.5 * HOUR)).toMatchObject({ pm25: [13, null, 11, 10], pm10: [50] });
    expect(newestHourEnd(hours)).toBe(T0 + 4 * HOUR);
  });

  it('fall back as time goes on, and are gone after a day', () => {
    const hours = after(rollup(0, 10));
    expect(hoursBefore(hours, T0 + 3 * HOUR).pm25).toEqual([null, null, 10]);
    expect(hoursBefore(hours, T0 + 24 * HOUR).pm25).toHaveLength(24);
    expect(hoursBefore(hours, T0 + 25 * HOUR).pm25).toEqual([]);
  });

  it('take a correction of an hour in its place, and a late hour too', () => {
    const hours = after(rollup(2, 12), rollup(0, 10), rollup(2, 22));
    expect(hoursBefore(hours, T0 + 3 * HOUR).pm25).toEqual([22, null, 10]);
  });

  it('hold no hour of which too little is covered, no day, and no parameter without an index', () => {
    const hours = after(
      rollup(0, 10),
      rollup(0, 10, { covered: 0.5 }),
      rollup(0, 30, { tier: 'day' }),
      rollup(0, 30, { parameter: 'temperature' }),
    );
    expect(hoursBefore(hours, T0 + HOUR)).toMatchObject({ pm25: [null], pm10: [] });
  });

  it('leave hours out that are not over yet', () => {
    expect(hoursBefore(after(rollup(0, 10), rollup(1, 11)), T0 + 1.5 * HOUR).pm25).toEqual([10]);
  });

  it('do not depend on the order in which hours come, within a day of one another', () => {
    const means = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(means, fc.infiniteStream(fc.nat()), (values, keys) => {
        const ordered = values.map((mean, hour) => rollup(hour, mean));
        const shuffled = ordered
          .map((one) => ({ one, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        const at = T0 + values.length * HOUR;
        expect(hoursBefore(after(...shuffled), at)).toEqual(hoursBefore(after(...ordered), at));
        expect(hoursBefore(after(...ordered), at).pm25).toEqual(values.toReversed());
      }),
    );
  });
});
