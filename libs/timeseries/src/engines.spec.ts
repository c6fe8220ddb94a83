import { DAY, HOUR, MINUTE, seededRandom, type TimeSpan } from '#libs/kernel';
import type { QualityFlag } from '#libs/telemetry';
import { describeWith, startInfluxd, temporaryFolder, type InfluxFixture } from '#libs/testing';
import { join } from 'node:path';
import { DuckDbStore } from '#libs/engine-duckdb';
import { InfluxStore } from '#libs/engine-influx';
import type { Point, PointQuery, TimeSeriesStore } from './time-series-store.js';
import { aPoint, aRollup, observed } from './timeseries.contract.js';

const T0 = Date.UTC(2015, 11, 7);
const SITES = ['betung', 'sembawa', 'talang-kelapa'] as const;
/** A device stands at one site: InfluxDB would keep the same instant under two sites as two points. */
const DEVICES = Array.from({ length: 7 }, (_, i) => ({ device: `udara-0${i}`, site: SITES[i % 3]! }));
const PARAMETERS = ['pm25', 'pm10', 'temperature'] as const;
const FLAGS: readonly QualityFlag[] = [1, 1, 1, 2, 3, 4, 9];
const QUERIES = 200;

describeWith(['influxd'], 'DuckDB and a real InfluxDB', () => {
  let influx: InfluxFixture;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx[Symbol.asyncDispose]());

  it.each([1, 2])('give the same answers to the same queries on the same data (seed %i)', async (seed) => {
    using folder = temporaryFolder('engines');
    const duck = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
    const options = { url: influx.url, version: 1, database: `seed-${seed}`, timeoutMs: 10_000 } as const;
    const stores: [TimeSeriesStore, TimeSeriesStore] = [duck, new InfluxStore(options)];
    const chance = new Chance(seed);
    for (const store of stores) await store.setUp();

    // Few instants for many series, so that there are overwrites and ties; now and then far back, as late data are.
    for (let batch = 0; batch < 30; batch++) {
      // A process that begins anew knows of what is stored only what it asks.
      if (chance.yes(0.2)) {
        await stores[1].close();
        stores[1] = new InfluxStore(options);
      }
      const points = Array.from({ length: 100 }, () => chance.points(batch)).flat();
      const rollups = points.flatMap((point) => (chance.yes(0.3) ? [chance.rollup(point)] : []));
      const reports = await Promise.all(
        stores.map(async (store) => [
          await store.write(observed(...points)),
          await store.writeRollups(rollups),
        ]),
      );
      expect(reports[0]).toEqual([{ refused: [] }, { refused: [] }]);
      expect(reports[1]).toEqual(reports[0]);
    }

    let rows = 0;
    for (let i = 0; i < QUERIES; i++) {
      const query = chance.query();
      const tier = chance.of(['hour', 'day'] as const);
      const [expected, found] = await Promise.all(
        stores.map(async (store) => ({
          points: await store.query(query),
          count: await store.count(query),
          rollups: await store.queryRollups({ ...query, tier }),
          rollupCount: await store.countRollups({ ...query, tier }),
        })),
      );
      // The query is part of the comparison, so that a difference names it.
      expect({ query, ...found }).toEqual({ query, ...expected });
      rows += expected!.points.length + expected!.rollups.length;
    }
    expect(rows).toBeGreaterThan(5_000);
    for (const store of stores) await store.close();
  });

  const at = (minute: number, flag: QualityFlag, of: Partial<Point> = {}): Point =>
    aPoint({ ts: T0 + minute * MINUTE, flag, value: flag, ...of });
  const moved = { site: 'sembawa' };
  /** What is written, by batch. */
  const histories: Readonly<Record<string, readonly (readonly Point[])[]>> = {
    'is lifted': [[at(0, 3)], [at(0, 1)]],
    'is set': [[at(0, 1)], [at(0, 3)]],
    'is lifted in the batch that set it': [[at(0, 3), at(1, 1), at(0, 1)]],
    'is lifted by what follows it': [[at(0, 3), at(0, 1, { receivedAt: T0 + 2 })]],
    'is lifted in the same message': [[at(0, 3), at(0, 1)]],
    'comes late': [[at(1, 1)], [at(0, 3)], [at(0, 1)]],
    'comes with an amended spike': [[at(0, 1)], [at(1, 1), at(0, 3)], [at(2, 1)], [at(0, 1)]],
    'is beside others': [
      [at(0, 3), at(0, 4, { parameter: 'pm10' })],
      [at(0, 1, { parameter: 'pm10' }), at(0, 9, { parameter: 'co' })],
    ],
    'was set where the device stood before': [[at(1, 3)], [at(0, 1, moved)], [at(1, 1)]],
    'is older than a device has been silent': [
      [at(0, 3)],
      [at(90 * 24 * 60, 1, { device: 'other', receivedAt: T0 + 90 * DAY }), at(0, 1)],
    ],
  };

  it.each(
    Object.entries(histories).flatMap(([name, batches]) =>
      [false, true].map((restarts) => ({ name, batches, restarts })),
    ),
  )('give the same flags where one $name (restarts: $restarts)', async ({ name, batches, restarts }) => {
    using folder = temporaryFolder('engines');
    const duck = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
    const database = `${name} ${restarts}`;
    const open = (): InfluxStore =>
      new InfluxStore({ url: influx.url, version: 1, database, timeoutMs: 10_000 });
    let store = open();
    await store.setUp();
    for (const batch of batches) {
      await duck.write(observed(...batch));
      await store.write(observed(...batch));
      if (!restarts) continue;
      await store.close();
      store = open();
    }
    // The arrival of an instant is one in InfluxDB, and of each reading in DuckDB.
    const flagsOf = async (of: TimeSeriesStore): Promise<unknown[]> =>
      (await of.query({ limit: 100, order: 'asc' })).map((point) => ({ ...point, receivedAt: 0 }));
    expect(await flagsOf(store)).toEqual(await flagsOf(duck));
    expect(await store.count({})).toBe(await duck.count({}));
    await store.close();
    await duck.close();
  });
});

