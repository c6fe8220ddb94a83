import { Browser } from './browser.fixture.js';
import { PantauFixture } from './pantau.fixture.js';
import { startProxy } from './proxy.fixture.js';

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Server-sent events of a route, as a browser would read them. */
async function* eventsOf(
  { api, token }: Pick<PantauFixture, 'api' | 'token'>,
  query: string,
  lastEventId?: string,
): AsyncGenerator<Event, undefined> {
  const response = await fetch(`${api}/v1/live?${query}`, {
    headers: {
      authorization: `Bearer ${token}`,
      'accept-encoding': 'gzip',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
  // Whoever stands between holds nothing back, and nothing is compressed into blocks.
  expect(
    ['x-accel-buffering', 'cache-control', 'content-encoding'].map((name) => response.headers.get(name)),
  ).toEqual(['no', 'no-store', null]);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string | undefined =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const [id, type, data] = [field('id'), field('event'), field('data')];
      if (id !== undefined && type !== undefined && data !== undefined)
        yield { id, type, data: JSON.parse(data) as Event['data'] };
    }
  }
  return undefined;
}

async function next(events: AsyncGenerator<Event, undefined>): Promise<Event> {
  const { value } = await events.next();
  if (value === undefined) throw new Error('the server ended the events');
  return value;
}

describe('what happens, as it happens', () => {
  it('comes to whoever follows, and after a restart goes on behind the last event: nothing missed, nothing twice', async () => {
    await using pantau = await new PantauFixture().start();
    const start = Date.now();
    let n = 0;
    const publish = async (count: number): Promise<void> => {
      const client = await pantau.connect('udara-01');
      for (let i = 0; i < count; i++, n++)
        await client.publishAsync(
          'pantau/v1/betung/udara-01/telemetry',
          JSON.stringify({
            ts: new Date(start - 60_000 + n * 1_000).toISOString(),
            values: { pm25: 10 + n },
          }),
          { qos: 1 },
        );
    };

    const readings = eventsOf(pantau, 'topics=readings&device=udara-01');
    const others = eventsOf(pantau, 'topics=presence,alerts,figures&device=cctv-01');
    expect(await next(readings)).toMatchObject({ type: 'start', data: { topics: ['readings'] } });
    expect((await next(others)).type).toBe('start');
    await publish(2);
    const seen = [await next(readings), await next(readings)];
    expect(seen).toMatchObject([
      { type: 'readings', data: { device: 'udara-01', ts: new Date(start - 60_000).toISOString() } },
      { type: 'readings', data: { readings: [{ parameter: 'pm25', value: 11 }] } },
    ]);
    const camera = await pantau.connect('cctv-01');
    expect(await next(others)).toMatchObject({
      type: 'presence',
      data: { type: 'presence', device: 'cctv-01', state: 'connected' },
    });
    await camera.publishAsync(
      'pantau/v1/betung/cctv-01/heartbeat',
      JSON.stringify({ ts: new Date(start).toISOString(), state: 'up' }),
      { qos: 1 },
    );
    expect(await next(others)).toMatchObject({ data: { type: 'heartbeat', state: 'up' } });

    // With both still connected: a server that waits for its readers would not end.
    await pantau.restart();
    expect((await readings.next()).done).toBe(true);
    await publish(3);
    await pantau.caughtUp();
    const again = eventsOf(pantau, 'topics=readings&device=udara-01', seen[0]!.id);
    expect((await next(again)).type).toBe('start');
    const values: unknown[] = [];
    for (let i = 0; i < 4; i++) values.push((await next(again)).data['readings']);
    expect(values).toMatchObject([11, 12, 13, 14].map((value) => [{ value }]));
    await again.return(undefined);
  });

  it('is for whoever has a token, and a wrong question is told before the answer begins', async () => {
    await using pantau = await new PantauFixture().start();
    expect((await pantau.get('live', null)).status).toBe(401);
    expect(await pantau.get('live?topics=alarms')).toMatchObject({ status: 400, body: { code: 'USAGE' } });
    expect((await pantau.get('live?device=udara-1')).status).toBe(404);
    const response = await fetch(`${pantau.api}/v1/live`, {
      headers: { authorization: `Bearer ${pantau.token}`, 'last-event-id': 'nonsense' },
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { errors: [{ field: 'Last-Event-ID' }] },
    ]);
  });
});

describe('behind a reverse proxy, below a path', () => {
  it.each(['kept', 'taken off'] as const)(
    'that is %s, people sign in, events come as they happen and go on by their id, and the page of the document finds its parts',
    async (path) => {
      await using proxy = await startProxy('/udara', path === 'kept');
      process.env['PANTAU_HTTP_PUBLIC_URL'] = `${proxy.origin}/udara`;
      await using pantau = await new PantauFixture()
        .start()
        .finally(() => delete process.env['PANTAU_HTTP_PUBLIC_URL']);
      proxy.target = new URL(pantau.api).origin;
      const api = `${proxy.origin}/udara/api`;

      const browser = new Browser(api);
      const [, link = ''] = /first administrator: (\S+)\/link#\S+/.exec(pantau.printed) ?? [];
      expect(link).toBe(`${proxy.origin}/udara`);
      const [, secret = ''] = /\/link#(\S+)/.exec(pantau.printed) ?? [];
      const password = 'tujuh kuda di rawa';
      expect((await browser.send('POST', 'links', { link: secret, name: 'ani', password })).status).toBe(200);
      const signedIn = await browser.signIn('ani', password);
      expect(signedIn.headers.get('set-cookie')).toContain('; Path=/udara/;');
      expect((await browser.send('PUT', 'sites/betung', { name: 'Betung' })).status).toBe(200);

      const seen = { api, token: pantau.token };
      const client = await pantau.connect('udara-01');
      const publish = async (pm25: number): Promise<void> => {
        const payload = JSON.stringify({ ts: new Date().toISOString(), values: { pm25 } });
        await client.publishAsync('pantau/v1/betung/udara-01/telemetry', payload, { qos: 1 });
      };
      const events = eventsOf(seen, 'topics=readings');
      expect((await next(events)).type).toBe('start');
      await publish(1);
      const { id } = await next(events);
      // The proxy cuts it, as such do after a minute.
      proxy.cut();
      await expect(next(events)).rejects.toThrow();
      await publish(2);
      await publish(3);
      const again = eventsOf(seen, 'topics=readings', id);
      expect((await next(again)).type).toBe('start');
      const values = [await next(again), await next(again)].map(({ data }) => data['readings']);
      expect(values).toMatchObject([[{ value: 2 }], [{ value: 3 }]]);
      await again.return(undefined);

      const page = await (await fetch(`${api}/docs`)).text();
      expect(page).not.toMatch(/<style| style=/);
      const parts = [...page.matchAll(/(?:src|href)=["']([^"']+)["']/g)].map(([, part]) => part!);
      expect(parts.length).toBeGreaterThan(4);
      for (const part of parts) {
        const answer = await fetch(new URL(part, `${api}/docs`));
        expect([part, answer.status]).toEqual([part, 200]);
        await answer.arrayBuffer();
      }
      const { servers } = (await (await fetch(`${api}/docs-json`)).json()) as { servers: { url: string }[] };
      expect(servers).toEqual([{ url: '/udara' }]);
    },
  );
});
