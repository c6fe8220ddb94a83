import { DAY, HOUR } from '#libs/kernel';
import type { Rollup } from '#libs/telemetry';
import type { RollupQuery } from './time-series-store.js';
import { all, aPoint, aRollup, observed, T0, type StoreFixture } from './timeseries.fixture.js';

/** The part of the contract that is about roll-ups. */
export function describeRollupContract(open: () => Promise<StoreFixture>): void {
  describe('for roll-ups', () => {
    it('returns roll-ups as they were written, each tier by itself', async () => {
      await using fixture = await open();
      const hours = [0, 1, 2].map((i) => aRollup({ from: T0 + i * HOUR, mean: i + 0.1 }));
      const days = [0, 1].map((i) => aRollup({ tier: 'day', from: T0 + 17 * HOUR + i * DAY, expected: 24 }));
      expect(await fixture.store.writeRollups([...days, ...hours])).toEqual({ refused: [] });
      await fixture.store.write(observed(aPoint()));
      expect(await fixture.store.queryRollups({ ...all, tier: 'hour' })).toEqual(hours);
      expect(await fixture.store.queryRollups({ ...all, tier: 'day' })).toEqual(days);
      expect(await fixture.store.countRollups({ tier: 'hour' })).toBe(3);
      expect(await fixture.store.countRollups({ tier: 'day' })).toBe(2);
      expect(await fixture.store.query(all)).toEqual([aPoint()]);
    });

    it('replaces a roll-up that comes again, also one that has lost its figures', async () => {
      await using fixture = await open();
      const without = aRollup({ valid: 0, mean: null, min: null, max: null });
      for (const last of [aRollup({ mean: 20, received: 60 }), without, aRollup({ max: 40 })]) {
        await fixture.store.writeRollups([aRollup(), aRollup({ min: -1 }), last]);
        expect(await fixture.store.queryRollups({ ...all, tier: 'hour' })).toEqual([last]);
        expect(await fixture.store.countRollups({ tier: 'hour' })).toBe(1);
      }
    });

    it('returns of a roll-up the figures without its unusual values, also when there are none any more', async () => {
      await using fixture = await open();
      const usual = {
        unusual: 0,
        covered: 0.95,
        unusualShare: 0,
        validWithoutUnusual: 57,
        meanWithoutUnusual: 12.5,
      };
      const smoke = {
        unusual: 50,
        covered: 1,
        unusualShare: 0.875,
        validWithoutUnusual: 7,
        meanWithoutUnusual: 9,
      };
      const all57 = {
        ...smoke,
        unusual: 57,
        unusualShare: 1,
        validWithoutUnusual: 0,
        meanWithoutUnusual: null,
      };
      for (const later of [usual, smoke, all57, usual]) {
        await fixture.store.writeRollups([aRollup(later)]);
        expect(await fixture.store.queryRollups({ ...all, tier: 'hour' })).toEqual([aRollup(later)]);
      }
      const contradiction = aRollup({ ...usual, validWithoutUnusual: 0 });
      expect((await fixture.store.writeRollups([contradiction])).refused).toHaveLength(1);
    });

    it('filters, orders and cuts roll-ups as it does points', async () => {
      await using fixture = await open();
      const rollups = [0, 1, 2].flatMap((i) =>
        ['a', 'b'].flatMap((device) =>
          (['pm10', 'pm25'] as const).map((parameter) =>
            aRollup({ device, site: `site-${device}`, parameter, from: T0 + i * HOUR }),
          ),
        ),
      );
      await fixture.store.writeRollups(rollups.toReversed());
      const found = async (query: Partial<RollupQuery>): Promise<Rollup[]> =>
        fixture.store.queryRollups({ ...all, tier: 'hour', ...query });
      for (let limit = 1; limit <= 12; limit++) {
        expect(await found({ limit })).toEqual(rollups.slice(0, limit));
        const descending = rollups.toSorted((x, y) => y.from - x.from);
        expect(await found({ limit, order: 'desc' })).toEqual(descending.slice(0, limit));
      }
      const span = { from: T0 + HOUR, to: T0 + 2 * HOUR };
      const matching = rollups.filter(
        ({ from, device, parameter }) => from === span.from && device === 'b' && parameter === 'pm10',
      );
      expect(await found({ span, site: 'site-b', device: 'b', parameter: 'pm10' })).toEqual(matching);
      expect(await fixture.store.countRollups({ tier: 'hour', span, site: 'site-b' })).toBe(2);
      expect(await fixture.store.countRollups({ tier: 'hour', parameter: 'pm10' })).toBe(6);
    });

    it('refuses a roll-up that contradicts itself by name, and stores its neighbours', async () => {
      await using fixture = await open();
      const bad = [
        aRollup({ mean: NaN }),
        aRollup({ mean: null }),
        aRollup({ valid: 0 }),
        aRollup({ received: 0.5 }),
        aRollup({ from: NaN }),
        aRollup({ to: T0 + 1 }),
      ];
      const { refused } = await fixture.store.writeRollups([...bad, aRollup({ device: 'b' })]);
      expect(refused.map(({ point }) => point)).toEqual(bad);
      expect(await fixture.store.queryRollups({ ...all, tier: 'hour' })).toEqual([aRollup({ device: 'b' })]);
    });
  });
}
