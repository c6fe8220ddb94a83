import 'reflect-metadata';
import { loadConfig } from '#libs/platform';
import { freePort, startProcess, temporaryFolder, waitUntil, type ServerProcess } from '#libs/testing';
import mqtt, { type MqttClient } from 'mqtt';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngines, type Engines } from '../storage/engines.js';
import { caughtUp } from '../stages.js';
import { MAIN } from '../built.fixture.js';

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

/** A start takes a second or two; a busy machine must not fail a test. */
const START_DEADLINE_MS = 60_000;

/** Pantau in a process of its own; this process opens the same journal and state beside it. */
export class PantauFixture implements AsyncDisposable {
  readonly #folder = temporaryFolder('runtime');
  readonly #clients: MqttClient[] = [];
  #server: ServerProcess | undefined;
  #ports = { mqtt: 0, http: 0, intake: 0, metrics: 0 };
  engines!: Engines;
  token = '';

  /** @param main - of another copy of the program */
  constructor(private readonly main = MAIN) {}

  /**
   * @param more - further lines of `pantau.yaml`; of its address where they depend on that, which then is its public one
   * @param sites - another `sites.yaml`
   */
  async start(more: string | ((address: string) => Promise<string>) = '', sites = SITES): Promise<this> {
    this.#ports = {
      mqtt: await freePort(),
      http: await freePort(),
      intake: await freePort(),
      metrics: await freePort(),
    };
    const folder = this.#folder.path;
    const { mqtt, http, intake, metrics } = this.#ports;
    writeFileSync(join(folder, 'sites.yaml'), sites);
    writeFileSync(join(folder, 'rules.yaml'), RULES);
    const address = `http://127.0.0.1:${http}`;
    const [publicUrl, lines] =
      typeof more === 'string' ? ['', more] : [`, publicUrl: '${address}'`, await more(address)];
    writeFileSync(
      join(folder, 'pantau.yaml'),
      `data: ${folder}/data\nmqtt: { port: ${mqtt} }\nhttp: { port: ${http}${publicUrl} }\nhttpIntake: { port: ${intake} }\nmetrics: { port: ${metrics} }\nlog: { level: warn }\n${lines}`,
    );
    await this.#launch();
    this.engines = await openEngines(loadConfig(join(folder, 'pantau.yaml'), {}));
    return this;
  }

  async #launch(): Promise<void> {
    const server = startProcess(process.execPath, [
      this.main,
      '--config',
      join(this.#folder.path, 'pantau.yaml'),
      'start',
    ]);
    this.#server = server;
    try {
      await waitUntil(
        'Pantau is ready',
        () => server.process.exitCode !== null || server.output().includes('ready:'),
        START_DEADLINE_MS,
      );
      if (server.process.exitCode !== null) throw new Error(server.output());
    } catch (error) {
      // Whoever waits for the start disposes of nothing.
      await server.stop('SIGKILL');
      throw error;
    }
    this.token = /pantau_first-admin_\S+/.exec(server.output())?.[0] ?? this.token;
  }

  /** @param whileDown - what is looked at while it is away */
  async restart(whileDown: () => Promise<unknown> = async () => undefined): Promise<void> {
    await this.#server?.stop('SIGTERM');
    expect(this.#server?.process.exitCode).toBe(0);
    for (const client of this.#clients.splice(0)) client.end(true);
    await whileDown();
    await this.#launch();
  }

  /** Ends it at once, as a crash does, and starts it again. */
  async kill(): Promise<void> {
    await this.#server?.stop('SIGKILL');
    await this.#launch();
  }

  get pid(): number | undefined {
    return this.#server?.process.pid;
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

  /** Where devices post. */
  get intake(): string {
    return `http://127.0.0.1:${this.#ports.intake}/api`;
  }

  get metrics(): string {
    return `http://127.0.0.1:${this.#ports.metrics}/metrics`;
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

  /** Sends a JSON body. */
  async send<T>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown,
    token: string | null = this.token,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.api}/v1/${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  /** A path in this installation's folder. */
  file(name: string): string {
    return join(this.#folder.path, name);
  }

  /** Runs the command line on this installation, beside the running server. */
  async command(...args: string[]): Promise<{ code: number | null; output: string }> {
    const command = startProcess(process.execPath, [MAIN, '--config', this.file('pantau.yaml'), ...args]);
    if (command.process.exitCode === null) await once(command.process, 'close');
    return { code: command.process.exitCode, output: command.output() };
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
