import type { DiskUsage } from '#libs/engine-lmdb';
import { TopicMappings } from '#libs/telemetry';
import { namespaceOf, waitUntil } from '#libs/testing';
import mqttPacket from 'mqtt-packet';
import { assertBounded, boundary, keptBytes } from '../bounds.fixture.js';
import { LIMITS, openBroker, type BrokerFixture, type RawClient } from '../broker.fixture.js';

type Qos = 0 | 1 | 2;
const MIB = 1_048_576;
const MESSAGE = { cmd: 'publish', qos: 1, dup: false } as const;

async function open(fixture: BrokerFixture, clientId: string, options = {}): Promise<RawClient> {
  const raw = await fixture.raw();
  await raw.connect(clientId, fixture.passwords['suite']!, { username: 'suite', ...options });
  return raw;
}

async function subscribe(raw: RawClient, topic: string, qos: Qos = 1): Promise<unknown> {
  raw.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
  return (await raw.next('suback')).granted[0];
}

function say(
  raw: RawClient,
  topic: string,
  payload: Buffer,
  messageId: number,
  qos: Qos,
  retain = false,
): void {
  raw.send({ cmd: 'publish', topic, payload, qos, retain, dup: false, messageId });
}

async function opened(bounds: Partial<typeof LIMITS.bounds>, more = {}): Promise<BrokerFixture> {
  const fixture = await openBroker({ limits: { bounds: { ...LIMITS.bounds, ...bounds }, ...more } });
  await fixture.account('suite', ['std/#'], ['std/#', 'pantau/v1/#']);
  return fixture;
}

