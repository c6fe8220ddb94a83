import { DAY, HOUR } from '#libs/kernel';
import { describeWith, freePort, startInfluxd, type InfluxFixture } from '#libs/testing';
import { PARAMETER_CODES, type Rollup } from '#libs/telemetry';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InfluxStoreOptions } from './influx-options.js';
import { InfluxStore } from './influx-store.js';
import { KEEP_EVERYTHING, type StoreRetention } from '#libs/timeseries';
import { aPoint, aRollup, describeTimeSeriesStoreContract, observed } from '#contracts/timeseries';

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

  it('names the points that InfluxDB refuses in the middle of a big batch, in its own words, with few requests', async () => {
    const store = await openStore({ database: 'conflict' });
    // Somebody else made the field an integer in the shard of one week.
    const body = `reading,device=udara-01,parameter=pm25,site=betung pm25=1i ${aPoint().ts}`;
    await fetch(`${influx.url}/write?db=conflict&precision=ms`, { method: 'POST', body });
    const good = Array.from({ length: 9_000 }, (_, i) => aPoint({ ts: aPoint().ts + 14 * DAY + i }));
    const bad = Array.from({ length: 50 }, (_, i) => aPoint({ ts: aPoint().ts + 1 + i }));
    // As the shards of the journal bring them: scattered.
    const batch = good.flatMap((point, i) => (i % 90 === 0 && i < 4_500 ? [bad[i / 90]!, point] : [point]));
    const before = await writeRequests(influx.url);
    const { refused } = await store.write(observed(...batch));
    expect(refused.map(({ point }) => point)).toEqual(bad);
    expect(refused[0]!.message).toMatch(/field type conflict/);
    expect(await store.count({ span: { from: good[0]!.ts, to: good[0]!.ts + good.length } })).toBe(9_000);
    expect((await writeRequests(influx.url)) - before).toBeLessThan(40);
  });

  it('refuses of each message only the value whose field conflicts', async () => {
    const store = await openStore({ database: 'conflicts' });
    const body = `reading,device=udara-01,site=betung pm25=1i,humidity_flag=1i ${aPoint().ts}`;
    await fetch(`${influx.url}/write?db=conflicts&precision=ms`, { method: 'POST', body });
    const instants = Array.from({ length: 200 }, (_, i) =>
      (['pm25', 'pm10', 'humidity', 'co'] as const).map((parameter) =>
        aPoint({ parameter, ts: aPoint().ts + 1 + i }),
      ),
    );
    const later = Array.from({ length: 200 }, (_, i) => aPoint({ ts: aPoint().ts + 14 * DAY + i }));
    const before = await writeRequests(influx.url);
    const { refused } = await store.write(observed(...instants.flat(), ...later));
    const points = refused.map(({ point }) => point);
    expect(points).toHaveLength(400);
    expect(new Set(points)).toEqual(new Set(instants.flatMap(([pm25, , humidity]) => [pm25!, humidity!])));
    for (const { point, message } of refused)
      expect(message).toMatch(point.parameter === 'pm25' ? /conflict.*"pm25"/ : /conflict.*"humidity_flag"/);
    expect(await store.count({ parameter: 'pm10' })).toBe(200);
    expect(await store.count({ parameter: 'co' })).toBe(200);
    expect(await store.count({ span: { from: later[0]!.ts, to: later[0]!.ts + 200 } })).toBe(200);
    expect((await writeRequests(influx.url)) - before).toBeLessThan(40);
  });

  it('has one series for each device, whatever it measures, also of its hours and days', async () => {
    const store = await openStore({ database: 'one' });
    const parameters = PARAMETER_CODES.map((parameter) => ({ parameter }));
    await store.write(observed(...parameters.map(aPoint)));
    await store.writeRollups(parameters.flatMap((of) => [aRollup(of), aRollup({ ...of, tier: 'day' })]));
    expect((await ask(influx.url, 'SHOW SERIES ON one')).flat().sort()).toEqual([
      'reading,device=udara-01,site=betung',
      'rollup_day,device=udara-01,site=betung',
      'rollup_hour,device=udara-01,site=betung',
    ]);
  });

  it('writes no flag of what passed where none can stand, and a dashboard finds what passed', async () => {
    const store = await openStore({ database: 'passed' });
    const { ts } = aPoint();
    const counted = (where: string): Promise<unknown> =>
      ask(influx.url, `SELECT count("pm25"), count("pm25_flag") FROM passed.autogen.reading${where}`);
    // As a dashboard asks.
    const passed = ' WHERE ("pm25_flag" > 1) = false';
    const start = '1970-01-01T00:00:00Z';
    await store.write(observed(...[0, 1, 2].map((i) => aPoint({ ts: ts + i }))));
    expect([await counted(''), await counted(passed)]).toEqual([[[start, 3, null]], [[start, 3, null]]]);
    // One that is judged again, one that comes late, and in another shard one that did not pass and one that did.
    const later = ts + 14 * DAY;
    await store.write(
      observed(aPoint(), aPoint({ ts: ts - 1 }), aPoint({ ts: later, flag: 3 }), aPoint({ ts: later + 1 })),
    );
    expect([await counted(''), await counted(passed)]).toEqual([[[start, 6, 3]], [[start, 5, 2]]]);
  });

  it('says what to do when the database is not there', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'nowhere', timeoutMs: 5_000 });
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      detail: expect.stringContaining('database not found: nowhere'),
      remedy: expect.stringContaining('"nowhere" exists'),
    });
  });

  it('reads what was written with every flag, and judges it again', async () => {
    const store = await openStore({ database: 'flags' });
    const temperature = aPoint({ parameter: 'temperature', value: -2.5, flag: 4 });
    const { ts, receivedAt } = aPoint();
    const fields = `receivedAt=${receivedAt},pm25=12.5,pm25_flag=1,temperature=-2.5,temperature_flag=4`;
    const body = `reading,device=udara-01,site=betung ${fields} ${ts}`;
    await fetch(`${influx.url}/write?db=flags&precision=ms`, { method: 'POST', body });
    const all = { limit: 10, order: 'asc' } as const;
    expect(await store.query(all)).toEqual([aPoint(), temperature]);
    const judged = [
      { ...aPoint(), flag: 3 },
      { ...temperature, flag: 1 },
    ] as const;
    await store.write(observed(...judged.toReversed()));
    expect(await store.query(all)).toEqual(judged);
  });

  it('keeps the arrival of the message that was stored last for an instant', async () => {
    const store = await openStore();
    const pm25 = aPoint();
    const humidity = aPoint({ parameter: 'humidity', receivedAt: pm25.receivedAt + 5_000 });
    await store.write(observed(pm25));
    await store.write(observed(humidity));
    const { receivedAt } = humidity;
    expect(await store.query({ limit: 2, order: 'asc' })).toEqual([humidity, { ...pm25, receivedAt }]);
  });

  it('finds its readings among points of others in the same measurement', async () => {
    const store = await openStore({ database: 'shared' });
    // As Pantau once wrote them, and without any reading.
    const strangers = Array.from(
      { length: 10 },
      (_, i) => `reading,device=udara-01,parameter=pm25,site=betung value=1,flag=1,receivedAt=1 ${i}`,
    );
    const body = [...strangers, `reading,device=udara-01,site=betung receivedAt=1 11`].join('\n');
    await fetch(`${influx.url}/write?db=shared&precision=ms`, { method: 'POST', body });
    await store.write(observed(aPoint()));
    expect(await store.query({ limit: 1, order: 'asc' })).toEqual([aPoint()]);
    expect(await store.count({})).toBe(1);
  });

  it('says so when InfluxDB is away, keeps nothing back, and works again once it has returned', async () => {
    const store = await openStore();
    await store.write(observed(aPoint()));
    await influx.stop('SIGKILL');
    await expect(store.write(observed(aPoint({ ts: aPoint().ts + 1 })))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      transient: true,
    });
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await influx.start();
    await store.write(observed(aPoint({ ts: aPoint().ts + 1 })));
    expect(await store.count({})).toBe(2);
  });

  it('names what is beyond the retention in the middle of a big batch, and stores all else, with few requests', async () => {
    const store = await openStore({
      database: 'short',
      retention: { raw: DAY, hour: 2 * DAY, day: Infinity },
    });
    const now = Date.now();
    const old = Array.from({ length: 6_000 }, (_, i) => aPoint({ ts: now - 10 * DAY + i }));
    const recent = Array.from({ length: 1_000 }, (_, i) => aPoint({ ts: now - i }));
    const before = await writeRequests(influx.url);
    const { refused } = await store.write(observed(...recent.slice(0, 500), ...old, ...recent.slice(500)));
    expect(refused.map(({ point }) => point)).toEqual(old);
    expect(refused[0]!.message).toMatch(/beyond retention policy/);
    expect(await store.count({})).toBe(1_000);
    expect((await writeRequests(influx.url)) - before).toBeLessThan(40);
    const hour = Math.floor(now / HOUR) * HOUR;
    const rollups = (['hour', 'day'] as const).map((tier) => aRollup({ tier, from: hour - 10 * DAY }));
    expect(await store.writeRollups([...rollups, aRollup({ from: hour })])).toEqual({
      refused: [{ point: rollups[0], message: expect.stringContaining('beyond retention policy') }],
    });
    expect([await store.countRollups({ tier: 'hour' }), await store.countRollups({ tier: 'day' })]).toEqual([
      1, 1,
    ]);
  });

  it('sets the retention of every tier, and changes it with the configuration', async () => {
    const database = 'kept';
    const options = { url: influx.url, version: 1, database, timeoutMs: 10_000 } as const;
    const kept = async (): Promise<unknown> =>
      (await ask(influx.url, 'SHOW RETENTION POLICIES ON kept')).map((row) => row.slice(0, 3));
    const first = new InfluxStore(options);
    expect(await first.setUp()).toHaveLength(3);
    expect(await kept()).toEqual([
      ['autogen', '0s', '168h0m0s'],
      ['hour', '0s', '2184h0m0s'],
      ['day', '0s', '34944h0m0s'],
    ]);
    await first.write(observed(aPoint({ ts: Date.now() - HOUR })));
    expect(await first.setUp()).toEqual([]);
    const second = new InfluxStore({
      ...options,
      retention: { raw: 400 * DAY, hour: 2 * DAY, day: Infinity },
    });
    expect(await second.setUp()).toEqual([
      'the retention of "raw" in InfluxDB is forever; set, because store.retention.raw is 400d',
      'the retention of "hour" in InfluxDB is forever; set, because store.retention.hour is 2d',
    ]);
    expect(await kept()).toEqual([
      ['autogen', '9600h0m0s', '168h0m0s'],
      ['hour', '48h0m0s', '6h0m0s'],
      ['day', '0s', '34944h0m0s'],
    ]);
    expect(await second.setUp()).toEqual([]);
    expect(await first.setUp()).toHaveLength(2);
    expect(await first.count({})).toBe(1);
  });

  it('refuses a tag that the line protocol cannot hold, instead of storing it as another one', async () => {
    const store = await openStore();
    const bad = ['x\\', 'a\nb', ''].map((device) => aPoint({ device }));
    const { refused } = await store.write(observed(...bad, aPoint()));
    expect(refused.map(({ point }) => point)).toEqual(bad);
    expect(await store.query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
  });

  it('keeps both points of a device that measured the same instant under two sites', async () => {
    const store = await openStore();
    await store.write(observed(aPoint()));
    await store.write(observed(aPoint({ site: 'sembawa' })));
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
    await expect(store.count({ span: { from: NaN, to: 1 } })).rejects.toMatchObject({
      code: 'STORE_QUESTION',
      transient: false,
      remedy: expect.not.stringMatching(/password/),
    });
  });

  it('tells a question that exceeds the limits of the server from its absence, and keeps writing waiting for it', async () => {
    await using narrow = await startInfluxd({ coordinator: 'max-select-series = 1' });
    const options = { url: narrow.url, version: 1, database: 'narrow', timeoutMs: 10_000 } as const;
    const store = new InfluxStore(options);
    await store.setUp();
    await store.write(observed(aPoint(), aPoint({ device: 'udara-02' })));
    await expect(store.query({ limit: 10, order: 'asc' })).rejects.toMatchObject({
      code: 'STORE_QUESTION',
      transient: false,
      detail: expect.stringContaining('max-select-series limit exceeded'),
      remedy: expect.stringContaining('one device'),
    });
    expect(await store.query({ device: 'udara-02', limit: 10, order: 'asc' })).toHaveLength(1);
    await expect(new InfluxStore(options).write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      remedy: expect.stringContaining('[coordinator]'),
    });
  });

  it('tells a database that does not exist from a server that is away', async () => {
    const store = new InfluxStore({ url: influx.url, version: 1, database: 'missing', timeoutMs: 10_000 });
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
    });
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
    expect(await store.setUp()).toEqual([]);
    await store.write(observed(aPoint()));
    expect(await store.query({ limit: 1, order: 'asc' })).toEqual([aPoint()]);
    const shorter = new InfluxStore({
      ...options,
      ...writer,
      retention: { ...KEEP_EVERYTHING, raw: 400 * DAY },
    });
    await expect(shorter.setUp()).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      detail: expect.stringMatching(
        /the retention of "raw" in InfluxDB is forever, store\.retention\.raw is 400d, and it may not be changed: .*requires admin privilege/,
      ),
      remedy: expect.stringContaining('ALTER RETENTION POLICY "autogen" ON "pantau" DURATION 34560000s'),
    });
    // Readings do not wait for that.
    expect(await shorter.write(observed(aPoint({ value: 1 })))).toEqual({ refused: [] });
    for (const wrong of [{ ...writer, password: 'other' }, {}]) {
      const stranger = new InfluxStore({ ...options, ...wrong });
      await expect(stranger.write(observed(aPoint()))).rejects.toMatchObject({ code: 'STORE_CONFIG' });
      await expect(stranger.count({})).rejects.toMatchObject({ code: 'STORE_CONFIG' });
    }
  });
});

