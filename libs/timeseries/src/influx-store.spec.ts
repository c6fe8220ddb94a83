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

  it('names every point that is beyond the retention policy, and stores all others', async () => {
    const store = await openStore({ database: 'short' });
    await ask(influx.url, 'ALTER RETENTION POLICY autogen ON short DURATION 1d SHARD DURATION 1h');
    const now = Date.now();
    const old = Array.from({ length: 6_000 }, (_, i) => aPoint({ ts: now - 10 * 86_400_000 + i }));
    const recent = Array.from({ length: 5 }, (_, i) => aPoint({ ts: now - i }));
    const { refused } = await store.write([...old, ...recent]);
    expect(refused.map(({ point }) => point)).toEqual(old);
    expect(refused[0]!.message).toMatch(/beyond retention policy/);
    expect(await store.count({})).toBe(5);
  });

  it('refuses a tag that the line protocol cannot hold, instead of storing it as another one', async () => {
    const store = await openStore();
    const bad = ['x\\', 'a\nb', ''].map((device) => aPoint({ device }));
    const { refused } = await store.write([...bad, aPoint()]);
    expect(refused.map(({ point }) => point)).toEqual(bad);
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
  });

  it('keeps both points of a device that measured the same instant under two sites', async () => {
    const store = await openStore();
    await store.write([aPoint()]);
    await store.write([aPoint({ site: 'sembawa' })]);
    expect(await store.count({})).toBe(2);
    expect(await store.count({ site: 'sembawa' })).toBe(1);
  });

  it('names the version of the server once it has answered', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'x', timeoutMs: 10_000 });
    expect(store.description).toContain('influxdb 1.x at http');
    await store.ping();
    expect(store.description).toMatch(/^influxdb 1\.\d+\.\d+.* at http/);
  });

  it('rejects a query that InfluxDB cannot read, instead of answering with nothing', async () => {
    const store = await openStore();
    await expect(store.count({ span: { from: NaN, to: 1 } })).rejects.toMatchObject({ code: 'STORE_CONFIG' });
  });

  it('tells a database that does not exist from a server that is away', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'missing', timeoutMs: 10_000 });
    await expect(store.write([aPoint()])).rejects.toMatchObject({ code: 'STORE_CONFIG', transient: true });
  });
});

describeWith(['influxd'], 'InfluxStore on a real InfluxDB 1.x with authentication', () => {
  const admin = { username: 'admin', password: 'a dmin:"1"' };
  const writer = { username: 'pantau', password: 'p4ssword' };

  it('works with rights on the database alone, and tells wrong credentials from a server that is away', async () => {
    await using influx = await startInfluxd({ auth: true });
    await ask(influx.url, `CREATE USER admin WITH PASSWORD 'a dmin:"1"' WITH ALL PRIVILEGES`);
    const options = { url: influx.url, version: 1, database: 'pantau', timeoutMs: 10_000 } as const;
    const store = new InfluxStore({ ...options, ...writer });
    await expect(store.setUp()).rejects.toMatchObject({ code: 'STORE_CONFIG', transient: true });
    await new InfluxStore({ ...options, ...admin }).setUp();
    await ask(influx.url, `CREATE USER pantau WITH PASSWORD 'p4ssword'`, admin);
    await ask(influx.url, 'GRANT ALL ON pantau TO pantau', admin);
    await store.setUp();
    await store.write([aPoint()]);
    expect(await store.query({ limit: 1, order: 'asc' })).toEqual([aPoint()]);
    for (const wrong of [{ ...writer, password: 'other' }, {}]) {
      const stranger = new InfluxStore({ ...options, ...wrong });
      await expect(stranger.write([aPoint()])).rejects.toMatchObject({ code: 'STORE_CONFIG' });
      await expect(stranger.count({})).rejects.toMatchObject({ code: 'STORE_CONFIG' });
    }
  });
});

