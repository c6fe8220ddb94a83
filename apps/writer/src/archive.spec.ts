import 'reflect-metadata';
import { DAY, HOUR, localDaySpan, MINUTE, seededRandom, type UtcMillis } from '#libs/kernel';
import type { Observation } from '#libs/telemetry';
import { describeWith, startInfluxd, temporaryFolder } from '#libs/testing';
import { Archive, type ArchivedDay, type Point, type TimeSeriesStore } from '#libs/timeseries';
import { DuckDbStore, writeParquet } from '#libs/engine-duckdb';
import { InfluxStore } from '#libs/engine-influx';
import { DuckDBInstance } from '@duckdb/node-api';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openWriters } from './writer.fixture.js';

const DEVICES = ['udara-01', 'udara-02', 'udara-03'];
const DATES = ['2015-12-06', '2015-12-07', '2015-12-08'] as const;
const [SUNDAY, MONDAY, TUESDAY] = DATES.map((date) => localDaySpan(date)!) as [Span, Span, Span];
type Span = NonNullable<ReturnType<typeof localDaySpan>>;

function reading(device: string, ts: UtcMillis, value: number): Observation {
  const readings = [
    { parameter: 'pm25', value, flag: 1 },
    { parameter: 'humidity', value: value / 3, flag: 3 },
  ] as const;
  return { site: 'betung', device, ts, receivedAt: ts + 5, uplink: { shard: 0, offset: 0 }, readings };
}

describe('the archive of DuckDB', () => {
  it('holds every reading of every day that is over, and again with what came late', async () => {
    using folder = temporaryFolder('archive');
    await keepsEveryDay(await DuckDbStore.open(join(folder.path, 'readings.duckdb')));
  });

  it('leaves a file alone whose day the store has begun to forget', async () => {
    using folder = temporaryFolder('archive');
    await using store = await opened(join(folder.path, 'readings.duckdb'));
    await using stage = await openWriters(store.store, DEVICES);
    let now = TUESDAY.to + DAY;
    const archive = new Archive({
      writeParquet,
      ...{ store: store.store, state: stage.state, clock: { now: () => now }, folder: folder.path },
      ...{ afterMs: DAY, keptMs: 10 * DAY, devices: async () => DEVICES },
    });
    await stage.append([reading('udara-01', MONDAY.from, 1), reading('udara-01', TUESDAY.from, 2)]);
    await stage.caughtUp();
    expect(await archive.run(new AbortController().signal)).toHaveLength(2);
    now = MONDAY.from + 10 * DAY + HOUR;
    await stage.append([reading('udara-01', MONDAY.to - 1, 3), reading('udara-01', TUESDAY.to - 1, 4)]);
    await stage.caughtUp();
    expect(await archive.run(new AbortController().signal)).toEqual([{ date: '2015-12-08', points: 4 }]);
    expect(await rowsOf(join(folder.path, '2015-12-07.parquet'))).toHaveLength(2);
  });
});

describeWith(['influxd'], 'the archive of a real InfluxDB', () => {
  it('holds every reading of every day that is over, and again with what came late', async () => {
    await using influx = await startInfluxd();
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'archive', timeoutMs: 10_000 });
    await store.setUp();
    await keepsEveryDay(store);
  });
});

async function opened(file: string): Promise<AsyncDisposable & { readonly store: DuckDbStore }> {
  const store = await DuckDbStore.open(file);
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

async function keepsEveryDay(store: TimeSeriesStore): Promise<void> {
  using folder = temporaryFolder('archive');
  await using stage = await openWriters(store, DEVICES);
  let now = MONDAY.to + DAY - 1;
  let stop = new AbortController();
  let stopInTheMiddle = false;
  const path = join(folder.path, 'parquet');
  const archive = new Archive({
    writeParquet,
    ...{ store, state: stage.state, clock: { now: () => now }, folder: path },
    ...{ afterMs: DAY, keptMs: Infinity },
    devices: async () => {
      if (stopInTheMiddle) stop.abort();
      return DEVICES;
    },
  });
  const run = (): Promise<ArchivedDay[]> => archive.run(stop.signal);
  const random = seededRandom(1);
  const everything: Observation[] = [];
  const append = async (readings: readonly Observation[]): Promise<void> => {
    everything.push(...readings);
    await stage.append(readings);
    await stage.caughtUp();
  };
  /** What the file of a day must hold, in the order of its lines. */
  const expected = (span: Span): Point[] => {
    const points = new Map<string, Point>();
    for (const { site, device, ts, receivedAt, readings } of everything) {
      if (ts < span.from || ts >= span.to) continue;
      for (const { parameter, value, flag } of readings)
        points.set(`${device} ${ts} ${parameter}`, { site, device, parameter, ts, value, flag, receivedAt });
    }
    return Array.from(points)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, point]) => point);
  };

  // Twelve thousand points a device on Monday, more than one page; the first and last instants of the days with them.
  const step = (DAY - 1) / 6_000;
  for (const device of DEVICES) {
    const monday = Array.from({ length: 6_001 }, (_, i) =>
      reading(device, MONDAY.from + Math.floor(i * step), Math.round(random() * 1e6) / 7),
    );
    await append([reading(device, SUNDAY.to - 1, 1), ...monday, reading(device, TUESDAY.from, 2)]);
  }

  // Monday ended less than a day ago.
  expect(await run()).toEqual([{ date: '2015-12-06', points: 6 }]);
  now += 1;
  expect(await run()).toEqual([{ date: '2015-12-07', points: 3 * 2 * 6_001 }]);
  expect(await rowsOf(join(path, '2015-12-06.parquet'))).toEqual(expected(SUNDAY));
  expect(await rowsOf(join(path, '2015-12-07.parquet'))).toEqual(expected(MONDAY));
  expect(await run()).toEqual([]);

  // Late: a new reading, and one that replaces another without any roll-up noticing.
  const { ts } = everything.find((observation) => observation.ts > MONDAY.from + HOUR)!;
  await append([reading('udara-02', MONDAY.from + 7, 9), reading('udara-01', ts, 8)]);
  now += DAY;
  expect((await run()).map(({ date }) => date)).toEqual(['2015-12-07', '2015-12-08']);
  expect(await rowsOf(join(path, '2015-12-07.parquet'))).toEqual(expected(MONDAY));
  expect(await rowsOf(join(path, '2015-12-08.parquet'))).toEqual(expected(TUESDAY));
  expect(readdirSync(path).sort()).toEqual(DATES.map((date) => `${date}.parquet`));

  // Stopped in the middle, it leaves the old file and takes the day up again.
  await append([reading('udara-03', SUNDAY.to - 5 * MINUTE, 3)]);
  stopInTheMiddle = true;
  expect(await run()).toEqual([]);
  stopInTheMiddle = false;
  stop = new AbortController();
  expect(existsSync(join(path, '2015-12-06.parquet.unfinished'))).toBe(false);
  expect(await rowsOf(join(path, '2015-12-06.parquet'))).toHaveLength(6);
  expect(await run()).toEqual([{ date: '2015-12-06', points: 8 }]);
  expect(await rowsOf(join(path, '2015-12-06.parquet'))).toEqual(expected(SUNDAY));
}

async function rowsOf(file: string): Promise<Point[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = await connection.runAndReadAll('SELECT * FROM read_parquet($1)', [file]);
  const points = rows
    .getRowObjects()
    .map(
      ({ received_at, ts, ...rest }) =>
        ({ ...rest, ts: Number(ts), receivedAt: Number(received_at) }) as unknown as Point,
    );
  connection.closeSync();
  instance.closeSync();
  return points;
}
