import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { describeWith } from '#libs/testing';
import { spawn } from 'node:child_process';
import { PantauFixture } from './pantau.fixture.js';

const TELEMETRY = 'pantau/v1/betung/udara-01/telemetry';
const now = Date.now();
const payload = (values: unknown, ts: unknown = now): string => JSON.stringify({ ts, values });

interface Place {
  readonly shard: number;
  readonly offset: number;
}
interface ExplainedReading {
  readonly entry: Place;
  readonly message: Place;
}

describe('from device to API', () => {
  it('shows a published reading, the device behind it, its flag, and the message that it was read from', async () => {
    await using pantau = await new PantauFixture().start();
    const client = await pantau.connect('udara-01');
    const sent = payload({ pm25: 37.5, humidity: 150 });
    await client.publishAsync(TELEMETRY, sent, { qos: 1 });
    await pantau.caughtUp();
    const at = new Date(now).toISOString();
    expect(await pantau.items('readings?device=udara-01&order=asc')).toEqual([
      expect.objectContaining({
        site: 'betung',
        parameter: 'humidity',
        ts: at,
        value: 150,
        flag: 4,
        failed: ['gross_range'],
        unit: '%',
      }),
      expect.objectContaining({
        site: 'betung',
        parameter: 'pm25',
        ts: at,
        value: 37.5,
        flag: 1,
        unit: 'ug/m3',
      }),
    ]);
    expect((await pantau.items('readings?parameter=pm25'))[0]).not.toHaveProperty('failed');
    const devices = await pantau.items<Record<string, unknown>>('devices');
    expect(devices.find(({ id }) => id === 'udara-01')).toMatchObject({
      presence: { state: 'connected' },
      latest: { pm25: { value: 37.5, ts: at } },
    });
    expect(await pantau.items('sites')).toEqual([{ id: 'betung', name: 'Betung', district: 'Betung' }]);

    const { body: reading } = await pantau.get<ExplainedReading>(`readings/udara-01/humidity/${at}`);
    expect(reading).toMatchObject({
      ...{ value: 150, flag: 4, failed: ['gross_range'], unit: '%' },
      message: {
        sender: 'udara-01',
        topic: TELEMETRY,
        kind: 'telemetry',
        codec: 'pantau',
        payloadText: sent,
      },
    });
    const entry = async (stream: string, { shard, offset }: Place) =>
      (await pantau.get<{ data: object }>(`journal/${stream}/${shard}/${offset}`)).body;
    const bytes = Buffer.from(sent).toString('base64');
    expect(await entry('uplink', reading.message)).toMatchObject({
      ...{ stream: 'uplink', key: 'udara-01', payloadText: sent },
      data: { device: 'udara-01', payload: bytes },
    });
    expect((await entry('readings', reading.entry)).data).toMatchObject({
      uplink: { shard: reading.message.shard, offset: reading.message.offset },
      readings: expect.arrayContaining([
        { parameter: 'humidity', value: 150, flag: 4, failed: ['gross_range'] },
      ]),
    });
    const status = async (path: string): Promise<number> => (await pantau.get(path)).status;
    expect(await status(`readings/udara-01/pm10/${at}`)).toBe(404);
    expect(await pantau.get(`journal/uplink/${reading.message.shard}/1000`)).toMatchObject({
      status: 404,
      body: { detail: expect.stringMatching(/ends before offset 1000/) },
    });
    expect(await status('journal/uplink/1000/0')).toBe(404);
    // Who may connect is not for those who examine.
    expect(await status('journal/identity/0/0')).toBe(400);

    const ids = async (query: string): Promise<unknown[]> =>
      (await pantau.items<{ id: string }>(`devices?${query}`)).map(({ id }) => id);
    expect((await pantau.get<object>('devices/udara-01')).body).toMatchObject({
      ...{ id: 'udara-01', site: 'betung', latest: { pm25: { value: 37.5 } } },
      presence: { state: 'connected' },
    });
    expect(await status('devices/udara-99')).toBe(404);
    expect(await ids('site=betung')).toEqual(['cctv-01', 'udara-01']);
    expect(await ids('kind=camera')).toEqual(['cctv-01']);
    expect(await ids('state=connected')).toEqual(['udara-01']);
    expect(await ids(`from=${new Date(now - HOUR).toISOString()}`)).toEqual(['udara-01']);
    expect(await ids(`to=${new Date(now - HOUR).toISOString()}`)).toEqual([]);
  });

  it('says of a device that sends by the hour, and history too old to be taken, what to do', async () => {
    await using pantau = await new PantauFixture().start();
    const client = await pantau.connect('udara-01');
    for (let hour = 12; hour > 0; hour--)
      await client.publishAsync(TELEMETRY, payload({ pm25: 10 + hour }, now - hour * HOUR), { qos: 1 });
    await client.publishAsync(TELEMETRY, payload({ pm25: 9 }, now - 400 * DAY), { qos: 1 });
    await pantau.caughtUp();
    const of = async (id: string): Promise<Record<string, unknown> | undefined> =>
      (await pantau.items<Record<string, unknown>>('devices')).find((device) => device['id'] === id);
    expect(await of('udara-01')).toMatchObject({
      unkeptInterval: {
        observedMs: HOUR,
        remedy: expect.stringMatching(/device set udara-01 --interval 1h$/),
      },
      lateHistory: { messages: 1, remedy: expect.stringContaining('device set udara-01 --max-age') },
    });
    expect(await of('cctv-01')).not.toHaveProperty('lateHistory');
    const { output } = await pantau.command('device', 'list');
    expect(output).toContain('Readings come every 1h, not every 1m as registered');
    expect(output).toContain('device set udara-01 --max-age');
  });

  it('never moves a latest value backwards, and takes a message that arrives twice once', async () => {
    await using pantau = await new PantauFixture().start();
    const client = await pantau.connect('udara-01');
    for (const [value, minutesAgo] of [
      [10, 2],
      [11, 1],
      [9, 3],
      [11, 1],
    ] as const) {
      await client.publishAsync(TELEMETRY, payload({ pm25: value }, now - minutesAgo * MINUTE), { qos: 1 });
    }
    await pantau.caughtUp();
    const devices = await pantau.items<{ id: string; latest?: { pm25: { value: number } } }>('devices');
    expect(devices.find(({ id }) => id === 'udara-01')?.latest?.pm25.value).toBe(11);
    expect((await pantau.get('readings/count')).body).toEqual({ count: 3 });
  });

  it('has every bad input refused with its own reason, counted and shown, and goes on', async () => {
    await using pantau = await new PantauFixture().start();
    const client = await pantau.connect('udara-01');
    const bad: [string, string | Buffer][] = [
      ['not_json', 'pm25=12'],
      ['schema_violation', payload('high')],
      ['number_as_text', payload({ pm25: '12.5' })],
      ['not_finite', `{"ts":${now},"values":{"pm25":NaN}}`],
      ['payload_too_large', Buffer.alloc(10 * 1024 * 1024, '[')],
      ['json_too_deep', '['.repeat(10_000)],
      ['unknown_parameter', payload({ radon: 3 })],
      ['too_late', payload({ pm25: 1 }, now - 31 * 24 * HOUR)],
    ];
    for (const [, message] of bad) await client.publishAsync(TELEMETRY, message, { qos: 1 });
    await client.publishAsync(TELEMETRY, payload({ pm25: 5 }), { qos: 1 });
    await pantau.caughtUp();
    expect((await pantau.get('readings/count')).body).toEqual({ count: 1 });
    const { body } = await pantau.get<{
      counts: { reason: string; count: number }[];
      items: Record<string, unknown>[];
    }>('rejected');
    expect(new Map(body.counts.map(({ reason, count }) => [reason, count]))).toEqual(
      new Map(bad.map(([reason]) => [reason, 1])),
    );
    const text = body.items.find(({ reason }) => reason === 'number_as_text');
    expect(text).toMatchObject({
      device: 'udara-01',
      topic: TELEMETRY,
      detail: 'values.pm25: expected a finite number, found the text "12.5"',
      payloadText: payload({ pm25: '12.5' }),
      source: { stream: 'uplink' },
    });
    expect(await pantau.items('rejected?reason=not_json')).toHaveLength(1);
    const { shard, offset } = text as unknown as Place;
    expect((await pantau.get(`rejected/${shard}/${offset}`)).body).toEqual(text);
    expect((await pantau.get(`rejected/${shard}/1000`)).status).toBe(404);
    expect(await pantau.items('rejected?site=betung&limit=20')).toHaveLength(bad.length);
    const soon = new Date(Date.now() + HOUR).toISOString();
    expect(await pantau.items(`rejected?from=${soon}`)).toEqual([]);
    expect(await pantau.items(`rejected?to=${soon}&limit=20`)).toHaveLength(bad.length);
  });
});

