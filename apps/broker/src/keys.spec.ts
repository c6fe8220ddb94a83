import { namespaceOf, waitUntil } from '#libs/testing';
import { setTimeout as delay } from 'node:timers/promises';
import {
  event,
  LIMITS,
  openBroker,
  openSocket,
  type BrokerFixture,
  type RawClient,
} from './broker.fixture.js';
import { Quota } from './quota.js';

const PUBLISH = { cmd: 'publish', dup: false } as const;

/** A client of the service account `suite`, which may read and write everything. */
async function suite(fixture: BrokerFixture, clientId: string, options = {}): Promise<RawClient> {
  const raw = await fixture.raw();
  await raw.connect(clientId, fixture.passwords['suite']!, { username: 'suite', ...options });
  return raw;
}

async function opened(limits: Partial<typeof LIMITS>): Promise<BrokerFixture> {
  const fixture = await openBroker({ limits });
  await fixture.account('suite', ['#'], ['#']);
  return fixture;
}

async function subscribe(raw: RawClient, topic: string, qos: 0 | 1 = 1): Promise<void> {
  raw.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
  await raw.next('suback');
}

async function write(raw: RawClient, topic: string, count: number, bytes = 1, retain = false): Promise<void> {
  for (let messageId = 1; messageId <= count; messageId++) {
    raw.send({ ...PUBLISH, topic, payload: Buffer.alloc(bytes), qos: 1, retain, messageId });
    await raw.next('puback');
  }
}

describe('the broker', () => {
  it('listens at its address alone', async () => {
    await using fixture = await openBroker({ host: '127.0.0.2' });
    const port = fixture.broker.port();
    await expect(openSocket(port)).rejects.toThrow('ECONNREFUSED');
    await expect(openSocket(port, '127.0.0.2')).resolves.toBeDefined();
  });

  it('takes WebSockets on its path alone', async () => {
    await using fixture = await openBroker({ ports: { ws: 0 }, webSocketPath: '/other' });
    await expect(fixture.connect('udara-01', {}, 'ws')).rejects.toThrow();
    const client = await fixture.connect('udara-01', { path: '/other' }, 'ws');
    expect(client.connected).toBe(true);
  });

  it('sends no more than may be unacknowledged', async () => {
    await using fixture = await opened({ inflightMessagesPerClient: 3 });
    const [reader, writer] = [await suite(fixture, 'reader'), await suite(fixture, 'writer')];
    await subscribe(reader, 'data/#');
    await write(writer, 'data/x', 5);
    const messageIds = [];
    for (let i = 0; i < 3; i++) messageIds.push((await reader.next('publish')).messageId);
    // The answer to a ping comes behind whatever was sent before it.
    reader.send({ cmd: 'pingreq' });
    await reader.next('pingresp');
    reader.send({ cmd: 'puback', messageId: messageIds[0]! });
    await reader.next('publish');
  });

  it.each([
    [1, false],
    [600_000, true],
  ])(
    'forgets a session that has been away for longer than it may: %s ms',
    async (sessionExpiryMs, isKept) => {
      await using fixture = await openBroker({ limits: { sessionExpiryMs }, forgetsEveryMs: 10 });
      const options = { clean: false };
      const connect = async (raw: RawClient): Promise<boolean> =>
        (await raw.connect('udara-01', fixture.passwords['udara-01']!, options)).sessionPresent;
      const reader = await fixture.raw();
      expect(await connect(reader)).toBe(false);
      await subscribe(reader, 'pantau/v1/betung/udara-01/cmd/#');
      reader.send({ cmd: 'disconnect' });
      await reader.closed;
      if (!isKept)
        await waitUntil(
          'the session is forgotten',
          async () => (await fixture.state.list(namespaceOf('mqtt/sessions'))).length === 0,
        );
      expect(await connect(await fixture.raw())).toBe(isKept);
    },
  );

  it.each(['perPrincipal', 'total'])(
    'drops what waits for the clients of one principal beyond %s, however little waits for each',
    async (which) => {
      const waitingBytes = { perPrincipal: 1e9, total: 1e9, [which]: 500_000 };
      await using fixture = await opened({ bounds: { ...LIMITS.bounds, waitingBytes } });
      const readers = [];
      for (let i = 0; i < 4; i++) {
        const reader = await suite(fixture, `frozen-${i}`);
        await subscribe(reader, 'data/#', 0);
        reader.socket.pause();
        readers.push(reader);
      }
      const writer = await suite(fixture, 'writer');
      const dropped = async (): Promise<number> =>
        (await fixture.broker.metrics.droppedQueued.get()).values[0]?.value ?? 0;
      // The kernel holds some megabytes of each first. What waits for one alone stays within queuedBytesPerClient.
      for (let written = 0; (await dropped()) === 0; written += 100) {
        expect(written).toBeLessThan(4_000);
        await write(writer, 'data/x', 100, 9_000);
      }
    },
  );

  it.each(['perPrincipal', 'total'])('retains no more bytes of one principal than %s', async (which) => {
    const retainedBytes = { perPrincipal: 1e9, total: 1e9, [which]: 20_000 };
    await using fixture = await opened({ bounds: { ...LIMITS.bounds, retainedBytes } });
    const writer = await suite(fixture, 'writer');
    for (let i = 0; i < 4; i++) await write(writer, `data/${i}`, 1, 8_000, true);
    const reader = await suite(fixture, 'reader');
    await subscribe(reader, 'data/#');
    expect([(await reader.next('publish')).topic, (await reader.next('publish')).topic].sort()).toEqual([
      'data/0',
      'data/1',
    ]);
    expect(await fixture.refused('limit_exceeded')).toBe(2);
  });

  it.each([
    ['perClient', [1, 1, 1]],
    ['perPrincipal', [1, 0, 1]],
    ['total', [1, 0, 0]],
  ])('keeps for sessions that are away no more bytes than %s', async (which, expected) => {
    const queuedBytes = { perClient: 1e9, perPrincipal: 1e9, total: 1e9, [which]: 12_000 };
    await using fixture = await opened({ bounds: { ...LIMITS.bounds, queuedBytes } });
    await fixture.account('other', [], ['#']);
    const sleepers = { first: 'suite', second: 'suite', third: 'other' };
    for (const [clientId, username] of Object.entries(sleepers)) {
      const raw = await fixture.raw();
      await raw.connect(clientId, fixture.passwords[username]!, { username, clean: false });
      await subscribe(raw, `data/${clientId}`);
      raw.send({ cmd: 'disconnect' });
      await raw.closed;
    }
    const writer = await suite(fixture, 'writer');
    for (const clientId of Object.keys(sleepers)) await write(writer, `data/${clientId}`, 2, 8_000);
    // What has to go leaves the disk a moment later.
    await waitUntil(`${String(expected)} are kept`, async () => {
      const places = await fixture.state.list(namespaceOf('mqtt/outgoing'));
      const kept = Object.keys(sleepers).map(
        (clientId) => places.filter(({ key }) => key.startsWith(`${clientId}/`)).length,
      );
      return String(kept) === String(expected);
    });
  });
});

