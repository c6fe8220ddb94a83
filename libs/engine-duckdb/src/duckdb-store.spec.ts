import { DAY, HOUR } from '#libs/kernel';
import { startProcess, temporaryFolder, waitUntil } from '#libs/testing';
import { DuckDBInstance } from '@duckdb/node-api';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDbStore } from './duckdb-store.js';
import { aPoint, aRollup, describeTimeSeriesStoreContract, observed } from '#contracts/timeseries';

describeTimeSeriesStoreContract('DuckDB', async () => {
  const folder = temporaryFolder('duckdb');
  const store = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
});

describe('DuckDbStore', () => {
  it('keeps everything across a restart', async () => {
    using folder = temporaryFolder('duckdb');
    const file = join(folder.path, 'readings.duckdb');
    const first = await DuckDbStore.open(file);
    await first.write(observed(aPoint()));
    await first.close();
    const second = await DuckDbStore.open(file);
    expect(await second.query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
    await second.close();
  });

  it('has a batch on disk when the write resolves', async () => {
    using folder = temporaryFolder('duckdb');
    const file = join(folder.path, 'readings.duckdb');
    const store = await DuckDbStore.open(file);
    await store.write(observed(aPoint({ value: 1 }), aPoint({ value: 2 })));
    // What a process that dies now would leave behind.
    const copy = join(folder.path, 'copy.duckdb');
    for (const suffix of ['', '.wal'])
      if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
    const found = await DuckDbStore.open(copy);
    expect(await found.query({ limit: 10, order: 'asc' })).toEqual([aPoint({ value: 2 })]);
    await found.close();
    await store.close();
  });

  it('opens a file of before the names of failed tests and doubts were kept', async () => {
    using folder = temporaryFolder('duckdb');
    const file = join(folder.path, 'readings.duckdb');
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(
      'CREATE TABLE reading (site VARCHAR, device VARCHAR, parameter VARCHAR, ts BIGINT, value DOUBLE, flag UTINYINT, received_at BIGINT)',
    );
    const old = aPoint({ flag: 3 });
    await connection.run(
      `INSERT INTO reading VALUES ('${old.site}', '${old.device}', 'pm25', ${old.ts}, ${old.value}, 3, ${old.receivedAt})`,
    );
    connection.closeSync();
    instance.closeSync();
    const store = await DuckDbStore.open(file);
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([old]);
    const named = { ...old, failed: ['device'], doubt: 'lasers apart' };
    await store.write(observed(named));
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([named]);
    await store.close();
  });

  it('opens a file of before these figures were kept, and reads and replaces its roll-ups', async () => {
    using folder = temporaryFolder('duckdb');
    const file = join(folder.path, 'readings.duckdb');
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(
      `CREATE TABLE rollup_hour (site VARCHAR, device VARCHAR, parameter VARCHAR, ts BIGINT,
        expected INTEGER, received INTEGER, valid INTEGER, mean DOUBLE, min DOUBLE, max DOUBLE)`,
    );
    const { from } = aRollup();
    await connection.run(
      `INSERT INTO rollup_hour VALUES ('betung', 'udara-01', 'pm25', ${from}, 60, 58, 57, 12.5, 0.1, 31)`,
    );
    connection.closeSync();
    instance.closeSync();
    const store = await DuckDbStore.open(file);
    const query = { tier: 'hour', limit: 10, order: 'asc' } as const;
    expect(await store.queryRollups(query)).toEqual([aRollup({ min: 0.1 })]);
    const later = {
      unusual: 1,
      covered: 0.9,
      unusualShare: 0.1,
      validWithoutUnusual: 56,
      meanWithoutUnusual: 12,
    };
    await store.writeRollups([aRollup(later)]);
    expect(await store.queryRollups(query)).toEqual([aRollup(later)]);
    await store.close();
  });

  it('replaces a point that is written again under another site', async () => {
    using folder = temporaryFolder('duckdb');
    const store = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
    await store.write(observed(aPoint()));
    await store.write(observed(aPoint({ site: 'sembawa' })));
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([aPoint({ site: 'sembawa' })]);
    await store.close();
  });

  it('deletes what each tier does not keep any longer, and refuses what it would delete', async () => {
    using folder = temporaryFolder('duckdb');
    let now = aPoint().ts + HOUR;
    const clock = { now: () => now };
    const retention = { raw: 2 * DAY, hour: 4 * DAY, day: Infinity };
    const store = await DuckDbStore.open(join(folder.path, 'readings.duckdb'), { retention, clock });
    const points = [0, 1].map((i) => aPoint({ ts: aPoint().ts - i * DAY }));
    const hours = [0, 1].map((i) => aRollup({ from: aPoint().ts - i * DAY }));
    const day = aRollup({ tier: 'day', from: aPoint().ts - 100 * DAY });
    const old = aPoint({ ts: now - 2 * DAY - 1 });
    expect(await store.write(observed(old, ...points))).toEqual({
      refused: [{ point: old, message: 'beyond the retention of 2d' }],
    });
    const oldHour = aRollup({ from: aPoint().ts - 5 * DAY });
    expect(await store.writeRollups([day, oldHour, ...hours])).toEqual({
      refused: [{ point: oldHour, message: 'beyond the retention of 4d' }],
    });
    expect(await store.expire()).toBe(0);
    now += DAY;
    expect(await store.expire()).toBe(1);
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([points[0]]);
    now += 2 * DAY;
    expect(await store.expire()).toBe(2);
    expect([await store.count({}), await store.countRollups({ tier: 'hour' })]).toEqual([0, 1]);
    now += 1_000 * DAY;
    expect(await store.expire()).toBe(1);
    expect(await store.countRollups({ tier: 'day' })).toBe(1);
    await store.close();
  });

  it('finishes what is under way before it closes', async () => {
    using folder = temporaryFolder('duckdb');
    const store = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
    await store.write(observed(...Array.from({ length: 10_000 }, (_, i) => aPoint({ ts: aPoint().ts + i }))));
    const reads = Array.from({ length: 20 }, () => store.query({ limit: 10_000, order: 'desc' }));
    const write = store.write(observed(aPoint()));
    await store.close();
    for (const points of await Promise.all(reads)) expect(points).toHaveLength(10_000);
    expect(await write).toEqual({ refused: [] });
  });

  it('writes the points of a span into one Parquet file, ordered by device, parameter and time', async () => {
    using folder = temporaryFolder('duckdb');
    const store = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
    const { ts } = aPoint();
    const points = [0, 1, 2].flatMap((i) =>
      ['b', 'a'].map((device) => aPoint({ device, ts: ts + i, value: i })),
    );
    await store.write(observed(...points));
    const file = join(folder.path, "year's readings.parquet");
    expect(await store.exportParquet(file, { from: ts, to: ts + 2 })).toBe(4);
    await store.close();
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const rows = await connection.runAndReadAll('SELECT * FROM read_parquet($1)', [file]);
    expect(rows.columnNames()).toEqual(['site', 'device', 'parameter', 'ts', 'value', 'flag', 'received_at']);
    expect(rows.getRows()).toEqual(
      ['a', 'b'].flatMap((device) =>
        [0, 1].map((i) => ['betung', device, 'pm25', BigInt(ts + i), i, 1, BigInt(ts + 1)]),
      ),
    );
    connection.closeSync();
    instance.closeSync();
  });

  it('says that another process holds the file, and how to go on', async () => {
    using folder = temporaryFolder('duckdb');
    const file = join(folder.path, 'readings.duckdb');
    await using holder = startProcess(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { DuckDBInstance } from ${JSON.stringify(import.meta.resolve('@duckdb/node-api'))};
      globalThis.held = await DuckDBInstance.create(${JSON.stringify(file)});
      console.log('held');
      setInterval(() => undefined, 1000);`,
    ]);
    await waitUntil('the other process holds the file', () => holder.output().includes('held'));
    await expect(DuckDbStore.open(file)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      transient: false,
      remedy: expect.stringContaining('end the other one'),
    });
    await holder.stop('SIGKILL');
    await (await DuckDbStore.open(file)).close();
  });

  it('says which file it cannot open', async () => {
    await expect(DuckDbStore.open('/no/such/folder/readings.duckdb')).rejects.toThrow(
      /STORE_UNAVAILABLE: .*\/no\/such\/folder/,
    );
  });
});
