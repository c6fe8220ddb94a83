import { describeWith, freePort, startInfluxd, type InfluxFixture } from '#libs/testing';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InfluxStore, type InfluxStoreOptions } from './influx-store.js';
import { aPoint, describeTimeSeriesStoreContract } from './time-series-store.contract.js';

describeWith(['influxd'], 'InfluxStore on a real InfluxDB 1.x', () => {
  let influx: InfluxFixture;
  let databases = 0;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx[Symbol.asyncDispose]());

  /** A store on an empty database of the running server. */
  async function openStore(options: Partial<InfluxStoreOptions> = {}): Promise<InfluxStore> {
    const store = new InfluxStore({
      url: influx.url,
      version: 1,
      database: `test "${databases++}"`,
      timeoutMs: 10_000,
      ...options,
    });
    await store.setUp();
    return store;
  }

  describeTimeSeriesStoreContract('InfluxDB 1.x', async () => {
    const store = await openStore();
    return { store, [Symbol.asyncDispose]: () => store.close() };
  });

  it('names the points that InfluxDB refuses, in its own words, and stores all others', async () => {
    const store = await openStore({ database: 'conflict' });
    // Somebody else made the field of one series's shard an integer.
    const body = `reading,device=udara-01,parameter=pm25,site=betung value=1i ${aPoint().ts}`;
    await fetch(`${influx.url}/write?db=conflict&precision=ms`, { method: 'POST', body });
    const good = Array.from({ length: 20 }, (_, i) => aPoint({ ts: aPoint().ts + 14 * 86_400_000 + i }));
    const bad = [aPoint({ ts: aPoint().ts + 1 }), aPoint({ ts: aPoint().ts + 2 })];
    const { refused } = await store.write([...good.slice(0, 7), bad[0]!, ...good.slice(7), bad[1]!]);
    expect(refused.map(({ point }) => point)).toEqual(bad);
    expect(refused[0]!.message).toMatch(/field type conflict/);
    expect(await store.count({ span: { from: good[0]!.ts, to: good[0]!.ts + 100 } })).toBe(20);
  });

  it('says so when InfluxDB is away, keeps nothing back, and works again once it has returned', async () => {
    const store = await openStore();
    await store.write([aPoint()]);
    await influx.stop('SIGKILL');
    await expect(store.write([aPoint({ ts: aPoint().ts + 1 })])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      transient: true,
    });
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await influx.start();
    await store.write([aPoint({ ts: aPoint().ts + 1 })]);
    expect(await store.count({})).toBe(2);
  });

  it('tells a database that does not exist from a server that is away', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'missing', timeoutMs: 10_000 });
    await expect(store.write([aPoint()])).rejects.toMatchObject({ code: 'STORE_CONFIG', transient: true });
  });
});

describe('InfluxStore without a server', () => {
  it('fails as transient when nothing listens', async () => {
    const store = new InfluxStore({
      url: `http://127.0.0.1:${await freePort()}`,
      version: 1,
      database: 'x',
      timeoutMs: 1_000,
    });
    await expect(store.write([aPoint()])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      transient: true,
    });
  });

  // InfluxDB 2 is in no Debian release, so these check the requests against its documented API, not against a server.
  it('speaks the documented 2.x write API: path, token, body', async () => {
    const requests: { url: string | undefined; authorization: string | undefined; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        requests.push({ url: request.url, authorization: request.headers.authorization, body });
        response.writeHead(204).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = new InfluxStore({
      url,
      version: 2,
      database: 'pantau',
      org: 'banyuasin',
      token: 't0ken',
      timeoutMs: 5_000,
    });
    await store.write([aPoint({ device: 'a b,c=d' })]);
    expect(requests).toEqual([
      {
        url: '/api/v2/write?org=banyuasin&bucket=pantau&precision=ms',
        authorization: 'Token t0ken',
        body: `reading,device=a\\ b\\,c\\=d,parameter=pm25,site=betung flag=1,receivedAt=${aPoint().receivedAt},value=12.5 ${aPoint().ts}`,
      },
    ]);
    server.close();
  });
});