describe('alerts', () => {
  it('keep their state when Pantau is restarted in the middle of the time that a breach must last', async () => {
    await using pantau = await new PantauFixture().start();
    const publish = async (values: readonly number[], fromMinute: number): Promise<void> => {
      const client = await pantau.connect('udara-01');
      for (const [i, pm25] of values.entries()) {
        await client.publishAsync(TELEMETRY, payload({ pm25 }, now - HOUR + (fromMinute + i) * MINUTE), {
          qos: 1,
        });
      }
      await pantau.caughtUp();
    };
    await publish([50, 120, 130, 125, 120], 0);
    expect(await pantau.items('alerts')).toEqual([
      expect.objectContaining({ state: 'pending', rule: 'pm25', device: 'udara-01' }),
    ]);
    await pantau.restart();
    await publish([120, 110, 105, 101, 90, 90], 5);
    expect(await pantau.items('alerts?state=firing')).toEqual([]);
    await publish([90, 85], 11);
    const [alert] = await pantau.items<Record<string, unknown>>('alerts?state=firing');
    expect(alert).toMatchObject({
      since: new Date(now - HOUR + MINUTE).toISOString(),
      at: new Date(now - HOUR + 11 * MINUTE).toISOString(),
    });
    await publish([50], 13);
    const [resolved] = await pantau.items<{ alert: string; history: { kind: string }[] }>('alerts');
    expect(resolved?.history.map(({ kind }) => kind)).toEqual(['pending', 'firing', 'resolved']);

    expect((await pantau.get(`alerts/${resolved!.alert}`)).body).toEqual(resolved);
    expect((await pantau.get('alerts/pm25/udara-01/1')).status).toBe(404);
    for (const [query, count] of [
      ['severity=critical', 1],
      ['severity=info', 0],
      ['site=betung&rule=pm25', 1],
      ['rule=other', 0],
      [`from=${new Date(now - HOUR).toISOString()}`, 1],
      [`to=${new Date(now - HOUR).toISOString()}`, 0],
    ] as const)
      expect([query, (await pantau.items(`alerts?${query}`)).length]).toEqual([query, count]);
  });
});

