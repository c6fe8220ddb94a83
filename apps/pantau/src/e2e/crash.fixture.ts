import { freePort, startProcess, temporaryFolder, waitUntil, type ServerProcess } from '#libs/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../built.fixture.js';

/** A busy machine must not fail a test. */
const START_DEADLINE_MS = 60_000;

/** The time of the replay, of which readings are asked for: otherwise the last month is answered. */
export const REPLAYED = 'from=2015-12-01T00:00:00Z&to=2016-02-01T00:00:00Z';
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

/** The built program with a data folder of its own, and a replay to be disturbed in. */
export class Installation implements AsyncDisposable {
  readonly #folder = temporaryFolder('pantau');
  readonly acknowledgedLog = join(this.#folder.path, 'acknowledged.jsonl');
  readonly #servers = new Map<string, ServerProcess>();
  #token = '';

  protected constructor(
    private readonly ports: { readonly mqtt: number; readonly http: number; readonly intake: number },
    private readonly store: NodeJS.ProcessEnv,
  ) {}

  static async make(store: NodeJS.ProcessEnv = {}): Promise<Installation> {
    return new Installation(
      { mqtt: await freePort(), http: await freePort(), intake: await freePort() },
      store,
    );
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PANTAU_DATA: join(this.#folder.path, 'data'),
      PANTAU_MQTT_PORT: String(this.ports.mqtt),
      PANTAU_HTTP_PORT: String(this.ports.http),
      PANTAU_HTTP_INTAKE_PORT: String(this.ports.intake),
      PANTAU_METRICS_PORT: '0',
      PANTAU_LOG_LEVEL: 'warn',
      ...this.store,
    };
  }

  run(...args: string[]): ServerProcess {
    return startProcess(process.execPath, [MAIN, ...args], this.environment);
  }

  /** Starts Pantau, or one process of it. */
  async start(...words: readonly string[]): Promise<void> {
    const name = words.join(' ');
    const server = this.run(...(words.length === 0 ? ['start'] : ['run', ...words]));
    this.#servers.set(name, server);
    await waitUntil(
      `Pantau ${name} is ready`,
      () => server.process.exitCode !== null || server.output().includes('ready:'),
      START_DEADLINE_MS,
    );
    if (server.process.exitCode !== null) throw new Error(server.output());
    this.#token = /pantau_first-admin_\S+/.exec(server.output())?.[0] ?? this.#token;
  }

  async kill(signal: NodeJS.Signals, ...words: readonly string[]): Promise<number | null> {
    const server = this.#servers.get(words.join(' '));
    await server?.stop(signal);
    return server?.process.exitCode ?? null;
  }

  pid(...words: readonly string[]): number {
    return this.#servers.get(words.join(' '))?.process.pid ?? 0;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.ports.http}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    return (await response.json()) as T;
  }

  /** Registers one device. @returns its id and its password */
  async addDevice(): Promise<readonly [id: string, password: string]> {
    const credentials = join(this.#folder.path, 'credentials.json');
    for (const words of [
      ['site', 'add', 'betung', '--name', 'Betung', '--district', 'Betung'],
      ['device', 'add', 'udara-01', '--site', 'betung', '--credentials', credentials],
    ]) {
      const command = this.run(...words);
      await waitUntil(`${words[0]!} is added`, () => command.process.exitCode !== null);
      if (command.process.exitCode !== 0) throw new Error(command.output());
    }
    const passwords = JSON.parse(readFileSync(credentials, 'utf8')) as Record<string, string>;
    return ['udara-01', passwords['udara-01']!];
  }

  signal(signal: NodeJS.Signals, ...words: readonly string[]): void {
    this.#servers.get(words.join(' '))?.process.kill(signal);
  }

  /** Posts as a device, to the intake or to the port of the API. */
  async post(device: string, password: string, body: string, to: 'intake' | 'http'): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.ports[to]}/api/v1/uplinks/${device}`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${device}:${password}`).toString('base64')}` },
      body,
    });
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
    await Promise.all(Array.from(this.#servers.values(), (server) => server.stop('SIGKILL')));
    this.#folder[Symbol.dispose]();
  }
}

/** Everything that was acknowledged is stored once, as it was sent, and the alerts tell one story. */
export async function expectAcknowledged(pantau: Installation): Promise<void> {
  // Of every acknowledged message every value is stored, as it was sent, and there is nothing else.
  const expected = new Map<string, number>();
  for (const { device, ts, values } of pantau.acknowledged()) {
    for (const [parameter, value] of Object.entries(values))
      expected.set(`${device} ${parameter} ${new Date(ts).toISOString()}`, value);
  }
  expect(expected.size).toBeGreaterThan(10_000);
  expect(await pantau.get(`readings/count?${REPLAYED}`)).toEqual({
    count: expected.size,
  });
  const stored = new Map<string, number>();
  for (const device of ['udara-dongsi', 'udara-huairou']) {
    const { items } = await pantau.get<{
      items: { device: string; parameter: string; ts: string; value: number }[];
    }>(`readings?device=${device}&limit=10000&${REPLAYED}`);
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
}
