import { PantauFixture } from './pantau.fixture.js';

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Server-sent events of a route, as a browser would read them. */
async function* eventsOf(
  pantau: PantauFixture,
  query: string,
  lastEventId?: string,
): AsyncGenerator<Event, undefined> {
  const response = await fetch(`${pantau.api}/v1/live?${query}`, {
    headers: {
      authorization: `Bearer ${pantau.token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  });
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
