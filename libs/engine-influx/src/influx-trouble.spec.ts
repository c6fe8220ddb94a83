import { aPoint, observed } from '#contracts/timeseries';
import { freePort } from '#libs/testing';
import { InfluxStore } from './influx-store.js';
import { isFirst, startServer } from './influx.fixture.js';

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