/** A statement by raw HTTP: what an administrator does beside Pantau. */
async function ask(
  url: string,
  statement: string,
  user?: { username: string; password: string },
): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${user?.username}:${user?.password}`).toString('base64')}`;
  const response = await fetch(`${url}/query?q=${encodeURIComponent(statement)}`, {
    method: 'POST',
    headers: user === undefined ? {} : { authorization },
  });
  const body = await response.text();
  if (!response.ok || body.includes('"error"')) throw new Error(`${statement}: ${body}`);
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** A server that answers as it is told and keeps what it was asked. */
async function startServer(answer: (path: string, body: string) => Answer | undefined): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly requests: { method: string; url: string; authorization: string | undefined; body: string }[];
  }
> {
  const requests: { method: string; url: string; authorization: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ method, url, authorization: request.headers.authorization, body });
      const told = answer(url.split('?')[0]!, body);
      if (told === undefined) return;
      response.writeHead(told.status, {
        'content-type': 'application/json; charset=utf-8',
        'x-influxdb-version': 'v2.7.12',
      });
      response.end(told.body === undefined ? undefined : JSON.stringify(told.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('InfluxStore and a server in trouble', () => {
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

  it.each([429, 500, 503])('fails as transient when the server answers %i', async (status) => {
    await using server = await startServer(() => ({ status }));
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 5_000 });
    const expected = { code: 'STORE_UNAVAILABLE', transient: true };
    await expect(store.write([aPoint()])).rejects.toMatchObject(expected);
    await expect(store.count({})).rejects.toMatchObject(expected);
    expect(server.requests).toHaveLength(2);
  });

  it('fails as transient when the server takes the request and never answers', async () => {
    await using server = await startServer(() => undefined);
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 200 });
    const expected = { code: 'STORE_UNAVAILABLE', transient: true };
    await expect(store.write([aPoint()])).rejects.toMatchObject(expected);
    await expect(store.ping()).rejects.toMatchObject(expected);
  });

  it('reaches a server behind the path of a proxy, for writes and for reads', async () => {
    await using server = await startServer((path) => ({ status: path.endsWith('/write') ? 204 : 200 }));
    const store = new InfluxStore({
      url: `${server.url}/influx/`,
      version: 1,
      database: 'x',
      timeoutMs: 5_000,
    });
    await store.write([aPoint()]);
    await store.count({});
    expect(server.requests.map(({ url }) => url.split('?')[0])).toEqual(['/influx/write', '/influx/query']);
  });
});

