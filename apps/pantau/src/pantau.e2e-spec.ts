import 'reflect-metadata';
import { canonicalJson, HOUR, MINUTE } from '#libs/kernel';
import { loadConfig } from '#libs/platform';
import {
  describeWith,
  freePort,
  startProcess,
  temporaryFolder,
  waitUntil,
  type ServerProcess,
} from '#libs/testing';
import { play, planSchema, readRecording } from '#simulators/replay';
import mqtt, { type MqttClient } from 'mqtt';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngines, systemClock, type Engines } from './engines.js';
import { caughtUp } from './stages.js';

const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung }
devices:
  - { id: udara-01, site: betung, kind: air, name: Udara 1, interval: 1m }
  - { id: cctv-01, site: betung, kind: camera, name: Kamera 1, interval: 1m }
`;
const RULES = `
rules:
  - id: pm25
    title: { id: 'PM2,5 tinggi', en: PM2.5 high }
    parameter: pm25
    raise: 100
    clear: 80
    for: 10m
    severity: critical
`;

/** The built program: `npm test` builds it first. */
const MAIN = join(import.meta.dirname, '..', '..', '..', 'dist', 'apps', 'pantau', 'src', 'main.js');

/** Pantau in a process of its own; this process opens the same journal and state beside it. */
class Fixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('runtime');
  readonly #clients: MqttClient[] = [];
  #server: ServerProcess | undefined;
  #ports = { mqtt: 0, http: 0 };
  engines!: Engines;
  token = '';

  async start(): Promise<this> {
    this.#ports = { mqtt: await freePort(), http: await freePort() };
    const folder = this.#folder.path;
    const { mqtt, http } = this.#ports;
    writeFileSync(join(folder, 'sites.yaml'), SITES);
    writeFileSync(join(folder, 'rules.yaml'), RULES);
    writeFileSync(
      join(folder, 'pantau.yaml'),
      `data: ${folder}/data\nmqtt: { port: ${mqtt} }\nhttp: { port: ${http} }\nmetrics: { port: 0 }\nlog: { level: warn }\n`,
    );
    await this.#launch();
    this.engines = await openEngines(loadConfig(join(folder, 'pantau.yaml'), {}));
    return this;
  }

  async #launch(): Promise<void> {
    const server = startProcess(process.execPath, [
      MAIN,
      '--config',
      join(this.#folder.path, 'pantau.yaml'),
      'start',
    ]);
    this.#server = server;
    await waitUntil('Pantau is ready', () => {
      if (server.process.exitCode !== null) throw new Error(server.output());
      return server.output().includes('ready:');
    });
    this.token = /pantau_first-admin_\S+/.exec(server.output())?.[0] ?? this.token;
  }

  async restart(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.end(true);
    await this.#server?.stop('SIGTERM');
    expect(this.#server?.process.exitCode).toBe(0);
    await this.#launch();
  }

  get printed(): string {
    return this.#server?.output() ?? '';
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#ports.mqtt}`;
  }

  get api(): string {
    return `http://127.0.0.1:${this.#ports.http}/api`;
  }

  async caughtUp(): Promise<void> {
    await caughtUp(this.engines.journal);
  }

  async connect(device: string): Promise<MqttClient> {
    const password = await this.engines.credentials.issue(device);
    const client = await mqtt.connectAsync(this.url, { clientId: device, username: device, password });
    this.#clients.push(client);
    return client;
  }

  async get<T>(
    path: string,
    token: string | null = this.token,
  ): Promise<{ status: number; type: string; body: T }> {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.api}/v1/${path}`, { headers });
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: (await response.json()) as T,
    };
  }

  async items<T>(path: string): Promise<T[]> {
    return (await this.get<{ items: T[] }>(path)).body.items;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.end(true);
    await this.#server?.stop('SIGTERM');
    await this.engines.close();
    this.#folder[Symbol.dispose]();
  }
}

const TELEMETRY = 'pantau/v1/betung/udara-01/telemetry';
const now = Date.now();
const payload = (values: unknown, ts: unknown = now): string => JSON.stringify({ ts, values });

describe('from device to API', () => {
  it('shows a published reading, the device behind it, and its flag', async () => {
    await using pantau = await new Fixture().start();
    const client = await pantau.connect('udara-01');
    await client.publishAsync(TELEMETRY, payload({ pm25: 37.5, humidity: 150 }), { qos: 1 });
    await pantau.caughtUp();
    const at = new Date(now).toISOString();
    expect(await pantau.items('readings?device=udara-01&order=asc')).toEqual([
      expect.objectContaining({
        site: 'betung',
        parameter: 'humidity',
        ts: at,
        value: 150,
        flag: 4,
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
    const devices = await pantau.items<Record<string, unknown>>('devices');
    expect(devices.find(({ id }) => id === 'udara-01')).toMatchObject({
      presence: { state: 'connected' },
      latest: { pm25: { value: 37.5, ts: at } },
    });
    expect(await pantau.items('sites')).toEqual([{ id: 'betung', name: 'Betung', district: 'Betung' }]);
  });

  it('never moves a latest value backwards, and takes a message that arrives twice once', async () => {
    await using pantau = await new Fixture().start();
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
    await using pantau = await new Fixture().start();
    const client = await pantau.connect('udara-01');
    const bad: [string, string | Buffer][] = [
      ['not_json', 'pm25=12'],
      ['schema_violation', payload('high')],
      ['number_as_text', payload({ pm25: '12.5' })],
      ['not_finite', `{"ts":${now},"values":{"pm25":NaN}}`],
      ['payload_too_large', Buffer.alloc(10 * 1024 * 1024, '[')],
      ['json_too_deep', '['.repeat(10_000)],
      ['unknown_parameter', payload({ radon: 3 })],
      ['timestamp_in_future', payload({ pm25: 1 }, now + 24 * HOUR)],
      ['timestamp_too_old', payload({ pm25: 1 }, 0)],
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
  });
});

describe('alerts', () => {
  it('keep their state when Pantau is restarted in the middle of the time that a breach must last', async () => {
    await using pantau = await new Fixture().start();
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
    const [resolved] = await pantau.items<{ history: { kind: string }[] }>('alerts');
    expect(resolved?.history.map(({ kind }) => kind)).toEqual(['pending', 'firing', 'resolved']);
  });
});

describe('the API', () => {
  it('asks for a token everywhere but at health, and answers errors as problem details', async () => {
    await using pantau = await new Fixture().start();
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
      body: { code: 'NOT_FOUND' },
    });
    expect(await pantau.get('indicators/env.aq.pm25_daily_mean/udara-01/2015-02-30')).toMatchObject({
      status: 400,
      body: { code: 'OUT_OF_RANGE' },
    });
  });

  it('describes itself', async () => {
    await using pantau = await new Fixture().start();
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
    await using pantau = await new Fixture().start();
    expect(pantau.printed).toContain('pantau_first-admin_');
    await pantau.restart();
    expect(pantau.printed).not.toContain('pantau_first-admin_');
    expect((await pantau.get('sites')).status).toBe(200);
  });
});

describe('indicators', () => {
  it('come out of recorded data, complete with provenance, and the same from the journal, byte for byte', async () => {
    await using pantau = await new Fixture().start();
    const { registry, credentials } = pantau.engines;
    const plan = planSchema.parse({
      site: 'betung',
      from: '2015-12-06T17:00:00Z',
      to: '2015-12-08T17:00:00Z',
      stations: [{ device: 'udara-02', recording: 'beijing-dongsi' }],
      cameras: {
        interval: '1m',
        devices: ['cctv-02'],
        outages: [
          {
            device: 'cctv-02',
            kind: 'stream-lost',
            from: '2015-12-07T00:00:00Z',
            to: '2015-12-07T06:00:00Z',
          },
          { device: 'cctv-02', kind: 'power-cut', from: '2015-12-07T08:00:00Z', to: '2015-12-07T10:00:00Z' },
        ],
      },
    });
    await registry.putDevice({
      id: 'udara-02',
      site: 'betung',
      kind: 'air',
      name: 'Rekaman',
      intervalMs: HOUR,
    });
    await registry.putDevice({
      id: 'cctv-02',
      site: 'betung',
      kind: 'camera',
      name: 'Kamera',
      intervalMs: MINUTE,
    });
    const passwords = {
      'udara-02': await credentials.issue('udara-02'),
      'cctv-02': await credentials.issue('cctv-02'),
    };
    const report = await play({
      plan,
      url: pantau.url,
      passwords,
      speed: 'max',
      restamp: false,
      clock: systemClock,
    });
    expect(report.acknowledged).toBe(report.total);
    await pantau.caughtUp();

    // The recording of that day, straight from the file.
    const mean = await pantau.get<{
      value: number;
      dataCapture: Record<string, number>;
      provenance: { inputs: number };
    }>('indicators/env.aq.pm25_daily_mean/udara-02/2015-12-07');
    const recorded = readRecording('beijing-dongsi').filter(
      ({ ts }) => ts >= plan.from && ts < plan.from + 24 * HOUR,
    );
    const values = recorded.flatMap(({ values: { pm25 } }) => (pm25 === undefined ? [] : [pm25]));
    expect(mean.body.dataCapture).toMatchObject({ validHours: values.length, received: values.length });
    expect(mean.body.value).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 9);

    const rollups = await pantau.items<{ hour: string; received: number; mean: number | null }>(
      'rollups?device=udara-02&parameter=pm25&from=2015-12-06T17:00:00Z&to=2015-12-07T17:00:00Z',
    );
    expect(rollups.map(({ hour }) => Date.parse(hour))).toEqual(recorded.map(({ ts }) => ts));
    expect(rollups.map(({ mean: hourly }) => hourly)).toEqual(
      recorded.map(({ values: { pm25 } }) => pm25 ?? null),
    );

    // Six of 24 hours reported down; two hours silent at a time when Pantau did not run: unknown, not down.
    const camera = await pantau.get<{ value: number; detail: { strict: number; optimistic: number } }>(
      'indicators/soc.cctv.availability/cctv-02/2015-12-07',
    );
    expect(camera.body.value).toBeCloseTo((100 * 16) / 22, 0);
    expect(camera.body.detail.strict).toBeCloseTo((100 * 16) / 24, 0);
    expect(camera.body.detail.optimistic).toBeCloseTo((100 * 18) / 24, 0);

    for (const path of [
      'env.aq.pm25_daily_mean/udara-02/2015-12-07',
      'soc.cctv.availability/cctv-02/2015-12-07',
    ]) {
      const { body } = await pantau.get<{ identical: boolean; record: unknown; recomputed: unknown }>(
        `indicators/${path}/recomputation`,
      );
      expect(body.identical).toBe(true);
      expect(canonicalJson(body.recomputed)).toBe(canonicalJson(body.record));
    }
    expect((await pantau.items('indicators?device=udara-02')).length).toBe(2);
  });
});

describeWith(['mosquitto_pub'], 'a third-party client', () => {
  it("publishes with a device's credentials, and the API returns the reading", async () => {
    await using pantau = await new Fixture().start();
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
