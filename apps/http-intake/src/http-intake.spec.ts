import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { DeviceCredentials, DeviceTokens, Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import { startStage } from '#libs/journal-transport';
import { MINUTE, seededRandom, type PantauError } from '#libs/kernel';
import { NestLogger } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pino } from 'pino';
import type { HttpIntakeListener, HttpIntakeOptions } from './options.js';
import { httpIntakeStage } from './stage.js';

const clock = { now: () => 1_700_000_000_000 };
const FREE: HttpIntakeListener = { host: '127.0.0.1', port: 0, isChosen: true };
const NONE = 'none';

type Door = 'port' | 'socket';

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly password?: string;
  /** The address for which the API would speak. */
  readonly from?: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly allow: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A data folder with a device in it, and intakes over it. */
class Room implements AsyncDisposable {
  readonly #folder = temporaryFolder('http-intake');
  readonly socket = join(this.#folder.path, 'http-intake.sock');
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly warnings: string[] = [];
  journal!: Journal;
  password = '';
  port: number | undefined;
  #parts!: { registry: Registry; credentials: DeviceCredentials; tokens: DeviceTokens };

  async open(): Promise<this> {
    const state = LmdbStateStore.open(this.#folder.path);
    const journal = await LmdbJournal.open({ state, clock, shards: 2 });
    this.#closers.push(
      () => state.close(),
      () => journal.close(),
    );
    this.journal = journal;
    const registry = new Registry(state, { journal, clock });
    const credentials = new DeviceCredentials(state, clock);
    this.#parts = { registry, credentials, tokens: new DeviceTokens(state, credentials, clock) };
    await registry.putSite({ id: 'betung', name: 'Betung', district: 'Betung' });
    await registry.putDevice({
      id: 'udara-01',
      site: 'betung',
      kind: 'air',
      name: 'Udara',
      intervalMs: MINUTE,
    });
    this.password = await credentials.issue('udara-01');
    return this;
  }

  /** @param more - instead of what this room has */
  async start(
    listener: HttpIntakeListener | typeof NONE = FREE,
    more: Partial<HttpIntakeOptions> = {},
  ): Promise<() => Promise<void>> {
    const { journal, socket } = this;
    this.port = undefined;
    const warn = { write: (line: string) => void this.warnings.push(line) };
    const stop = await startStage(
      httpIntakeStage,
      {
        ...{ ...this.#parts, journal, clock, socket },
        listener: listener === NONE ? undefined : listener,
        onListening: (port) => (this.port = port),
        timePolicy: { maxFutureMs: MINUTE, oldest: 0, maxAgeMs: MINUTE, wrongClock: 'arrival' },
        codecs: new Set(['tasmota']),
        maxPayloadBytes: 1_024,
        maxBatchBytes: 4_096,
        authFailures: { perSecond: 0.001, burst: 3 },
        messagesPerDevice: { perSecond: 0.001, burst: 4 },
        ...more,
      },
      {
        journal,
        state: undefined as never,
        clock,
        random: seededRandom(1),
        logger: new NestLogger(pino({ level: 'warn' }, warn)),
      },
    );
    this.#closers.push(stop);
    return stop;
  }

  async post(door: Door, { body = '{}', ...sent }: Sent & { readonly body?: string } = {}): Promise<Answer> {
    const call = this.call(door, { ...sent, bytes: body.length });
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    return {
      status: answer.statusCode,
      allow: answer.headers.allow,
      body: (await json(answer)) as Answer['body'],
    };
  }

  /** A request whose body is still to come. */
  call(
    door: Door,
    {
      path = '/api/v1/uplinks/udara-01',
      method = 'POST',
      password = this.password,
      from = '',
      bytes,
    }: Sent & { readonly bytes: number },
  ): ClientRequest {
    return request({
      ...(door === 'socket' ? { socketPath: this.socket } : { host: '127.0.0.1', port: this.port }),
      method,
      path,
      headers: {
        authorization: `Basic ${Buffer.from(`udara-01:${password}`).toString('base64')}`,
        'content-length': bytes,
        ...(from === '' ? {} : { 'x-forwarded-for': from }),
      },
    });
  }

  async stored(): Promise<number> {
    let count = 0;
    for (let shard = 0; shard < this.journal.shards; shard++)
      count += (await this.journal.extent('uplink', shard)).next;
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    this.#folder[Symbol.dispose]();
  }
}

describe('the HTTP intake', () => {
  it('acknowledges what is in the journal, with one account of a device for both of its doors', async () => {
    await using room = await new Room().open();
    await room.start();
    for (const door of ['port', 'socket', 'port', 'socket'] as const) {
      const before = await room.stored();
      expect(await room.post(door)).toMatchObject({ status: 202, body: { device: 'udara-01' } });
      expect(await room.stored()).toBe(before + 1);
    }
    for (const door of ['port', 'socket'] as const)
      expect(await room.post(door)).toMatchObject({ status: 429, body: { code: 'OVERLOADED' } });
    expect(await room.stored()).toBe(4);
    if (process.platform !== 'win32') expect(statSync(room.socket).mode & 0o777).toBe(0o600);
  });

  it('believes of an address what the API says alone', async () => {
    await using room = await new Room().open();
    await room.start();
    const guess = async (door: Door, from: string, n: number): Promise<number | undefined> =>
      (await room.post(door, { from, password: `guess-${n}` })).status;
    const statuses: (number | undefined)[] = [];
    // Three wrong ones of an address: the header of a device makes no other address of it.
    for (let n = 0; n < 4; n++) statuses.push(await guess('port', `192.0.2.${n}`, n));
    expect(statuses).toEqual([401, 401, 401, 429]);
    expect(await guess('socket', '192.0.2.9', 4)).toBe(401);
    expect(await guess('socket', '127.0.0.1', 5)).toBe(429);
  });

  it('answers a stranger without waiting for what it would send', async () => {
    await using room = await new Room().open();
    await room.start();
    for (const door of ['port', 'socket'] as const) {
      const call = room.call(door, {
        path: '/api/v1/uplinks/udara-01/batch',
        password: 'guess',
        bytes: 4_000,
      });
      call.flushHeaders();
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Basic realm="Pantau"');
      call.on('error', () => {}).destroy();
    }
  });

  it('says what it takes to whoever asks for something else', async () => {
    await using room = await new Room().open();
    await room.start();
    expect(await room.post('port', { method: 'PUT' })).toMatchObject({ status: 405, allow: 'POST' });
    expect(await room.post('port', { path: '/api/v1/devices' })).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND', detail: expect.stringContaining('http.port') },
    });
    expect((await room.post('port', { body: 'x'.repeat(1_025) })).status).toBe(413);
    expect(await room.post('port', { path: '/api/v1/uplinks/udara-01?codec=nonsense' })).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Known: tasmota') },
    });
  });

  it('starts without a port that nobody chose and another program has, and not without one that was chosen', async () => {
    await using room = await new Room().open();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = { host: '127.0.0.1', port: (other.address() as AddressInfo).port };
    const fault = await room
      .start({ ...taken, isChosen: true })
      .catch((error: unknown) => error as PantauError);
    expect(fault).toMatchObject({ code: 'PORT_IN_USE', remedy: expect.stringContaining('httpIntake.port') });

    // What the one before left behind is no hindrance.
    const stop = await room.start({ ...taken, isChosen: false });
    expect([room.port, room.warnings.join()]).toEqual([
      undefined,
      expect.stringContaining('httpIntake.port'),
    ]);
    expect(room.warnings.join()).toContain('Until Pantau is started again');
    expect((await room.post('socket')).status).toBe(202);
    await stop();
    other.close();
    await once(other, 'close');
  });

  it('says why devices have no port of their own', async () => {
    await using room = await new Room().open();
    await room.start(NONE, { noListener: 'metrics.port has port 8081.' });
    expect(room.warnings.join()).toContain('metrics.port has port 8081. Until Pantau is started again');
  });

  it('starts without a socket that cannot be made where devices have a port, and says what is wrong where not', async () => {
    await using room = await new Room().open();
    const socket = join('/nowhere', 'http-intake.sock');
    const stop = await room.start(FREE, { socket });
    expect((await room.post('port')).status).toBe(202);
    expect(room.warnings.join()).toMatch(/cannot make the socket \/nowhere\/http-intake\.sock.*503/);
    await stop();
    await expect(room.start(NONE, { socket })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      detail: expect.stringContaining(socket),
      remedy: expect.stringContaining('httpIntake.port'),
    });
  });
});
