import {
  describeWith,
  freePort,
  startInfluxd,
  startProcess,
  temporaryFolder,
  waitUntil,
  type ServerProcess,
} from '#libs/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The built program: these tests are about processes. `npm test` builds it first. */
const MAIN = join(import.meta.dirname, '..', '..', '..', 'dist', 'apps', 'pantau', 'src', 'main.js');

/** Two real stations for five weeks: enough to be killed in the middle of. */
const PLAN = `
site: demo
from: 2015-12-05T17:00:00Z
to: 2016-01-10T17:00:00Z
stations:
  - { device: udara-dongsi, recording: beijing-dongsi }
  - { device: udara-huairou, recording: beijing-huairou }
`;

interface AckLine {
  readonly device: string;
  readonly ts: number;
  readonly values: Readonly<Record<string, number>>;
}

class Installation implements AsyncDisposable {
  readonly #folder = temporaryFolder('pantau');
  readonly acknowledgedLog = join(this.#folder.path, 'acknowledged.jsonl');
  #server: ServerProcess | undefined;
  #token = '';

  private constructor(
    private readonly ports: { readonly mqtt: number; readonly http: number },
    private readonly store: NodeJS.ProcessEnv,
  ) {}

  static async make(store: NodeJS.ProcessEnv = {}): Promise<Installation> {
    return new Installation({ mqtt: await freePort(), http: await freePort() }, store);
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PANTAU_DATA: join(this.#folder.path, 'data'),
      PANTAU_MQTT_PORT: String(this.ports.mqtt),
      PANTAU_HTTP_PORT: String(this.ports.http),
      PANTAU_METRICS_PORT: '0',
      PANTAU_LOG_LEVEL: 'warn',
      ...this.store,
    };
  }

  run(...args: string[]): ServerProcess {
    return startProcess(process.execPath, [MAIN, ...args], this.environment);
  }

  async start(): Promise<void> {
    const server = this.run('start');
    this.#server = server;
    await waitUntil('Pantau is ready', () => {
      if (server.process.exitCode !== null) throw new Error(server.output());
      return server.output().includes('ready:');
    });
    this.#token = /pantau_first-admin_\S+/.exec(server.output())?.[0] ?? this.#token;
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    await this.#server?.stop(signal);
    return this.#server?.process.exitCode ?? null;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.ports.http}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    return (await response.json()) as T;
  }

  async startReplay(): Promise<ServerProcess> {
    const [plan, credentials] = [
      join(this.#folder.path, 'plan.yaml'),
      join(this.#folder.path, 'credentials.json'),
    ];
    writeFileSync(plan, PLAN);
    writeFileSync(this.acknowledgedLog, '');
    const add = this.run('device', 'add-plan', plan, '--credentials', credentials);
    await waitUntil('the devices are registered', () => add.process.exitCode === 0);
    const url = `mqtt://127.0.0.1:${this.ports.mqtt}`;
    return this.run(
      'replay',
      plan,
      '--url',
      url,
      '--credentials',
      credentials,
      '--speed',
      'max',
      '--acknowledged-log',
      this.acknowledgedLog,
    );
  }

  acknowledged(): AckLine[] {
    const lines = readFileSync(this.acknowledgedLog, 'utf8').trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AckLine);
  }

  async caughtUp(): Promise<void> {
    await waitUntil(
      'every stage has read everything',
      async () => {
        const { lag } = await this.get<{ lag: Record<string, number> }>('health');
        return Object.values(lag).every((entries) => entries === 0);
      },
      60_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
    this.#folder[Symbol.dispose]();
  }
}

/** Kills Pantau in the middle of a replay, three times, and compares what was acknowledged with what is stored. */
async function surviveKills(pantau: Installation): Promise<void> {
  await pantau.start();
  const replay = await pantau.startReplay();
  for (const share of [200, 600, 1_100]) {
    await waitUntil(`${share} messages are acknowledged`, () => pantau.acknowledged().length >= share);
    expect(replay.process.exitCode).toBeNull();
    await pantau.kill('SIGKILL');
    await pantau.start();
  }
  await waitUntil('the replay is over', () => replay.process.exitCode !== null, 60_000);
  if (replay.process.exitCode !== 0) throw new Error(replay.output());
  await pantau.caughtUp();

  // Of every acknowledged message every value is stored, as it was sent, and there is nothing else.
  const expected = new Map<string, number>();
  for (const { device, ts, values } of pantau.acknowledged()) {
    for (const [parameter, value] of Object.entries(values))
      expected.set(`${device} ${parameter} ${new Date(ts).toISOString()}`, value);
  }
  expect(expected.size).toBeGreaterThan(10_000);
  expect(await pantau.get('readings/count')).toEqual({ count: expected.size });
  const stored = new Map<string, number>();
  for (const device of ['udara-dongsi', 'udara-huairou']) {
    const { items } = await pantau.get<{
      items: { device: string; parameter: string; ts: string; value: number }[];
    }>(`readings?device=${device}&limit=10000`);
    for (const { parameter, ts, value } of items) stored.set(`${device} ${parameter} ${ts}`, value);
  }
  expect(stored).toEqual(expected);

  // The alerts tell one story: of each alert every transition once, in order.
  const { items: alerts } = await pantau.get<{ items: { alert: string; history: { kind: string }[] }[] }>(
    'alerts?limit=1000',
  );
  expect(alerts.length).toBeGreaterThan(10);
  for (const { history } of alerts) {
    expect(['pending', 'pending,cancelled', 'pending,firing', 'pending,firing,resolved']).toContain(
      history.map(({ kind }) => kind).join(),
    );
  }

  // And the evidence can be computed again from the journal, with Pantau stopped in order.
  expect(await pantau.kill('SIGTERM')).toBe(0);
  const evidence = pantau.run(
    'evidence',
    'show',
    'env.aq.pm25_daily_mean',
    'udara-dongsi',
    '2015-12-20',
    '--recompute',
  );
  await waitUntil('the evidence is shown', () => evidence.process.exitCode !== null);
  expect(evidence.output()).toContain('The same, byte for byte');
}

describe('Pantau killed in the middle of a replay', () => {
  it('has stored exactly what was acknowledged (DuckDB)', async () => {
    await using pantau = await Installation.make();
    await surviveKills(pantau);
  }, 180_000);
});

describeWith(['influxd'], 'Pantau with a real InfluxDB', () => {
  it('has stored exactly what was acknowledged, after being killed in the middle of a replay', async () => {
    await using influx = await startInfluxd();
    await using pantau = await Installation.make({
      PANTAU_STORE: 'influxdb',
      PANTAU_INFLUX_VERSION: '1',
      PANTAU_INFLUX_URL: influx.url,
    });
    await surviveKills(pantau);
  }, 180_000);

  it('goes on acknowledging while InfluxDB is away, and catches up when it is back', async () => {
    await using influx = await startInfluxd();
    await using pantau = await Installation.make({
      PANTAU_STORE: 'influxdb',
      PANTAU_INFLUX_VERSION: '1',
      PANTAU_INFLUX_URL: influx.url,
    });
    await pantau.start();
    await influx.stop('SIGKILL');
    const replay = await pantau.startReplay();
    await waitUntil('the replay is over', () => replay.process.exitCode !== null, 60_000);
    if (replay.process.exitCode !== 0) throw new Error(replay.output());
    const health = await pantau.get<{
      status: string;
      store: { status: string };
      lag: Record<string, number>;
    }>('health');
    expect(health).toMatchObject({ status: 'degraded', store: { status: 'unavailable' } });
    expect(health.lag['writer.readings']).toBeGreaterThan(0);
    await influx.start();
    await pantau.caughtUp();
    const values = pantau.acknowledged().reduce((sum, line) => sum + Object.keys(line.values).length, 0);
    expect(await pantau.get('readings/count')).toEqual({ count: values });
  }, 180_000);
});

describe('the command line', () => {
  async function fails(pantau: Installation, ...args: string[]): Promise<string> {
    const command = pantau.run(...args);
    await waitUntil('the command ends', () => command.process.exitCode !== null);
    expect(command.process.exitCode).toBe(1);
    return command.output();
  }

  it('names a port that is in use, and the remedy', async () => {
    await using pantau = await Installation.make();
    await pantau.start();
    await using second = await Installation.make({
      PANTAU_MQTT_PORT: pantau.environment['PANTAU_MQTT_PORT'],
    });
    expect(await fails(second, 'start')).toMatch(
      /PORT_IN_USE: MQTT port \d+ on 127\.0\.0\.1 is in use\. .*mqtt\.port/,
    );
  });

  it('names a data folder that cannot be written', async () => {
    await using pantau = await Installation.make({ PANTAU_DATA: MAIN });
    expect(await fails(pantau, 'start')).toMatch(/DATA_DIR_UNUSABLE: .*main\.js/);
  });

  it('names file, line and expectation of a broken configuration', async () => {
    using folder = temporaryFolder('config');
    const file = join(folder.path, 'pantau.yaml');
    writeFileSync(file, 'mqtt:\n  port: many\n');
    await using pantau = await Installation.make();
    // Without the overrides of the environment, so that the line is the file's.
    const command = startProcess(process.execPath, [MAIN, '--config', file, 'start'], {
      PANTAU_DATA: '',
      PANTAU_MQTT_PORT: '',
      PANTAU_HTTP_PORT: '',
    });
    await waitUntil('the command ends', () => command.process.exitCode !== null);
    expect(command.output()).toMatch(/pantau\.yaml:2: mqtt\.port: expected a whole number from 0 to 65535/);
    expect(await fails(pantau, '--config', '/no/such.yaml', 'start')).toMatch(
      /CONFIG_UNREADABLE: cannot read \/no\/such\.yaml/,
    );
  });

  it('explains every command', async () => {
    await using pantau = await Installation.make();
    for (const args of [
      [],
      ['start'],
      ['replay'],
      ['device'],
      ['device', 'add'],
      ['token', 'create'],
      ['evidence', 'show'],
    ]) {
      const command = pantau.run(...args, '--help');
      await waitUntil('help is shown', () => command.process.exitCode !== null);
      expect(command.process.exitCode).toBe(0);
      expect(command.output()).toContain('Usage: pantau');
    }
  });
});
