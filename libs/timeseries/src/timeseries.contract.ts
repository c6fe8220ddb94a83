import { PARAMETER_CODES, type Parameter } from '#libs/telemetry';
import fc from 'fast-check';
import { describeEnvelopeContract } from './envelope.contract.js';
import { describeRollupContract } from './rollups.contract.js';
import type { Point, PointQuery } from './time-series-store.js';
import { all, aPoint, aRollup, observed, T0, type StoreFixture } from './timeseries.fixture.js';

export { aPoint, aRollup, observed } from './timeseries.fixture.js';

/** What every engine of {@link TimeSeriesStore} must do. `open` gives an empty store. */
export function describeTimeSeriesStoreContract(name: string, open: () => Promise<StoreFixture>): void {
  describe(`${name} fulfils TimeSeriesStore`, () => {
    it('returns what was written, number for number', async () => {
      await using fixture = await open();
      const values = [
        0,
        -0.1,
        1e-9,
        123_456.789,
        1e21,
        -1e-300,
        5e-324,
        -Number.MAX_VALUE,
        2 ** 53 - 1,
        0.1 + 0.2,
      ];
      const points = values.map((value, i) =>
        aPoint({ value, ts: T0 + i, flag: ([1, 2, 3, 4, 9] as const)[i % 5]! }),
      );
      await fixture.store.write(observed(...points));
      expect(await fixture.store.query(all)).toEqual(points);
    });

    it('replaces a point that is written again, also inside one batch', async () => {
      await using fixture = await open();
      await fixture.store.write(observed(aPoint({ value: 1 }), aPoint({ value: 2 })));
      await fixture.store.write(observed(aPoint({ value: 3 })));
      await fixture.store.write(observed(aPoint({ value: 3 })));
      expect(await fixture.store.query(all)).toEqual([aPoint({ value: 3 })]);
      expect(await fixture.store.count({})).toBe(1);
    });

    it('keeps what was measured with another message of the same instant, and counts each reading', async () => {
      await using fixture = await open();
      const [pm10, pm25] = (['pm10', 'pm25'] as const).map((parameter) => aPoint({ parameter }));
      const spike = { ...pm25!, flag: 3 } as const;
      await fixture.store.write(observed(pm10!, pm25!));
      await fixture.store.write(observed(spike, aPoint({ parameter: 'humidity', value: 80 })));
      const expected = [aPoint({ parameter: 'humidity', value: 80 }), pm10, spike];
      expect(await fixture.store.query(all)).toEqual(expected);
      expect(await fixture.store.query({ ...all, parameter: 'pm25' })).toEqual([spike]);
      expect(await fixture.store.query({ ...all, parameter: 'co' })).toEqual([]);
      expect(await fixture.store.count({})).toBe(3);
      expect(await fixture.store.count({ parameter: 'pm25' })).toBe(1);
      expect(await fixture.store.count({ parameter: 'co' })).toBe(0);
    });

    it('keeps which tests failed beside the flag, and forgets them with it', async () => {
      await using fixture = await open();
      const spike = aPoint({ flag: 4, failed: ['spike', 'rate_of_change'] });
      const damp = aPoint({ parameter: 'pm10', flag: 3, failed: ['humidity'] });
      const unusual = aPoint({ ts: T0 + 1, flag: 3, failed: ['gross_range'] });
      const passed = aPoint({ ts: T0 + 2 });
      await fixture.store.write(observed(spike, damp, unusual, passed));
      expect(await fixture.store.query(all)).toEqual([damp, spike, unusual, passed]);
      // Judged again: another test, none by name, and passed.
      const again = { ...spike, flag: 3, failed: ['neighbour'] } as const;
      const nameless = aPoint({ parameter: 'pm10', flag: 3 });
      const good = aPoint({ ts: T0 + 1 });
      await fixture.store.write(observed(again, nameless, good));
      expect(await fixture.store.query(all)).toEqual([nameless, again, good, passed]);
      expect(await fixture.store.count({})).toBe(4);
    });

    it("keeps the device's own words beside the test that they failed, and forgets them with it", async () => {
      await using fixture = await open();
      const words = 'the lasers contradict each other: "A" 0, B 88.4 \\ µg/m³';
      const doubted = aPoint({ flag: 3, failed: ['device'], doubt: words });
      const damp = aPoint({ parameter: 'pm10', flag: 3, failed: ['humidity'] });
      const later = aPoint({ ts: T0 + 1, flag: 3, failed: ['device'], doubt: 'b' });
      await fixture.store.write(observed(doubted, damp, later));
      expect(await fixture.store.query(all)).toEqual([damp, doubted, later]);
      const wordless = aPoint({ flag: 3, failed: ['spike', 'device'] });
      const passed = aPoint({ ts: T0 + 1 });
      await fixture.store.write(observed(wordless, passed));
      expect(await fixture.store.query(all)).toEqual([damp, wordless, passed]);
    });

    it('finds the latest reading of a parameter behind later ones of others', async () => {
      await using fixture = await open();
      const pm25 = aPoint();
      const others = Array.from({ length: 5 }, (_, i) => aPoint({ parameter: 'humidity', ts: T0 + 1 + i }));
      await fixture.store.write(observed(pm25, ...others));
      const latest: PointQuery = { device: pm25.device, parameter: 'pm25', limit: 1, order: 'desc' };
      expect(await fixture.store.query(latest)).toEqual([pm25]);
    });

    it('takes times of any year', async () => {
      await using fixture = await open();
      const points = [1970, 2013, 2099].map((year) => aPoint({ ts: Date.UTC(year, 0, 2) }));
      await fixture.store.write(observed(...points));
      expect(await fixture.store.query(all)).toEqual(points);
    });

    it('filters by site, device, parameter and span, from included and to not', async () => {
      await using fixture = await open();
      const points = ['a', 'b'].flatMap((device) =>
        (['pm25', 'pm10'] as const).flatMap((parameter) =>
          [0, 1, 2].map((i) => aPoint({ device, site: `site-${device}`, parameter, ts: T0 + i * 1000 })),
        ),
      );
      await fixture.store.write(observed(...points));
      const matching = async (query: Partial<PointQuery>): Promise<number[]> => [
        (await fixture.store.query({ ...all, ...query })).length,
        await fixture.store.count(query),
      ];
      expect(await matching({})).toEqual([12, 12]);
      expect(await matching({ device: 'a' })).toEqual([6, 6]);
      expect(await matching({ site: 'site-b', parameter: 'pm10' })).toEqual([3, 3]);
      expect(await matching({ span: { from: T0, to: T0 + 1000 } })).toEqual([4, 4]);
      expect(await matching({ span: { from: T0 + 1, to: T0 + 2001 } })).toEqual([8, 8]);
      expect(await matching({ device: "a' OR 1=1 --" })).toEqual([0, 0]);
      expect(await matching({ device: 'nobody' })).toEqual([0, 0]);
    });

    it('orders by time, then device, then parameter, and cuts at the limit in both directions', async () => {
      await using fixture = await open();
      const points = [0, 1, 2].flatMap((i) =>
        ['a', 'b'].flatMap((device) =>
          (['pm10', 'pm25'] as const).map((parameter) => aPoint({ device, parameter, ts: T0 + i })),
        ),
      );
      await fixture.store.write(observed(...points.toReversed()));
      const ids = (found: readonly Point[]): string[] =>
        found.map((point) => `${point.ts - T0}${point.device}${point.parameter}`);
      for (let limit = 1; limit <= 12; limit++) {
        expect(ids(await fixture.store.query({ limit, order: 'asc' }))).toEqual(ids(points).slice(0, limit));
        const descending = [...points].sort((x, y) => y.ts - x.ts);
        expect(ids(await fixture.store.query({ limit, order: 'desc' }))).toEqual(
          ids(descending).slice(0, limit),
        );
      }
    });

    it.each(['asc', 'desc'] as const)(
      'goes on behind a point (%s), and what comes meanwhile moves nothing',
      async (order) => {
        await using fixture = await open();
        const points = [0, 1, 2].flatMap((i) =>
          ['a', 'b'].flatMap((device) =>
            (['pm10', 'pm25'] as const).map((parameter) => aPoint({ device, parameter, ts: T0 + i })),
          ),
        );
        await fixture.store.write(observed(...points));
        const ids = (found: readonly Point[]): string[] =>
          found.map((point) => `${point.ts - T0}${point.device}${point.parameter}`);
        const expected = ids(await fixture.store.query({ ...all, order }));
        for (const limit of [1, 2, 3, 5, 12]) {
          const found: Point[] = [];
          for (;;) {
            const last = found.at(-1);
            const page = await fixture.store.query({
              order,
              limit,
              span: { from: T0, to: T0 + 3 },
              ...(last === undefined ? {} : { after: last }),
            });
            found.push(...page);
            if (page.length < limit) break;
            // Where the pages came from, and beyond their span.
            const at = order === 'asc' ? T0 - limit : T0 + 2 + limit;
            await fixture.store.write(observed(aPoint({ device: 'a', ts: at })));
          }
          expect(ids(found)).toEqual(expected);
        }
        const [first] = await fixture.store.query({ order, limit: 1, span: { from: T0, to: T0 + 3 } });
        const elsewhere = { from: T0 + 100, to: T0 + 200 };
        expect(await fixture.store.query({ ...all, order, span: elsewhere, after: first! })).toEqual([]);
      },
    );

    it('stores a batch of ten thousand, and an empty one', async () => {
      await using fixture = await open();
      await fixture.store.write(
        observed(...Array.from({ length: 10_000 }, (_, i) => aPoint({ ts: T0 + i, value: i }))),
      );
      await fixture.store.write([]);
      expect(await fixture.store.count({})).toBe(10_000);
    });

    it('refuses a value that is not finite by name, and stores its neighbours', async () => {
      await using fixture = await open();
      const bad = [aPoint({ ts: T0 + 1, value: NaN }), aPoint({ ts: T0 + 3, value: Infinity })];
      const { refused } = await fixture.store.write(
        observed(aPoint(), bad[0]!, aPoint({ ts: T0 + 2 }), bad[1]!),
      );
      expect(refused.map(({ point }) => point)).toEqual(bad);
      expect(refused[0]!.message).toContain('NaN');
      expect(await fixture.store.count({})).toBe(2);
    });

    it('refuses a parameter that does not exist by name, and stores its neighbours', async () => {
      await using fixture = await open();
      const bad = ['pm25_flag', 'receivedAt', 'toString', 'a=1,b', ''].map((parameter) =>
        aPoint({ parameter: parameter as Parameter }),
      );
      const { refused } = await fixture.store.write(observed(bad[0]!, aPoint(), ...bad.slice(1)));
      expect(refused.map(({ point }) => point)).toEqual(bad);
      expect(refused[0]!.message).toContain('pm25_flag');
      expect(await fixture.store.query(all)).toEqual([aPoint()]);
    });

    it('stores nothing of an observation without readings', async () => {
      await using fixture = await open();
      const [observation] = observed(aPoint());
      const without = { ...observation!, ts: T0 + 1, readings: [] };
      expect(await fixture.store.write([without, observation!])).toEqual({ refused: [] });
      expect(await fixture.store.query({ ...all, limit: 1, order: 'desc' })).toEqual([aPoint()]);
      expect(await fixture.store.count({})).toBe(1);
    });

    it('refuses a time that is not a whole number of milliseconds, and stores its neighbours', async () => {
      await using fixture = await open();
      const bad = [
        aPoint({ ts: T0 + 0.5 }),
        aPoint({ ts: NaN }),
        aPoint({ ts: T0 + 1, receivedAt: Infinity }),
      ];
      const { refused } = await fixture.store.write(observed(...bad, aPoint()));
      expect(refused.map(({ point }) => point)).toEqual(bad);
      expect(await fixture.store.query(all)).toEqual([aPoint()]);
    });

    it('keeps any name as it is, and finds it again', async () => {
      await using fixture = await open();
      const names = ["o'brien", 'a b,c=d', 'say "hi"', 'back\\slash', 'udara-é', "x' OR 'a' = 'a"];
      const points = names.map((name, i) => aPoint({ device: name, site: name, ts: T0 + i }));
      expect(await fixture.store.write(observed(...points))).toEqual({ refused: [] });
      expect(await fixture.store.query(all)).toEqual(points);
      for (const [i, name] of names.entries())
        expect(await fixture.store.query({ ...all, device: name, site: name })).toEqual([points[i]]);
    });

    it('takes batches that are written at the same time', async () => {
      await using fixture = await open();
      await Promise.all(
        Array.from({ length: 8 }, (_, b) =>
          fixture.store.write(
            observed(...Array.from({ length: 100 }, (_, i) => aPoint({ ts: T0 + i, device: `d${b % 4}` }))),
          ),
        ),
      );
      expect(await fixture.store.count({})).toBe(400);
    });

    it('answers as a map by device, parameter and time does, for any writes', async () => {
      await using fixture = await open();
      let run = 0;
      const write = fc.record({
        device: fc.constantFrom('a', 'b'),
        parameter: fc.constantFrom(...PARAMETER_CODES),
        offset: fc.nat({ max: 5 }),
        value: fc
          .double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
          .map((value) => (value === 0 ? 0 : value)),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(write, { maxLength: 8 }), { maxLength: 4 }), async (batches) => {
          const site = `run-${run}`;
          const base = T0 + run++ * 1000;
          const model = new Map<string, Point>();
          for (const batch of batches) {
            const points = batch.map(({ offset, ...rest }) => aPoint({ ...rest, site, ts: base + offset }));
            for (const point of points) model.set(`${point.device} ${point.parameter} ${point.ts}`, point);
            await fixture.store.write(observed(...points));
          }
          const found = await fixture.store.query({ ...all, site });
          const key = (p: Point): string => `${p.ts} ${p.device} ${p.parameter}`;
          expect(found).toEqual([...model.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1)));
          expect(await fixture.store.count({ site })).toBe(model.size);
        }),
        { numRuns: 40 },
      );
    });

    describeRollupContract(open);
    describeEnvelopeContract(open);

    it('answers for any span of time, however far it reaches', async () => {
      await using fixture = await open();
      await fixture.store.write(observed(aPoint()));
      const farthest = 8_640_000_000_000_000;
      const spans = [
        { from: -farthest, to: farthest },
        { from: T0, to: Date.UTC(9999, 11, 31) },
        { from: Date.UTC(9999, 0), to: farthest },
        { from: -farthest, to: Date.UTC(1, 0) },
      ];
      const counts = await Promise.all(spans.map((span) => fixture.store.count({ span })));
      expect(counts).toEqual([1, 1, 0, 0]);
      expect(await fixture.store.query({ ...all, span: spans[0]! })).toEqual([aPoint()]);
    });

    it('is set up already, and may be set up again', async () => {
      await using fixture = await open();
      expect(await fixture.store.setUp()).toEqual([]);
      await fixture.store.write(observed(aPoint()));
      expect(await fixture.store.expire()).toBe(0);
      expect(await fixture.store.count({})).toBe(1);
    });

    it('answers a ping, and refuses everything after it was closed', async () => {
      await using fixture = await open();
      await fixture.store.ping();
      await fixture.store.close();
      await expect(fixture.store.write(observed(aPoint()))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
      await expect(fixture.store.writeRollups([aRollup()])).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
      await expect(fixture.store.query(all)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(fixture.store.count({})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(fixture.store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await fixture.store.close();
    });
  });
}
