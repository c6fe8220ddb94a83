import { aPoint, aRollup, observed } from '#contracts/timeseries';
import { DAY, HOUR } from '#libs/kernel';
import type { Rollup } from '#libs/telemetry';
import { KEEP_EVERYTHING, type StoreRetention } from '#libs/timeseries';
import { InfluxStore } from './influx-store.js';
import { isFirst, startServer, type Answer } from './influx.fixture.js';

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