describe('the API', () => {
  let pantau: PantauFixture;
  beforeAll(async () => {
    pantau = await new PantauFixture().start();
  });
  afterAll(async () => {
    await pantau[Symbol.asyncDispose]();
  });

  it('bounds what a body holds, names the member, and tells the public no address', async () => {
    const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    const refused = (field: string) => ({
      status: 400,
      body: { code: 'INPUT_LIMIT', errors: [{ field, message: 'nested too deep; at most 32' }] },
    });
    expect(
      await pantau.send('POST', 'devices/udara-01/commands', { name: 'x', params: deep(2_500) }),
    ).toMatchObject(refused('params'));
    expect(
      await pantau.send('PUT', 'devices/udara-01/configuration', { settings: deep(3_500) }),
    ).toMatchObject(refused('settings'));
    expect(await pantau.send('PUT', 'devices/udara-01/configuration', { interval: 60 })).toMatchObject({
      status: 202,
    });

    const sites = await fetch(`${pantau.api}/v1/sites`, {
      headers: { authorization: `bearer ${pantau.token}` },
    });
    expect(sites.status).toBe(200);
    const { body } = await pantau.get('health', null);
    // Neither an address nor a path.
    expect(JSON.stringify(body)).not.toMatch(/\/\S/);
  });

  it('asks for a token everywhere but at health, and answers errors as problem details', async () => {
    expect(await pantau.get('health', null)).toMatchObject({
      status: 200,
      body: { status: 'ok', store: { status: 'ok' } },
    });
    for (const path of ['sites', 'devices', 'readings', 'alerts', 'indicators', 'rejected']) {
      for (const token of [null, '', 'wrong', `${pantau.token}x`]) {
        expect(await pantau.get(path, token)).toMatchObject({
          status: 401,
          type: expect.stringContaining('application/problem+json'),
          body: { status: 401 },
        });
      }
      expect((await pantau.get(path)).status).toBe(200);
    }
    expect(await pantau.get('readings?limit=0')).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('limit') },
    });
    expect(await pantau.get('readings?colour=red')).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('colour') },
    });
    expect(await pantau.get('nothing')).toMatchObject({
      status: 404,
      type: expect.stringContaining('application/problem+json'),
    });
    expect(await pantau.get('indicators/env.aq.pm25_daily_mean/nobody/2015-12-07')).toMatchObject({
      status: 404,
      body: { code: 'DEVICE_UNKNOWN' },
    });
    expect(await pantau.get('indicators/env.aq.pm25_daily_mean/udara-01/2015-02-30')).toMatchObject({
      status: 400,
      body: { code: 'OUT_OF_RANGE' },
    });
  });

  it('describes itself', async () => {
    const url = `${pantau.api}/docs`;
    const description = (await (await fetch(`${url}-json`)).json()) as {
      paths: Record<string, { get: { parameters: { name: string }[] } }>;
    };
    for (const path of ['sites', 'devices', 'readings', 'alerts', 'indicators', 'rejected', 'health'])
      expect(description.paths).toHaveProperty([`/api/v1/${path}`]);
    expect(description.paths['/api/v1/readings']!.get.parameters.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['device', 'parameter', 'from', 'to', 'limit']),
    );
    expect((await fetch(url)).status).toBe(200);
  });

  it('makes the first admin token once', async () => {
    expect(pantau.printed).toContain('pantau_first-admin_');
    await pantau.restart();
    expect(pantau.printed).not.toContain('pantau_first-admin_');
    expect((await pantau.get('sites')).status).toBe(200);
  });
});
describeWith(['mosquitto_pub'], 'a third-party client', () => {
  it("publishes with a device's credentials, and the API returns the reading", async () => {
    await using pantau = await new PantauFixture().start();
    const password = await pantau.engines.credentials.issue('udara-01');
    const run = (pw: string): Promise<number | null> =>
      new Promise((resolve) => {
        const child = spawn('mosquitto_pub', [
          '-h',
          '127.0.0.1',
          '-p',
          new URL(pantau.url).port,
          '-i',
          'udara-01',
          '-u',
          'udara-01',
          '-P',
          pw,
          '-q',
          '1',
          '-t',
          TELEMETRY,
          '-m',
          payload({ pm25: 42 }),
        ]);
        child.once('exit', resolve);
      });
    expect(await run(password)).toBe(0);
    expect(await run('wrong')).not.toBe(0);
    await pantau.caughtUp();
    expect(await pantau.items('readings?device=udara-01')).toEqual([
      expect.objectContaining({ parameter: 'pm25', value: 42 }),
    ]);
  });
});