/** A statement by raw HTTP: what an administrator does beside Pantau. */
async function ask(
  url: string,
  statement: string,
  user?: { username: string; password: string },
): Promise<readonly (readonly unknown[])[]> {
  const authorization = `Basic ${Buffer.from(`${user?.username}:${user?.password}`).toString('base64')}`;
  const response = await fetch(`${url}/query?q=${encodeURIComponent(statement)}`, {
    method: 'POST',
    headers: user === undefined ? {} : { authorization },
  });
  const body = await response.text();
  if (!response.ok || body.includes('"error"')) throw new Error(`${statement}: ${body}`);
  const { results } = JSON.parse(body) as { results: { series?: { values: unknown[][] }[] }[] };
  return results[0]?.series?.[0]?.values ?? [];
}

/** How many writes the server has been asked for. */
async function writeRequests(url: string): Promise<number> {
  const variables = (await (await fetch(`${url}/debug/vars`)).json()) as Record<
    string,
    { name?: string; values?: Record<string, number> }
  >;
  return Object.values(variables).find(({ name }) => name === 'httpd')?.values?.['writeReq'] ?? NaN;
}

/** Whether it is asked what is stored already, as before the first write. */
function isFirst([, , { url }]: Parameters<Parameters<typeof startServer>[0]>): boolean {
  return url.includes('SELECT+last');
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

/** A server that answers as it is told and keeps what it was asked. */
async function startServer(
  answer: (path: string, body: string, request: { method: string; url: string }) => Answer | undefined,
): Promise<
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
      const told = answer(url.split('?')[0]!, body, { method, url });
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
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      transient: true,
    });
  });

  it.each([429, 500, 503])('fails as transient when the server answers %i', async (status) => {
    await using server = await startServer((...request) => ({ status: isFirst(request) ? 200 : status }));
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 5_000 });
    const expected = { code: 'STORE_UNAVAILABLE', transient: true };
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject(expected);
    await expect(store.count({})).rejects.toMatchObject(expected);
    expect(server.requests).toHaveLength(3);
  });

  it('writes every flag of what it writes again, because it may be stored all the same', async () => {
    let status = 503;
    await using server = await startServer((...request) => ({ status: isFirst(request) ? 200 : status }));
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 5_000 });
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    status = 204;
    await store.write(observed(aPoint(), aPoint({ ts: aPoint().ts + 1 })));
    const [, failed, again] = server.requests.map(({ body }) => body);
    expect(failed).not.toContain('flag');
    expect(again!.split('\n')).toEqual([
      expect.stringContaining('pm25=12.5,pm25_flag=1 '),
      expect.stringContaining('pm25=12.5 '),
    ]);
  });

  it('asks once for what is stored, and writes nothing before it knows', async () => {
    const { ts } = aPoint();
    const body = {
      results: [
        {
          series: ['a', 'b'].map((device) => ({
            tags: { device },
            columns: ['time', 'last'],
            values: [[ts, 1]],
          })),
        },
      ],
    };
    let status = 503;
    await using server = await startServer((...request) =>
      isFirst(request) ? { status, body } : { status: 204 },
    );
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 5_000 });
    const write = (): Promise<unknown> =>
      Promise.all(
        ['a', 'b', 'c'].map((device) =>
          store.write(observed(aPoint({ device }), aPoint({ device, ts: ts + 1 }))),
        ),
      );
    await expect(write()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', transient: true });
    status = 200;
    await write();
    expect(server.requests.map(({ url }) => url.split('?')[0])).toEqual([
      ...['/query', '/query'],
      ...['/write', '/write', '/write'],
    ]);
    const flagged = server.requests
      .flatMap(({ body }) => body.split('\n'))
      .filter((line) => line.includes('flag'));
    expect(flagged.sort()).toEqual(
      ['a', 'b'].map((device): unknown => expect.stringMatching(`device=${device},.* ${ts}$`)),
    );
  });

  it('does not take a part of an answer for the whole', async () => {
    const body = { results: [{ series: [{ columns: ['time'], values: [[1]] }], partial: true }] };
    await using server = await startServer(() => ({ status: 200, body }));
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 5_000 });
    const expected = {
      code: 'STORE_CONFIG',
      transient: true,
      remedy: expect.stringContaining('max-row-limit'),
    };
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject(expected);
    await expect(store.query({ limit: 10, order: 'asc' })).rejects.toMatchObject(expected);
  });

  it('fails as transient when the server takes the request and never answers', async () => {
    await using server = await startServer((...request) => (isFirst(request) ? { status: 200 } : undefined));
    const store = new InfluxStore({ url: server.url, version: 1, database: 'x', timeoutMs: 200 });
    const expected = { code: 'STORE_UNAVAILABLE', transient: true };
    await expect(store.write(observed(aPoint()))).rejects.toMatchObject(expected);
    await expect(store.ping()).rejects.toMatchObject(expected);
    await expect(store.count({})).rejects.toMatchObject({
      ...expected,
      remedy: expect.stringContaining('ask for less'),
    });
  });

  it('reaches a server behind the path of a proxy, for writes and for reads', async () => {
    await using server = await startServer((path) => ({ status: path.endsWith('/write') ? 204 : 200 }));
    const store = new InfluxStore({
      url: `${server.url}/influx/`,
      version: 1,
      database: 'x',
      timeoutMs: 5_000,
    });
    await store.write(observed(aPoint()));
    await store.count({});
    expect(server.requests.map(({ url }) => url.split('?')[0])).toEqual([
      '/influx/query',
      '/influx/write',
      '/influx/query',
    ]);
  });
});

