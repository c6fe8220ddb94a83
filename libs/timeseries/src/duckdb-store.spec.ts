import { temporaryFolder } from '#libs/testing';
import { join } from 'node:path';
import { DuckDbStore } from './duckdb-store.js';
import { aPoint, describeTimeSeriesStoreContract } from './time-series-store.contract.js';

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
    await first.write([aPoint()]);
    await first.close();
    const second = await DuckDbStore.open(file);
    expect(await second.query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
    await second.close();
  });

  it('says which file it cannot open', async () => {
    await expect(DuckDbStore.open('/no/such/folder/readings.duckdb')).rejects.toThrow(
      /STORE_UNAVAILABLE: .*\/no\/such\/folder/,
    );
  });
});