/** Seeded choices. */
class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  yes(share: number): boolean {
    return this.#random() < share;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** Of one message, of the hour of the batch or late. */
  points(batch: number): Point[] {
    const hour = this.yes(0.1) ? -this.below(1_000) : batch;
    const ts = T0 + hour * HOUR + this.below(6) * 10 * MINUTE + (this.yes(0.1) ? 1 : 0);
    const place = this.of(DEVICES);
    const measured = PARAMETERS.slice(this.below(PARAMETERS.length));
    return measured.map((parameter) =>
      aPoint({
        ...place,
        parameter,
        ts,
        value: (this.#random() - 0.2) * 10 ** this.below(6),
        flag: this.of(FLAGS),
        receivedAt: ts + 7,
      }),
    );
  }

  rollup({ site, device, parameter, ts, value }: Point): ReturnType<typeof aRollup> {
    const tier = this.of(['hour', 'day'] as const);
    const length = tier === 'hour' ? HOUR : DAY;
    const series = { site, device, parameter, tier, from: Math.floor(ts / length) * length };
    return this.yes(0.2)
      ? aRollup({ ...series, valid: 0, mean: null, min: null, max: null })
      : aRollup({
          ...series,
          mean: value,
          min: value - 1,
          max: value + this.#random(),
          received: this.below(61),
        });
  }

  query(): PointQuery {
    return {
      ...(this.yes(0.3) ? { site: this.of([...SITES, 'nowhere']) } : {}),
      ...(this.yes(0.3) ? { device: this.of([...DEVICES.map(({ device }) => device), 'nobody']) } : {}),
      ...(this.yes(0.3) ? { parameter: this.of([...PARAMETERS, 'co' as const]) } : {}),
      ...(this.yes(0.6) ? { span: this.#span() } : {}),
      limit: this.of([1, 2, 3, 5, 10, 50, 1_000]),
      order: this.of(['asc', 'desc'] as const),
    };
  }

  #span(): TimeSpan {
    // On the instants of points and beside them, empty and the wrong way round too.
    const from = T0 + (this.below(34) - 2) * HOUR + this.below(3) * 10 * MINUTE + this.below(2);
    return { from, to: from + this.of([-HOUR, 0, 1, 10 * MINUTE, HOUR, 5 * HOUR, DAY]) };
  }
}