// InfluxDB 2 is in no Debian release, so these check the requests against its documented API, not against a server.
describe('InfluxStore and the documented 2.x API (a protocol check, not a real server)', () => {
  const line = (device: string, ts: number, flag = ''): string =>
    `reading,device=${device},site=betung receivedAt=${aPoint().receivedAt},pm25=12.5${flag} ${ts}`;
  const open = (url: string, retention: StoreRetention = KEEP_EVERYTHING): InfluxStore =>
    new InfluxStore({
      retention,
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
    await open(server.url).write(observed(aPoint({ device: 'a b,c=d' })));
    const { receivedAt } = aPoint();
    const stored = `SELECT last("receivedAt") FROM reading WHERE time >= ${receivedAt - 30 * DAY}ms GROUP BY "device"`;
    expect(server.requests).toEqual([
      {
        method: 'GET',
        url: `/query?${new URLSearchParams({ db: 'pantau', epoch: 'ms', q: stored }).toString()}`,
        authorization: 'Token t0ken',
        body: '',
      },
      {
        method: 'POST',
        url: '/api/v2/write?org=banyuasin&bucket=pantau&precision=ms',
        authorization: 'Token t0ken',
        body: line('a\\ b\\,c\\=d', aPoint().ts),
      },
    ]);
  });

  it('makes one line of an observation, and one of the roll-ups of a device and hour that follow each other', async () => {
    await using server = await startServer(() => ({ status: 204 }));
    const store = open(server.url);
    await store.write(
      observed(aPoint(), aPoint({ parameter: 'humidity', value: -0.5, flag: 3 }), aPoint({ device: 'b' })),
    );
    const { ts, receivedAt } = aPoint();
    const both = `receivedAt=${receivedAt},pm25=12.5,humidity=-0.5,humidity_flag=3,humidity_failed=0`;
    expect(server.requests[1]!.body).toBe(
      `reading,device=udara-01,site=betung ${both} ${ts}\n${line('b', ts)}`,
    );
    const hours = [{}, { parameter: 'co', valid: 0, mean: null, min: null, max: null }, { from: ts + HOUR }];
    await store.writeRollups((hours as Partial<Rollup>[]).map(aRollup));
    const counts = 'pm25_expected=60,pm25_received=58,pm25_valid=57';
    const pm25 = `${counts},pm25_mean=12.5,pm25_min=0.30000000000000004,pm25_max=31`;
    expect(server.requests[2]!.body.split('\n')).toEqual([
      `rollup_hour,device=udara-01,site=betung ${pm25},co_expected=60,co_received=58,co_valid=0 ${ts}`,
      `rollup_hour,device=udara-01,site=betung ${pm25} ${ts + HOUR}`,
    ]);
  });

  it.each([413, 422])('finds the one value behind a %i that names no number of lines', async (status) => {
    await using server = await startServer((_, body) =>
      body.includes('co=') ? { status, body: { message: 'not this' } } : { status: 204 },
    );
    const points = (['pm25', 'co', 'humidity'] as const).map((parameter) => aPoint({ parameter }));
    expect(await open(server.url).write(observed(...points, aPoint({ device: 'b' })))).toEqual({
      refused: [{ point: points[1], message: 'not this' }],
    });
  });

  it('finds the points behind a 422, which is how 2.x refuses a part of a batch', async () => {
    const message = 'failure writing points to database: partial write: field type conflict: … dropped=1';
    await using server = await startServer((_, body) =>
      body.includes('device=bad,')
        ? { status: 422, body: { code: 'unprocessable entity', message } }
        : { status: 204 },
    );
    const points = ['a', 'bad', 'c', 'd'].map((device) => aPoint({ device }));
    expect(await open(server.url).write(observed(...points))).toEqual({
      refused: [{ point: points[1], message }],
    });
    const bodies = server.requests.map(({ body }) => body).filter((body) => body !== '');
    const stored = bodies.filter((body) => !body.includes('bad'));
    // With flags, because a part of the first request may be stored.
    expect(stored.join('\n').split('\n').sort()).toEqual(
      ['a', 'c', 'd'].map((d) => line(d, aPoint().ts, ',pm25_flag=1')),
    );
  });

  it('reads through InfluxQL with the token', async () => {
    const columns = ['time', 'pm25', 'pm25_flag', 'co', 'co_flag', 'receivedAt', 'device', 'site'];
    const { ts, value, flag, receivedAt, device, site } = aPoint();
    const values = [[ts, value, flag, null, null, receivedAt, device, site]];
    await using server = await startServer(() => ({
      status: 200,
      body: { results: [{ statement_id: 0, series: [{ name: 'reading', columns, values }] }] },
    }));
    expect(await open(server.url).query({ limit: 10, order: 'asc' })).toEqual([aPoint()]);
    expect(server.requests).toMatchObject([{ method: 'GET', authorization: 'Token t0ken', body: '' }]);
    expect(server.requests[0]!.url.startsWith(`/query?${asked}`)).toBe(true);
  });

  /** Buckets and mappings as a 2.x server keeps them. */
  class Buckets {
    readonly retention = new Map<string, number>();
    readonly mapped = new Set<string>();
    /** What the token may not do. */
    forbidden: readonly string[] = [];

    readonly answer = (
      path: string,
      body: string,
      { method, url }: { method: string; url: string },
    ): Answer => {
      if (this.forbidden.includes(`${method} ${path}`))
        return { status: 403, body: { code: 'forbidden', message: 'insufficient permissions for write' } };
      const parameters = new URLSearchParams(url.split('?')[1]);
      const bucketOf = (name: string): unknown => {
        const everySeconds = this.retention.get(name) ?? 0;
        return {
          id: `id-${name}`,
          orgID: '00f1',
          name,
          retentionRules: everySeconds === 0 ? [] : [{ type: 'expire', everySeconds }],
        };
      };
      if (path === '/ping') return { status: 204 };
      if (path === '/query') {
        const policy = /FROM "(\w+)"\./.exec(parameters.get('q')!)?.[1] ?? 'autogen';
        const error = 'no dbrp mapping found';
        return { status: 200, body: { results: [this.mapped.has(policy) ? {} : { error }] } };
      }
      const told = JSON.parse(body === '' ? '{}' : body) as Record<string, unknown>;
      if (path === '/api/v2/dbrps') {
        this.mapped.add(told['retention_policy'] as string);
        return { status: 201, body: told };
      }
      const name = (told['name'] as string | undefined) ?? parameters.get('name') ?? path.split('/id-')[1]!;
      if (method === 'GET')
        return { status: 200, body: { buckets: this.retention.has(name) ? [bucketOf(name)] : [] } };
      const [rule] = told['retentionRules'] as { type: string; everySeconds: number }[];
      expect(rule!.type).toBe('expire');
      this.retention.set(name, rule!.everySeconds);
      return { status: method === 'POST' ? 201 : 200, body: bucketOf(name) };
    };
  }

  it('makes a bucket a tier, sets the retention, and maps for InfluxQL what nothing maps yet', async () => {
    const buckets = new Buckets();
    buckets.retention.set('pantau', 0);
    await using server = await startServer(buckets.answer);
    const store = open(server.url, { raw: 400 * DAY, hour: Infinity, day: Infinity });
    expect(await store.setUp()).toEqual([
      'made "pantau" readable',
      'the retention of "raw" in InfluxDB is forever; set, because store.retention.raw is 400d',
      'InfluxDB has no place for "hour" yet; set, because store.retention.hour is forever',
      'made "pantau_hour" readable',
      'InfluxDB has no place for "day" yet; set, because store.retention.day is forever',
      'made "pantau_day" readable',
    ]);
    const changes = server.requests.filter(({ method }) => method !== 'GET');
    expect(changes.map(({ method, url, body }) => [`${method} ${url}`, JSON.parse(body) as unknown])).toEqual(
      [
        ['POST /api/v2/dbrps', mapping('pantau', 'autogen', true)],
        [
          'PATCH /api/v2/buckets/id-pantau',
          { retentionRules: [{ type: 'expire', everySeconds: 34_560_000 }] },
        ],
        ['POST /api/v2/buckets', newBucket('pantau_hour')],
        ['POST /api/v2/dbrps', mapping('pantau_hour', 'hour', false)],
        ['POST /api/v2/buckets', newBucket('pantau_day')],
        ['POST /api/v2/dbrps', mapping('pantau_day', 'day', false)],
      ],
    );
    expect(server.requests.every(({ authorization }) => authorization === 'Token t0ken')).toBe(true);
    expect(store.description).toContain('influxdb v2.7.12 at http');
    // And leaves alone what is there.
    const before = server.requests.length;
    expect(await store.setUp()).toEqual([]);
    expect(server.requests.slice(before).every(({ method }) => method === 'GET')).toBe(true);
    expect(await open(server.url).setUp()).toEqual([
      'the retention of "raw" in InfluxDB is 400d; set, because store.retention.raw is forever',
    ]);
  });

  function mapping(bucket: string, policy: string, isDefault: boolean): unknown {
    return {
      org: 'banyuasin',
      bucketID: `id-${bucket}`,
      database: 'pantau',
      retention_policy: policy,
      default: isDefault,
    };
  }

  function newBucket(name: string): unknown {
    return { orgID: '00f1', name, retentionRules: [{ type: 'expire', everySeconds: 0 }] };
  }

  it.each([
    [
      'POST /api/v2/buckets',
      /no place for "hour" yet, store\.retention\.hour is forever, .*insufficient permissions/,
    ],
    [
      'PATCH /api/v2/buckets/id-pantau',
      /"raw" in InfluxDB is 30d, store\.retention\.raw is forever, .*insufficient permissions/,
    ],
  ])('names both values when the token may not %s', async (forbidden, detail) => {
    const buckets = new Buckets();
    buckets.forbidden = [forbidden];
    buckets.mapped.add('autogen');
    buckets.retention.set('pantau', forbidden.startsWith('PATCH') ? 30 * 86_400 : 0);
    await using server = await startServer(buckets.answer);
    await expect(open(server.url).setUp()).rejects.toMatchObject({
      code: 'STORE_CONFIG',
      transient: true,
      detail: expect.stringMatching(detail),
    });
  });

  it('writes and reads roll-ups in their buckets', async () => {
    const { from, device, site } = aRollup();
    const fields = ['expected', 'received', 'valid', 'mean', 'min', 'max'].map((name) => `pm25_${name}`);
    const columns = ['time', ...fields, 'device', 'site'];
    const values = [[from, 60, 58, 57, 12.5, 0.1 + 0.2, 31, device, site]];
    await using server = await startServer((path) =>
      path === '/query'
        ? { status: 200, body: { results: [{ statement_id: 0, series: [{ columns, values }] }] } }
        : { status: 204 },
    );
    const store = open(server.url);
    await store.writeRollups([
      aRollup(),
      aRollup({ tier: 'day', valid: 0, mean: null, min: null, max: null }),
    ]);
    expect(server.requests.map(({ url, body }) => [url.split('?')[1], body.split(' ')[0]])).toEqual([
      ['org=banyuasin&bucket=pantau_hour&precision=ms', 'rollup_hour,device=udara-01,site=betung'],
      ['org=banyuasin&bucket=pantau_day&precision=ms', 'rollup_day,device=udara-01,site=betung'],
    ]);
    expect(await store.queryRollups({ tier: 'hour', limit: 10, order: 'asc' })).toEqual([aRollup()]);
    expect(decodeURIComponent(server.requests.at(-1)!.url)).toContain('FROM+"hour"."rollup_hour"');
  });

  it.each([
    [404, { code: 'not found', message: 'bucket "pantau" not found' }],
    [401, { code: 'unauthorized', message: 'unauthorized access' }],
  ])('reports a %i as a fault of the configuration, in the words of InfluxDB', async (status, body) => {
    await using server = await startServer((...request) =>
      isFirst(request) ? { status: 200 } : { status, body },
    );
    const expected = {
      code: 'STORE_CONFIG',
      transient: true,
      message: expect.stringContaining(body.message),
    };
    await expect(open(server.url).write(observed(aPoint()))).rejects.toMatchObject(expected);
    await expect(open(server.url).count({})).rejects.toMatchObject(expected);
  });

  it('rejects a query that is answered with 400, instead of answering with nothing', async () => {
    await using server = await startServer(() => ({
      status: 400,
      body: { code: 'invalid', message: 'error parsing query' },
    }));
    await expect(open(server.url).count({})).rejects.toMatchObject({
      code: 'STORE_QUESTION',
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

it('can name every parameter as a field of InfluxDB, unescaped and apart from all others', () => {
  const taken = new Set(['time', 'device', 'site', 'receivedAt']);
  for (const parameter of PARAMETER_CODES) {
    expect(parameter).toMatch(/^[a-z][a-z0-9_]*$/);
    const names = ['', '_flag', '_expected', '_received', '_valid', '_mean', '_min', '_max'];
    for (const name of names.map((suffix) => parameter + suffix)) {
      expect(taken).not.toContain(name);
      taken.add(name);
    }
  }
});
