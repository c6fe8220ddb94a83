import { DAY, HOUR, MINUTE } from '#libs/kernel';
import fc from 'fast-check';
import type { EnvelopeQuery, Extremes, Point } from './time-series-store.js';
import { aPoint, observed, T0, type StoreFixture } from './timeseries.fixture.js';

const { device, parameter } = aPoint();
const query = (to: number, bucketMs: number): EnvelopeQuery => ({
  ...{ device, parameter, bucketMs },
  span: { from: T0, to },
});

/** The part of the contract that is about what a chart draws of many readings. */
export function describeEnvelopeContract(open: () => Promise<StoreFixture>): void {
  describe('for the envelope of a series', () => {
    it('keeps a peak of one reading in a month of them', async () => {
      await using fixture = await open();
      const minutes = Array.from({ length: 3 * 24 * 60 }, (_, i) => aPoint({ ts: T0 + i * 10 * MINUTE }));
      const points = minutes.map((point, i) => (i === 2_345 ? { ...point, value: 480 } : point));
      await fixture.store.write(observed(...points));
      const buckets = await fixture.store.envelope(query(T0 + 30 * DAY, 72 * MINUTE));
      expect(buckets.filter(({ trusted }) => trusted?.max === 480)).toMatchObject([
        { trusted: { min: 12.5, max: 480 } },
      ]);
      expect(buckets.reduce((sum, { trusted }) => sum + trusted!.count, 0)).toBe(points.length);
    });

    it('holds apart what quality control doubts, and leaves out what is missing', async () => {
      await using fixture = await open();
      await fixture.store.write(
        observed(
          aPoint({ value: 10 }),
          aPoint({ ts: T0 + 1, value: 20, flag: 2 }),
          aPoint({ ts: T0 + 2, value: 300, flag: 3, failed: ['spike'] }),
          aPoint({ ts: T0 + 3, value: 900, flag: 4, failed: ['gross_range'] }),
          aPoint({ ts: T0 + 4, value: -999, flag: 4, failed: ['gross_range'] }),
          aPoint({ ts: T0 + 5, value: -1, flag: 9 }),
          aPoint({ ts: T0 + 6, value: 30 }),
          // Judged again, and good.
          aPoint({ ts: T0 + HOUR, value: 50, flag: 4 }),
        ),
      );
      await fixture.store.write(observed(aPoint({ ts: T0 + HOUR, value: 50 })));
      expect(await fixture.store.envelope(query(T0 + 2 * HOUR, HOUR))).toEqual([
        {
          ts: T0,
          trusted: { count: 3, min: 10, max: 30, mean: 20 },
          suspect: { count: 1, min: 300, max: 300, mean: 300 },
          failed: { count: 2, min: -999, max: 900, mean: -49.5 },
        },
        { ts: T0 + HOUR, trusted: { count: 1, min: 50, max: 50, mean: 50 } },
      ]);
    });

    it('is of one series, within its span, in buckets that stand still when the span moves', async () => {
      await using fixture = await open();
      await fixture.store.write(
        observed(
          ...[0, 1, 2, 3].map((i) => aPoint({ ts: T0 + i * MINUTE, value: i })),
          aPoint({ parameter: 'pm10', value: 70 }),
          aPoint({ device: "a' OR 1=1 --", value: 80 }),
        ),
      );
      const { store } = fixture;
      const of = async (from: number, to: number, bucketMs: number, more = {}): Promise<unknown[]> =>
        (await store.envelope({ ...query(to, bucketMs), span: { from, to }, ...more })).map(
          ({ ts, trusted }) => [ts, trusted?.count, trusted?.max],
        );
      const two = 2 * MINUTE;
      expect(T0 % two).toBe(0);
      expect(await of(T0, T0 + 4 * MINUTE, two)).toEqual([
        [T0, 2, 1],
        [T0 + two, 2, 3],
      ]);
      expect(await of(T0 + 1, T0 + 3 * MINUTE, two)).toEqual([
        [T0, 1, 1],
        [T0 + two, 1, 2],
      ]);
      expect(await of(T0 - 1, T0 + 1, 7_919)).toEqual([[T0 - (T0 % 7_919), 1, 0]]);
      expect(await of(T0 + DAY, T0 + 2 * DAY, two)).toEqual([]);
      expect(await of(T0, T0 + DAY, DAY, { device: "x' OR 1=1 --" })).toEqual([]);
      expect(await of(T0, T0 + DAY, DAY, { parameter: 'co' })).toEqual([]);
      await store.close();
      await expect(store.envelope(query(T0 + DAY, DAY))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('says of any readings what they say one by one', async () => {
      await using fixture = await open();
      let run = 0;
      const readings = fc.uniqueArray(
        fc.record({
          offset: fc.nat({ max: 100 }),
          value: fc.integer({ min: -1_000, max: 1_000 }),
          flag: fc.constantFrom(1, 2, 3, 4, 9),
        }),
        { selector: ({ offset }) => offset, minLength: 1, maxLength: 40 },
      );
      await fc.assert(
        fc.asyncProperty(readings, fc.integer({ min: 1, max: 50 }), async (written, bucketMs) => {
          const of = `d-${run++}`;
          const points = written.map(({ offset, value, flag }) =>
            aPoint({ device: of, ts: T0 + offset, value, flag: flag }),
          );
          await fixture.store.write(observed(...points));
          const found = await fixture.store.envelope({ ...query(T0 + 101, bucketMs), device: of });
          expect(found).toEqual(expected(points, bucketMs));
        }),
        { numRuns: 40 },
      );
    });
  });
}

function expected(points: readonly Point[], bucketMs: number): unknown[] {
  const startOf = ({ ts }: Point): number => ts - (ts % bucketMs);
  const starts = [...new Set(points.map(startOf))].sort((a, b) => a - b);
  return starts.flatMap((ts) => {
    const extremes = (...flags: readonly number[]): Extremes | undefined => {
      const values = points
        .filter((point) => startOf(point) === ts && flags.includes(point.flag))
        .map(({ value }) => value);
      if (values.length === 0) return undefined;
      const sum = values.reduce((total, value) => total + value, 0);
      return {
        count: values.length,
        ...{ min: Math.min(...values) + 0, max: Math.max(...values) + 0 },
        mean: expect.closeTo(sum / values.length, 6) as number,
      };
    };
    const groups = Object.entries({ trusted: extremes(1, 2), suspect: extremes(3), failed: extremes(4) });
    const present = groups.filter(([, group]) => group !== undefined);
    return present.length === 0 ? [] : [{ ts, ...Object.fromEntries(present) }];
  });
}
