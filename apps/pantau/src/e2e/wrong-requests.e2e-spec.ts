import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { OpenApiDocument, Parameter } from './openapi.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

interface Problem {
  readonly status: number;
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly { readonly field: string }[];
}

const RIGHT: Readonly<Record<string, string>> = {
  device: 'udara-01',
  site: 'betung',
  indicator: 'env.aq.pm25_daily_mean',
  subject: 'udara-01',
  period: '2026-01-01',
  parameter: 'pm25',
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-02T00:00:00Z',
};
const MISSPELT: Readonly<Record<string, string>> = {
  device: 'udara-1',
  site: 'betunk',
  subject: 'udara-1',
  indicator: 'env.aq.pm25_daily_maen',
};

/** One for all: nobody here changes anything. */
let pantau: PantauFixture;
beforeAll(async () => {
  pantau = await new PantauFixture().start();
}, 90_000);
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

async function openApi(): Promise<OpenApiDocument> {
  return (await (await fetch(`${pantau.api}/docs-json`)).json()) as OpenApiDocument;
}

describe('every route of the OpenAPI document', () => {
  it('answers wrong names, times and methods with a problem that names the member and what was meant', async () => {
    const origin = pantau.api.replace(/\/api$/, '');
    const headers = { authorization: `Bearer ${pantau.token}` };
    const { paths } = await openApi();
    const call = async (method: string, path: string): Promise<Problem & { allow: string | null }> => {
      const response = await fetch(`${origin}${path}`, { method: method.toUpperCase(), headers });
      expect(`${path} ${response.headers.get('content-type')}`).toContain('application/problem+json');
      const problem = (await response.json()) as Problem;
      expect(problem.status).toBe(response.status);
      return { ...problem, allow: response.headers.get('allow') };
    };
    /** The path with its parameters, and the query of those that are given. */
    const filled = (
      path: string,
      parameters: readonly Parameter[],
      values: Readonly<Record<string, string>>,
    ) => {
      const query = parameters
        .filter(({ name, in: place }) => place === 'query' && values[name] !== undefined)
        .map(({ name }) => `${name}=${encodeURIComponent(values[name]!)}`);
      return `${path.replace(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? 'x')}?${query.join('&')}`;
    };
    let names = 0;
    let times = 0;
    for (const [path, operations] of Object.entries(paths)) {
      const wrongMethod = ['patch', 'put', 'delete', 'get'].find(
        (method) => operations[method] === undefined,
      )!;
      const known = Object.keys(operations).map((method) => method.toUpperCase());
      const refused = await call(wrongMethod, filled(path, [], RIGHT));
      expect({ path, ...refused }).toMatchObject({ path, status: 405 });
      expect(refused.allow?.split(', ')).toEqual(expect.arrayContaining(known));

      for (const [method, { parameters = [] }] of Object.entries(operations)) {
        // Device routes ask for the device's own credentials first.
        if (path.startsWith('/api/v1/uplinks')) continue;
        for (const { name } of parameters.filter((parameter) => MISSPELT[parameter.name] !== undefined)) {
          // It registers what it names.
          if (method === 'put' && path.endsWith(`/{${name}}`)) continue;
          const url = filled(path, parameters, { ...RIGHT, [name]: MISSPELT[name]! });
          const problem = await call(method, url);
          expect({ url, ...problem }).toMatchObject({ url, status: 404, errors: [{ field: name }] });
          expect(problem.detail).toContain(`did you mean ${RIGHT[name]!}?`);
          names++;
        }
        if (!parameters.some(({ name }) => name === 'from')) continue;
        const days = path.endsWith('/indicators');
        const [early, late] = days ? ['2026-01-01', '2026-01-02'] : [RIGHT['from']!, RIGHT['to']!];
        const absurd = days ? '2026-02-30' : '9999-01-01T00:00:00Z';
        for (const [span, field] of [
          [{ from: late, to: early }, 'to'],
          [{ from: absurd, to: absurd }, 'from'],
        ] as const) {
          const url = filled(path, parameters, { ...RIGHT, ...span });
          const problem = await call(method, url);
          expect({ url, ...problem }).toMatchObject({ url, status: 400 });
          expect(problem.errors?.map((error) => error.field)).toContain(field);
          times++;
        }
      }
    }
    expect(names).toBeGreaterThan(15);
    expect(times).toBeGreaterThan(7);
    expect(await call('get', '/api/v1/indicators/env.aq.pm25_daily_mean/udara-01/2015-02-30')).toMatchObject({
      status: 400,
      errors: [{ field: 'period' }],
    });
  });

  it('passes over a stored row of another shape than its readers expect', async () => {
    const { state } = pantau.engines;
    const [namespace, key] = ['gateway/configurations', 'udara-01'];
    await state.write([
      { namespace, key, value: { device: 'udara-01', at: 'yesterday', configuration: {} } },
    ]);
    expect((await pantau.get('devices/udara-01/configuration')).status).toBe(404);
    const at = Date.UTC(2026, 0, 1);
    await state.write([{ namespace, key, value: { device: 'udara-01', at, configuration: {} } }]);
    expect((await pantau.get('devices/udara-01/configuration')).body).toMatchObject({ configuration: {} });
    await state.write([{ namespace, key, value: undefined }]);
  });

  it('answers whatever stands in the rows that it reads', async () => {
    const { state } = pantau.engines;
    const hour = Date.UTC(2026, 0, 1);
    const rows: readonly (readonly [namespace: string, key: string])[] = [
      ['gateway/alerts', `${String(hour).padStart(15, '0')}/a`],
      ...['devices', 'latest', 'recent-hours', 'unread', 'configurations'].map(
        (name) => [`gateway/${name}`, 'udara-01'] as const,
      ),
      ['gateway/rejected', 'not_json/udara-01'],
      ['gateway/broker-runs', 'r'],
      ['gateway/commands', 'udara-01/1'],
      ['ingest/memory', 'udara-01'],
      ['ingest/clock', 'udara-01/2026-01-01'],
      ['ingest/sensors', 'udara-01'],
      ['ingest/unread', 'udara-01'],
      ['mqtt/set-aside', 'udara-01/x'],
      ['account', 'counted/ingest/uplink/0'],
      ['account', 'passed-over/ingest/uplink/0'],
      ['evidence/liveness', 'r'],
      ['evidence/connections', `udara-01/${hour}`],
      ['identity/accounts', 'jembatan'],
    ];
    const { paths } = await openApi();
    const questions = Object.entries(paths).flatMap(([path, { get }]) =>
      get === undefined || path === '/api/v1/live' ? [] : [{ path, parameters: get.parameters ?? [] }],
    );
    expect(questions.length).toBeGreaterThan(20);
    for (const value of [7, 'x', {}, [], [{}, 'x']]) {
      await state.write(rows.map(([namespace, key]) => ({ namespace, key, value })));
      for (const { path, parameters } of questions) {
        const url = path.replace(/{(\w+)}/g, (_all, name: string) => RIGHT[name] ?? name);
        const query = new URLSearchParams(
          parameters
            .filter((one) => one.in === 'query' && one.required === true)
            .map(({ name }): [string, string] => [name, RIGHT[name] ?? '']),
        );
        const headers = { authorization: `Bearer ${pantau.token}` };
        const { status } = await fetch(`${new URL(pantau.api).origin}${url}?${query.toString()}`, {
          headers,
        });
        expect([value, path, status < 500]).toEqual([value, path, true]);
      }
    }
    await state.write(rows.map(([namespace, key]) => ({ namespace, key, value: undefined })));
  });

  it('says of every list that it was cut at its limit', async () => {
    const { state } = pantau.engines;
    const topic = { reason: 'not_mapped', detail: 'x', sender: 'udara-01', count: 1, firstAt: 1, lastAt: 1 };
    const rest = { sampleBytes: 1, retain: false, reported: 1 };
    const command = { name: 'reboot', params: null, expiresAt: 1, orderedBy: 'x' };
    const day = { messages: 1, withoutTime: 0, wrong: 0, late: 0, skewMaxMs: null, skewMinMs: null };
    const seeded: Readonly<
      Record<string, { namespace: string; key?: (i: number) => string; value: (i: number) => object }>
    > = {
      '/api/v1/foreign-topics': {
        namespace: 'mqtt/set-aside',
        value: (i) => ({ ...topic, ...rest, topic: `a/${i}`, sample: Buffer.from('1') }),
      },
      '/api/v1/service-accounts': {
        namespace: 'identity/accounts',
        key: (i) => `jembatan-${i}`,
        value: (i) => ({ id: `jembatan-${i}`, publish: [], subscribe: [] }),
      },
      '/api/v1/devices/{device}/clock': {
        namespace: 'ingest/clock',
        key: (i) => `udara-01/2026-01-0${i}`,
        value: (i) => ({ ...day, day: `2026-01-0${i}` }),
      },
      '/api/v1/devices/{device}/commands': {
        namespace: 'gateway/commands',
        value: (i) => ({
          id: String(i),
          device: 'udara-01',
          command,
          state: 'queued',
          history: [{ state: 'queued', at: i }],
        }),
      },
    };
    const { paths } = (await (await fetch(`${pantau.api}/docs-json`)).json()) as {
      paths: OpenApiDocument['paths'];
    };
    const limited = Object.keys(paths).filter((path) =>
      paths[path]?.['get']?.parameters?.some(({ name }) => name === 'limit'),
    );
    // Those of which other suites show it, where there are such entries.
    const elsewhere = [
      'readings',
      'disagreements',
      'alerts',
      'indicators',
      'rejected',
      'stations',
      'sites',
      'devices',
      'devices/{device}/messages',
      'audit',
      'mappings',
    ].map((name) => `/api/v1/${name}`);
    expect(limited.sort()).toEqual([...Object.keys(seeded), ...elsewhere].sort());
    for (const [path, { namespace, key = (i: number) => `udara-01/${i}`, value }] of Object.entries(seeded)) {
      await state.write([1, 2].map((i) => ({ namespace, key: key(i), value: value(i) })));
      const route = path.replace('/api/v1/', '').replace('{device}', 'udara-01');
      interface List {
        readonly items: readonly unknown[];
        readonly truncated?: boolean;
        readonly next?: string;
      }
      const list = async (limit: number, more = ''): Promise<List> =>
        (await pantau.get<List>(`${route}?limit=${limit}${more}`)).body;
      const all = await list(2);
      expect({ path, list: all }).toEqual({ path, list: { items: [expect.anything(), expect.anything()] } });
      const first = await list(1);
      expect({ path, list: first }).toEqual({
        path,
        list: { items: [all.items[0]], truncated: true, next: expect.any(String) as string },
      });
      expect({ path, list: await list(1, `&after=${first.next}`) }).toEqual({
        path,
        list: { items: [all.items[1]] },
      });
      expect({ path, ...(await pantau.get<Problem>(`${route}?after=x`)) }).toMatchObject({
        path,
        status: 400,
        body: { errors: [{ field: 'after' }] },
      });
    }
  });

  it('is a problem too when it is refused before it is routed', async () => {
    const { port } = new URL(pantau.api);
    const raw = async (request: string): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      // Both ends stay open until the answer is there: Node answers nobody who has closed his.
      socket.write(request);
      return text(socket);
    };
    const token = `authorization: Bearer ${pantau.token}\r\nhost: x\r\nconnection: close\r\n`;
    const post = (type: string, body: string): string =>
      `POST /api/v1/devices/udara-01/commands HTTP/1.1\r\n${token}content-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    for (const [status, request] of [
      [400, `GET /api/v1/devices/%zz/clock HTTP/1.1\r\n${token}\r\n`],
      [400, 'this is no HTTP\r\n\r\n'],
      [431, `GET /api/v1/sites HTTP/1.1\r\nx: ${'x'.repeat(40_000)}\r\n${token}\r\n`],
      [404, `GET /nothing HTTP/1.1\r\n${token}\r\n`],
      [413, post('application/json', JSON.stringify('x'.repeat(1_100_000)))],
      [415, post('text/xml', '<a/>')],
    ] as const) {
      const answer = await raw(request);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain('application/problem+json');
      expect(answer).toContain(`"status":${status}`);
    }
  });

  it('throttles wrong tokens by address, and keeps no right one out', async () => {
    const wrong = pantau.token.replace(/.{5}$/, 'XXXXX');
    const answers = await Promise.all(
      Array.from({ length: 120 }, async () => {
        const response = await fetch(`${pantau.api}/v1/sites`, {
          headers: { authorization: `Bearer ${wrong}` },
        });
        await response.text();
        return { status: response.status, retryAfter: response.headers.get('retry-after') };
      }),
    );
    expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThan(30);
    const throttled = answers.filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(30);
    for (const { retryAfter } of throttled) expect(Number(retryAfter)).toBeGreaterThan(0);
    expect((await pantau.get('sites')).status).toBe(200);
  });
});