// InfluxDB 2 is in no Debian release, so these check the requests against its documented API, not against a server.
describe('InfluxStore and the documented 2.x API (a protocol check, not a real server)', () => {
  const line = (device: string, ts: number): string =>
    `reading,device=${device},parameter=pm25,site=betung flag=1,receivedAt=${aPoint().receivedAt},value=12.5 ${ts}`;
  const open = (url: string): InfluxStore =>
    new InfluxStore({
      url,
      version: 2,
      database: 'pantau',
      org: 'banyuasin',
      token: 't0ken',
      timeoutMs: 5_000,
    });
  const asked = 'db=pantau&epoch=ms&q=';

  it('writes with path, token and body as documented', async () => {
    await using server = await startServer(() => ({ status: 204 }));
    await open(server.url).write([aPoint({ device: 'a b,c=d' })]);
    expect(server.requests).toEqual([
      {
        method: 'POST',
        url: '/api/v2/write?org=banyuasin&bucket=pantau&precision=ms',
        authorization: 'Token t0ken',
        body: line('a\\ b\\,c\\=d', aPoint().ts),
      },
    ]);
  });

  it('finds the points behind a 422, which is how 2.x refuses a part of a batch', async () => {
    const message = 'failure writing points to database: partial write: field type conflict: … dropped=1';
    await using server = await startServer((_, body) =>
      body.includes('device=bad,')
        ? { status: 422, body: { code: 'unprocessable entity', message } }
        : { status: 204 },
    );
    const points = ['a', 'bad', 'c', 'd'].map((device) => aPoint({ device }));
    expect(await open(server.url).write(points)).toEqual({ refused: [{ point: points[1], message }] });
    const stored = server.requests.filter(({ body }) => !body.includes('bad')).map(({ body }) => body);
    expect(stored.join('\n').split('\n').sort()).toEqual(['a', 'c', 'd'].map((d) => line(d, aPoint().ts)));
  });

  it('reads through InfluxQL with the token', async () => {
    const columns = ['time', 'value', 'flag', 'receivedAt', 'device', 'parameter', 'site'];
    const { ts, value, flag, receivedAt, device, parameter, site } = aPoint();
    const values = [[ts, value, flag, receivedAt, device, parameter, site]];
    await using server = await startServer(() => ({
      status: 200,
      body: { results: [{ statement_id: 0, series: [{ name: 'reading', columns, values }] }] },
    }));
    expect(await open(server.url).query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
    expect(server.requests).toMatchObject([{ method: 'GET', authorization: 'Token t0ken', body: '' }]);
    expect(server.requests[0]!.url.startsWith(`/query?${asked}`)).toBe(true);
  });

  it('maps the bucket for InfluxQL when nothing maps it yet', async () => {
    await using server = await startServer((path) => {
      if (path === '/ping') return { status: 204 };
      if (path === '/query')
        return { status: 200, body: { results: [{ statement_id: 0, error: 'database not found: pantau' }] } };
      if (path === '/api/v2/buckets')
        return { status: 200, body: { buckets: [{ id: '0b3e124e', name: 'pantau' }] } };
      return { status: 201, body: { id: '0c', bucketID: '0b3e124e' } };
    });
    const store = open(server.url);
    await store.setUp();
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /ping',
      expect.stringContaining(`GET /query?${asked}`),
      'GET /api/v2/buckets?org=banyuasin&name=pantau',
      'POST /api/v2/dbrps',
    ]);
    expect(server.requests.every(({ authorization }) => authorization === 'Token t0ken')).toBe(true);
    expect(JSON.parse(server.requests[3]!.body)).toEqual({
      org: 'banyuasin',
      bucketID: '0b3e124e',
      database: 'pantau',
      retention_policy: 'autogen',
      default: true,
    });
    expect(store.description).toContain('influxdb v2.7.12 at http');
  });

  it('leaves a mapping alone that is there', async () => {
    await using server = await startServer((path) =>
      path === '/ping' ? { status: 204 } : { status: 200, body: { results: [{ statement_id: 0 }] } },
    );
    await open(server.url).setUp();
    expect(server.requests.map(({ url }) => url.split('?')[0])).toEqual(['/ping', '/query']);
  });

  it.each([
    [404, { code: 'not found', message: 'bucket "pantau" not found' }],
    [401, { code: 'unauthorized', message: 'unauthorized access' }],
  ])('reports a %i as a fault of the configuration, in the words of InfluxDB', async (status, body) => {
    await using server = await startServer(() => ({ status, body }));
    const expected = {
      code: 'STORE_CONFIG',
      transient: true,
      message: expect.stringContaining(body.message),
    };
    await expect(open(server.url).write([aPoint()])).rejects.toMatchObject(expected);
    await expect(open(server.url).count({})).rejects.toMatchObject(expected);
  });

  it('rejects a query that is answered with 400, instead of answering with nothing', async () => {
    await using server = await startServer(() => ({
      status: 400,
      body: { code: 'invalid', message: 'error parsing query' },
    }));
    await expect(open(server.url).count({})).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      message: expect.stringContaining('error parsing query'),
    });
  });

  it('says so when there is no such bucket to map', async () => {
    await using server = await startServer((path) => {
      if (path === '/ping') return { status: 204 };
      if (path === '/query')
        return { status: 404, body: { code: 'not found', message: 'no dbrp mapping found' } };
      return { status: 200, body: { buckets: [] } };
    });
    await expect(open(server.url).setUp()).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      message: expect.stringContaining('no bucket "pantau"'),
    });
  });
});