describe('what can be kept of sessions and messages', () => {
  boundary('Kept sessions', 'one account with many client ids and a wide filter', async () => {
    await using fixture = await opened({ sessions: { perPrincipal: 10, total: 1_000 } });
    let refused = 0;
    await assertBounded(fixture, async () => {
      for (let i = 0; i < 200; i++) {
        const raw = await open(fixture, `many-${i}`, { clean: false });
        if ((await subscribe(raw, 'pantau/v1/#')) === 0x80) refused++;
        raw.send({ cmd: 'disconnect' });
        await raw.closed;
      }
      return () => undefined;
    });
    expect(refused).toBe(190);
    expect(await fixture.state.list(namespaceOf('mqtt/sessions'))).toHaveLength(10);
  });

  boundary('Subscription filters', 'long ones, of connections and of kept sessions', async () => {
    const bound = 2 * MIB;
    await using fixture = await opened({ subscriptionBytes: { perPrincipal: bound, total: bound } });
    let refused = 0;
    await assertBounded(
      fixture,
      async () => {
        for (let i = 0; i < 60; i++) {
          const raw = await open(fixture, `many-${i}`, { clean: i % 2 === 0 });
          for (let n = 0; n < 8; n++)
            if ((await subscribe(raw, `std/${n}/${i}`.padEnd(60_000, 'x'))) === 0x80) refused++;
        }
        return () => undefined;
      },
      { marginBytes: 12_000_000 },
    );
    // Those of a kept session count twice: for its connection, and for the time when it is away.
    expect(480 - refused).toBeGreaterThan(20);
    expect(480 - refused).toBeLessThan(35);
    const stored = await fixture.state.list<{ subscriptions: { topic: string }[] }>(
      namespaceOf('mqtt/sessions'),
    );
    const filters = stored.flatMap(({ value }) => value.subscriptions.map(({ topic }) => topic));
    expect(filters.join('').length).toBeLessThanOrEqual(bound);
    expect(await fixture.rejection('limit_exceeded', 'subscriptionBytes')).toMatchObject({ device: 'suite' });

    // There is no room left in all, and a device has its own filters nevertheless.
    const device = await fixture.raw();
    await device.connect('udara-01', fixture.passwords['udara-01']!, { clean: false });
    for (const topic of ['cmd/#', 'config'])
      expect(await subscribe(device, `pantau/v1/betung/udara-01/${topic}`)).toBe(1);

    // What is given back has room for others, after a restart as well.
    await fixture.restart();
    const first = await open(fixture, 'many-1', { clean: true });
    expect(await subscribe(first, 'std/'.padEnd(60_000, 'y'))).toBe(1);
  });

  boundary('Queues of kept sessions', 'large messages for one that sleeps', async () => {
    const bound = 4 * MIB;
    const queuedBytes = { perClient: bound, perPrincipal: bound, total: bound };
    await using fixture = await opened({ queuedBytes }, { queuedMessagesPerClient: 100_000 });
    const sleeper = await open(fixture, 'sleeper', { clean: false });
    await subscribe(sleeper, 'std/#');
    sleeper.send({ cmd: 'disconnect' });
    await sleeper.closed;
    await assertBounded(fixture, async () => {
      const writer = await open(fixture, 'writer');
      for (let i = 1; i <= 2_000; i++) {
        say(writer, 'std/q', Buffer.alloc(9_000), i, 1);
        await writer.next('puback');
      }
      return () => undefined;
    });
    const stored = async (): Promise<number[]> =>
      (await fixture.state.list<{ payload: Buffer }>(namespaceOf('mqtt/messages'))).map(
        ({ value }) => value.payload.length,
      );
    expect((await stored()).reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(bound);
    // A message is counted as dropped before the commit that removes it.
    await waitUntil('each message is kept or counted as dropped', async () => {
      const { values } = await fixture.broker.metrics.droppedQueued.get();
      return (await stored()).length + values[0]!.value === 2_000;
    });
  });

  boundary('Messages that wait for an online client', 'one that reads nothing', async () => {
    await using fixture = await opened({}, { queuedBytesPerClient: 500_000 });
    await assertBounded(fixture, async () => {
      const [frozen, writer] = [await open(fixture, 'frozen'), await open(fixture, 'writer')];
      await subscribe(frozen, 'std/#', 0);
      frozen.socket.pause();
      for (let i = 1; i <= 6_000; i++) {
        say(writer, 'std/q', Buffer.alloc(9_000), i, 1);
        await writer.next('puback');
      }
      return () => undefined;
    });
    const { values } = await fixture.broker.metrics.droppedQueued.get();
    expect(values[0]?.value).toBeGreaterThan(1_000);
  });

  boundary(
    'Messages that are being dealt with',
    'many small ones on each connection of an account',
    async () => {
      await using fixture = await opened({});
      const messages = Array.from({ length: 5_000 }, (_, i) =>
        mqttPacket.generate({ ...MESSAGE, topic: 'std/r', payload: '', retain: true, messageId: i + 1 }),
      );
      const writers = await Promise.all(Array.from({ length: 5 }, (_, i) => open(fixture, `writer-${i}`)));
      let bytes = 0;
      await assertBounded(fixture, async () => {
        for (const { socket } of writers) {
          socket.removeAllListeners('data').on('data', ({ length }: Buffer) => (bytes += length));
          socket.write(Buffer.concat(messages));
        }
        await waitUntil('all are acknowledged', () => bytes === 5 * 5_000 * 4);
        return () => undefined;
      });
    },
  );

  boundary(
    'Messages that are being dealt with',
    'faster than the device may send, each by itself',
    async () => {
      await using fixture = await opened({}, { messagesPerDevice: { perSecond: 10, burst: 10 } });
      await assertBounded(fixture, async () => {
        const raw = await fixture.raw();
        await raw.connect('udara-01', fixture.passwords['udara-01']!);
        for (let i = 0; i < 6_000 && raw.socket.writableLength < 100_000; i++) {
          say(raw, 'pantau/v1/betung/udara-01/telemetry', Buffer.alloc(9_000), i + 1, 0);
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(raw.socket.destroyed).toBe(false);
        return () => undefined;
      });
    },
  );

  boundary(
    'Messages that are being dealt with',
    'faster than the account may send, on many connections',
    async () => {
      const inProgressBytes = { perPrincipal: 4 * MIB, total: 8 * MIB };
      await using fixture = await opened(
        { inProgressBytes },
        { messagesPerAccount: { perSecond: 10, burst: 10 } },
      );
      await assertBounded(fixture, async () => {
        const writers = await Promise.all(Array.from({ length: 60 }, (_, i) => open(fixture, `writer-${i}`)));
        for (let i = 1; i <= 150; i++) {
          for (const writer of writers) say(writer, 'std/q', Buffer.alloc(9_000), i, 1);
          await new Promise((resolve) => setImmediate(resolve));
        }
        const readOf = async (): Promise<number> =>
          (await fixture.broker.metrics.throttled.get()).values[0]?.value ?? 0;
        let read = 0;
        let unchanged = 0;
        await waitUntil('no more is read', async () => {
          const before = read;
          read = await readOf();
          unchanged = read === before && read >= writers.length ? unchanged + 1 : 0;
          return unchanged === 10;
        });
        expect(writers.some(({ socket }) => socket.destroyed)).toBe(false);
        return () => undefined;
      });
    },
  );

  boundary('Messages that wait for space on the disk', 'of QoS 0, over connections', async () => {
    const measureDisk = async (): Promise<DiskUsage> => ({ freeBytes: 0, reusableBytes: 0, totalBytes: 1e9 });
    await using fixture = await openBroker({ space: { minFree: 1e6, measureDisk } });
    const before = keptBytes();
    for (let connection = 0; connection < 4; connection++) {
      const raw = await fixture.raw();
      await raw.connect('udara-01', fixture.passwords['udara-01']!);
      // Each in a segment of its own, which lets Pantau read on.
      for (let i = 0; i < 3_000 && !raw.socket.destroyed && raw.socket.writableLength < 100_000; i++) {
        say(raw, 'pantau/v1/betung/udara-01/telemetry', Buffer.alloc(9_000), i + 1, 0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      raw.socket.destroy();
      await raw.closed;
    }
    expect(keptBytes() - before).toBeLessThan(20_000_000);
    // There is room for others: this one waits and stays.
    const other = await fixture.raw();
    await other.connect('udara-02', fixture.passwords['udara-02']!);
    say(other, 'pantau/v1/betung/udara-02/telemetry', Buffer.alloc(9_000), 1, 1);
    other.send({ cmd: 'pingreq' });
    await other.next('pingresp');
  });

  boundary('Retained messages', 'a new topic with each message', async () => {
    const retainedMessages = { perPrincipal: 500, total: 1_000 };
    await using fixture = await opened({ retainedMessages });
    await assertBounded(fixture, async () => {
      const writer = await open(fixture, 'writer');
      for (let i = 1; i <= 3_000; i++) {
        say(writer, `std/${i}`, Buffer.alloc(5_000), i, 1, true);
        await writer.next('puback');
      }
      return () => undefined;
    });
    expect(await fixture.state.list(namespaceOf('mqtt/retained'))).toHaveLength(500);
    expect(await fixture.refused('limit_exceeded')).toBe(2_500);
  });

  boundary('QoS 2 messages without PUBREL', 'new identifiers with each connection', async () => {
    await using fixture = await opened({ inboundQos2: { perPrincipal: 300, total: 1_000 } });
    await assertBounded(fixture, async () => {
      for (let connection = 0; connection < 10; connection++) {
        const raw = await open(fixture, 'greedy', { clean: false });
        for (let i = 1; i <= 100 && !raw.socket.closed; i++) {
          say(raw, 'std/q', Buffer.alloc(9_000), connection * 100 + i, 2);
          await Promise.race([raw.any('pubrec').catch(() => undefined), raw.closed]);
        }
        raw.socket.destroy();
        await raw.closed;
      }
      return () => undefined;
    });
    expect(await fixture.state.list(namespaceOf('mqtt/incoming'))).toHaveLength(300);
    expect(await fixture.rejection('limit_exceeded', 'inboundQos2')).toMatchObject({ device: 'suite' });
  });

  boundary('Wills', 'large ones of many connections', async () => {
    await using fixture = await opened({ willBytes: { perPrincipal: 300_000, total: MIB } });
    await assertBounded(
      fixture,
      async () => {
        const will = { topic: 'std/w', payload: Buffer.alloc(60_000), qos: 1, retain: false };
        for (let i = 0; i < 200; i++) await open(fixture, `will-${i}`, { will });
        return () => undefined;
      },
      { marginBytes: 40_000_000 },
    );
    await fixture.rejection('limit_exceeded', 'willBytes');
    expect(await fixture.refused('limit_exceeded')).toBe(196);
  });

  boundary('What is known of topics', 'a mapped topic with a free part', async () => {
    const mappings = new TopicMappings([{ pattern: 'free/{device}/{part}', codec: 'native' }]);
    const bounds = { ...LIMITS.bounds, topicCacheBytes: { perPrincipal: 200_000, total: MIB } };
    await using fixture = await openBroker({ mappings, limits: { bounds } });
    await assertBounded(fixture, async () => {
      const raw = await fixture.raw();
      await raw.connect('udara-01', fixture.passwords['udara-01']!);
      for (let i = 1; i <= 20_000; i++) {
        say(raw, `free/udara-01/${'x'.repeat(900)}${i}`, Buffer.from('x'), i, 1);
        if (i % 100 === 0) for (let n = 0; n < 100; n++) await raw.next('puback');
      }
      return () => undefined;
    });
  });
});