describe('two clients with one identity', () => {
  /** Takes the identity over and over, one after another. @returns how often before it was refused */
  async function takeOver(fixture: BrokerFixture, most: number, pauseMs = 0): Promise<number> {
    let standing = await fixture.connect('udara-01');
    for (let count = 0; count < most; count++) {
      const lost = event(standing, 'close');
      const newcomer = await fixture.connect('udara-01').catch(() => undefined);
      if (newcomer === undefined) return count;
      await lost;
      standing = newcomer;
      await delay(pauseMs);
    }
    return most;
  }
  const takeovers = { count: 1, withinMs: 600_000, holdMs: 600_000 };

  it('are not counted together over more than the time of the limit', async () => {
    await using long = await opened({ takeovers });
    expect(await takeOver(long, 5, 30)).toBe(2);
    await using short = await opened({ takeovers: { ...takeovers, withinMs: 20 } });
    expect(await takeOver(short, 5, 30)).toBe(5);
  });

  it('are held for the time of the limit', async () => {
    await using fixture = await opened({ takeovers: { ...takeovers, holdMs: 200 } });
    expect(await takeOver(fixture, 5)).toBe(2);
    const refusedAt = performance.now();
    await expect(fixture.connect('udara-01')).rejects.toMatchObject({ code: 3 });
    await waitUntil('it is let in', () => fixture.connect('udara-01'));
    expect(performance.now() - refusedAt).toBeGreaterThan(50);
  });
});

describe('a quota', () => {
  it.each([
    ['perPrincipal', [true, false, true]],
    ['total', [true, false, false]],
  ])('holds a principal, or all of them, to what is kept: %s', (which, expected) => {
    const quota = new Quota({ perPrincipal: 100, total: 100, [which]: 10 });
    const fits = [quota.fits('a', 8)];
    quota.add('a', 8);
    expect([...fits, quota.fits('a', 8), quota.fits('b', 8)]).toEqual(expected);
  });
});
