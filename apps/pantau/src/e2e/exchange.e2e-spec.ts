import { parse } from 'csv-parse/sync';
import { PantauFixture } from './pantau.fixture.js';

interface Problem {
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

let pantau: PantauFixture;
beforeAll(async () => {
  pantau = await new PantauFixture().start();
}, 90_000);
afterAll(async () => {
  await pantau[Symbol.asyncDispose]();
});

describe('what the API answers', () => {
  it('is in the language that is asked for, at the member', async () => {
    const ask = async (language: string): Promise<{ language: string | null; problem: Problem }> => {
      const response = await fetch(`${pantau.api}/v1/readings?limit=0&device=udara-01`, {
        headers: { authorization: `Bearer ${pantau.token}`, 'accept-language': language },
      });
      return {
        language: response.headers.get('content-language'),
        problem: (await response.json()) as Problem,
      };
    };
    const [id, en] = [await ask('id-ID,en;q=0.5'), await ask('en')];
    expect([id.language, en.language]).toEqual(['id', 'en']);
    const [said, told] = [id, en].map(
      ({ problem }) => problem.errors?.[0] as { field: string; message: string },
    );
    expect([said!.field, told!.field]).toEqual(['limit', 'limit']);
    expect(told!.message).toMatch(/^Too small/);
    expect(said!.message).not.toBe(told!.message);
    expect(id.problem.detail).toBe(`limit: ${said!.message}`);
  });

  it('tells how much may be asked for, and sends nothing to whoever has it', async () => {
    const ask = async (headers: Record<string, string> = {}) =>
      fetch(`${pantau.api}/v1/sites/betung`, {
        headers: { authorization: `Bearer ${pantau.token}`, ...headers },
      });
    const first = await ask();
    const [limit, remaining] = ['limit', 'remaining'].map((name) =>
      Number(first.headers.get(`ratelimit-${name}`)),
    );
    expect(remaining).toBeLessThan(limit!);
    expect(remaining).toBeGreaterThan(0);
    const etag = first.headers.get('etag')!;
    expect((await ask({ 'if-none-match': etag })).status).toBe(304);

    const put = async (site: object, headers: Record<string, string>): Promise<Response> =>
      fetch(`${pantau.api}/v1/sites/betung`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${pantau.token}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify(site),
      });
    const site = { name: 'Betung', district: 'Betung' };
    expect((await put(site, { 'if-none-match': '*' })).status).toBe(412);
    const changed = await put({ ...site, latitude: -2.8 }, { 'if-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toBe((await ask()).headers.get('etag'));
    const late = await put({ ...site, latitude: 1 }, { 'if-match': etag });
    expect([late.status, await late.json()]).toMatchObject([412, { code: 'CHANGED_MEANWHILE' }]);
    expect(await (await ask()).json()).toMatchObject({ latitude: -2.8 });
    await put(site, {});

    // Whatever it has: what a change answers is what the next one may name.
    const etags: string[] = [];
    const gateway = {
      site: 'betung',
      kind: 'gateway',
      name: 'Gerbang',
      interval: '5m',
      speaksFor: ['udara-01'],
    };
    for (const condition of ['if-none-match: *', 'if-match: ']) {
      const [header, value] = condition.split(': ') as [string, string];
      const now = await fetch(`${pantau.api}/v1/devices/gerbang-01`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${pantau.token}`,
          'content-type': 'application/json',
          [header]: value === '' ? etags.at(-1)! : value,
        },
        body: JSON.stringify(gateway),
      });
      expect({ condition, status: now.status }).toEqual({ condition, status: 200 });
      etags.push(now.headers.get('etag')!);
    }
  });

  it('does a thing once that is sent again with its key, also after a restart', async () => {
    const order = async (
      key: string,
      body: object,
      path = 'commands',
    ): Promise<{ status: number; replayed: string | null; body: Problem & { id?: string } }> => {
      const response = await fetch(`${pantau.api}/v1/devices/udara-01/${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${pantau.token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
      });
      const replayed = response.headers.get('idempotency-replayed');
      return {
        status: response.status,
        replayed,
        body: (await response.json()) as Problem & { id?: string },
      };
    };
    const first = await order('key-1', { name: 'reboot' });
    expect(first).toMatchObject({ status: 202, replayed: null });
    const again = await order('key-1', { name: 'reboot' });
    expect(again).toEqual({ ...first, replayed: 'true' });
    // At the same time: one of them does it.
    const racers = await Promise.all([1, 2, 3, 4].map(() => order('key-2', { name: 'blink' })));
    const ids = new Set(racers.flatMap(({ status, body }) => (status === 202 ? [body.id] : [])));
    expect(ids.size).toBe(1);
    for (const { status } of racers) expect([202, 409]).toContain(status);
    expect(await order('key-1', { name: 'other' })).toMatchObject({
      status: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED', errors: [{ field: 'Idempotency-Key' }] },
    });
    expect(await order('with blank', { name: 'reboot' })).toMatchObject({ status: 400 });
    // What failed did nothing: its key may be used again.
    expect(await order('key-3', {})).toMatchObject({ status: 400 });
    expect(await order('key-3', { name: 'reboot' })).toMatchObject({ status: 202, replayed: null });
    // A secret is shown once.
    expect(await order('key-4', {}, 'tokens')).toMatchObject({ status: 201 });
    expect(await order('key-4', {}, 'tokens')).toMatchObject({
      status: 409,
      body: { code: 'IDEMPOTENCY_CONFLICT' },
    });
    await pantau.restart();
    expect(await order('key-1', { name: 'reboot' })).toEqual({ ...first, replayed: 'true' });
    await pantau.caughtUp();
    const commands = await pantau.items<{ command: { name: string } }>('devices/udara-01/commands');
    expect(commands.map(({ command: { name } }) => name).sort()).toEqual(['blink', 'reboot', 'reboot']);
  });
});

describe('what others draw and compute with', () => {
  it('are the current values in the format of Prometheus, each with its age, unit and flag', async () => {
    const device = await pantau.connect('udara-01');
    const ts = new Date(Date.now() - 60_000).toISOString();
    const payload = JSON.stringify({ ts, values: { pm25: 12.5, temperature: 28 } });
    await device.publishAsync('pantau/v1/betung/udara-01/telemetry', payload, { qos: 1 });
    await pantau.caughtUp();
    const scrape = async (query = '', token: string | null = pantau.token): Promise<Response> =>
      fetch(`${pantau.api}/v1/metrics/values${query}`, {
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      });
    const answer = await scrape();
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    const series = 'site="betung",device="udara-01",parameter="pm25"';
    expect(text).toContain(`\npantau_value{${series},unit="ug/m3"} 12.5\n`);
    expect(text).toMatch(new RegExp(`^pantau_value_flag\\{${series}\\} [1-4]$`, 'm'));
    const age = Number(new RegExp(`^pantau_value_age_seconds\\{${series}\\} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(age).toBeGreaterThanOrEqual(60);
    expect(age).toBeLessThan(600);
    expect(text).toMatch(/^pantau_values_cut 0$/m);
    const declared = Array.from(text.matchAll(/^# TYPE (\S+) gauge$/gm), ([, name]) => name);
    expect(new Set(declared).size).toBe(declared.length);
    expect((await scrape('?site=nowhere')).status).toBe(404);
    expect((await scrape('', null)).status).toBe(401);
  });

  it('is every list as CSV with the figures of its JSON, for whom the list is', async () => {
    const { paths } = (await (await fetch(`${pantau.api}/docs-json`)).json()) as {
      paths: Record<string, { get?: { parameters?: { name: string; schema?: { enum?: string[] } }[] } }>;
    };
    const tables = Object.entries(paths).filter(
      ([path, { get }]) =>
        get?.parameters?.some(({ name }) => name === 'format') === true && !path.includes('{'),
    );
    expect(tables.length).toBeGreaterThan(12);
    const span = `from=${new Date(Date.now() - 3_600_000).toISOString()}&to=${new Date(Date.now() + 3_600_000).toISOString()}`;
    const queries: Readonly<Record<string, string>> = {
      '/api/v1/rollups': `device=udara-01&parameter=pm25&${span}`,
      '/api/v1/readings/envelope': `device=udara-01&parameter=pm25&${span}`,
      '/api/v1/disagreements': span,
    };
    for (const [path] of tables) {
      // For who signed in alone.
      if (path === '/api/v1/sessions') continue;
      const route = path.replace('/api/v1/', '');
      const query = queries[path] ?? '';
      const { items } = (await pantau.get<{ items: Record<string, unknown>[] }>(`${route}?${query}`)).body;
      const answer = await fetch(`${pantau.api}/v1/${route}?${query}&format=csv`, {
        headers: { authorization: `Bearer ${pantau.token}` },
      });
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
        ...[path, 200, 'text/csv; charset=utf-8'],
      ]);
      const [head = [], ...rows] = parse(await answer.text());
      const last = rows.pop();
      expect([path, last?.[0]]).toEqual([
        path,
        expect.stringMatching(/^#end rows=\d+ sha256=[0-9a-f]{64} .*times=UTC$/),
      ]);
      for (const [i, item] of items.entries())
        for (const [name, value] of Object.entries(item))
          if (typeof value === 'number' || typeof value === 'boolean')
            expect([path, name, rows[i]?.[head.indexOf(name)]]).toEqual([path, name, String(value)]);

      // And with two of its members alone, which make it another answer.
      const wanted = Object.keys(items[0] ?? { [(head[0] ?? '').split('.')[0] ?? '']: '' }).slice(0, 2);
      const few = await fetch(`${pantau.api}/v1/${route}?${query}&fields=${wanted.join(',')}`, {
        headers: { authorization: `Bearer ${pantau.token}` },
      });
      expect([path, few.status, few.headers.get('content-type')]).toEqual([
        ...[path, 200, 'application/vnd.pantau.fields+json; charset=utf-8'],
      ]);
      const fewer = (await few.json()) as { items: Record<string, unknown>[] };
      for (const [i, item] of fewer.items.entries()) {
        const whole = Object.entries(items[i] ?? {}).filter(([name]) => wanted.includes(name));
        expect([path, Object.keys(item)]).toEqual([path, whole.map(([name]) => name)]);
      }
    }
    const reader = await pantau.engines.tokens.create('pembaca', ['read']);
    const refused = await pantau.get<Problem>('rejected?format=csv', reader);
    expect([refused.status, refused.type]).toEqual([403, 'application/problem+json; charset=utf-8']);
  });

  it('holds the members that were asked for, and says which there are', async () => {
    const sparse = await pantau.get<{ items: object[] }>('sites?fields=name,id');
    expect(sparse.body.items).toContainEqual({ id: 'betung', name: 'Betung' });
    const csv = await fetch(`${pantau.api}/v1/sites?fields=name,id&format=csv`, {
      headers: { authorization: `Bearer ${pantau.token}` },
    });
    expect((await csv.text()).split('\r\n').slice(0, 2)).toEqual(['id,name', 'betung,Betung']);
    for (const query of [
      'fields=id,nosuch',
      'fields=',
      'fields=id&fields=name',
      'format=csv&fields=nosuch',
    ]) {
      const { status, body } = await pantau.get<Problem>(`sites?${query}`);
      expect([query, status, body.errors?.[0]?.field]).toEqual([query, 400, 'fields']);
      expect(body.errors?.[0]?.message).toMatch(/^expected names of id, name, /);
    }
    const inIndonesian = await fetch(`${pantau.api}/v1/sites?fields=nosuch`, {
      headers: { authorization: `Bearer ${pantau.token}`, 'accept-language': 'id' },
    });
    expect(((await inIndonesian.json()) as Problem).errors?.[0]?.message).toMatch(
      /^isi nama dari id, name, /,
    );
    const { status, body: problem } = await pantau.get<Problem>('readings?fields=value&format=parquet');
    expect([status, problem.errors?.[0]?.field]).toEqual([400, 'fields']);
  });
});
