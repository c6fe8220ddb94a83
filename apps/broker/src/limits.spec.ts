import { waitUntil } from '#libs/testing';
import type { MqttClient } from 'mqtt';
import { once } from 'node:events';
import { event, openBroker, openRaw, type BrokerFixture } from './broker.fixture.js';

const topicOf = (device: string): string => `pantau/v1/betung/${device}/telemetry`;

async function texts(fixture: BrokerFixture, device: string): Promise<string[]> {
  return (await fixture.entries('uplink'))
    .filter(({ data }) => data.device === device)
    .map(({ data }) => Buffer.from(data.payload).toString());
}

/** The neighbour works as if nothing happened. */
async function assertServed(neighbour: MqttClient): Promise<void> {
  expect(neighbour.connected).toBe(true);
  await neighbour.publishAsync(topicOf('udara-02'), 'served', { qos: 1 });
}
describe('limits of a client', () => {
  it('of its message rate: it is slowed down, and nothing is lost or out of order', async () => {
    await using fixture = await openBroker({
      limits: { messagesPerDevice: { perSecond: 2_000, burst: 20 } },
    });
    const neighbour = await fixture.connect('udara-02');
    const client = await fixture.connect('udara-01');
    const count = 1_000;
    const startedAt = performance.now();
    const flood = Promise.all(
      Array.from({ length: count }, (_, i) =>
        client.publishAsync(topicOf('udara-01'), String(i), { qos: 1 }),
      ),
    );
    await assertServed(neighbour);
    const neighbourServedAfter = performance.now() - startedAt;
    await flood;
    const floodedFor = performance.now() - startedAt;
    expect(floodedFor).toBeGreaterThan((1_000 * (count - 20)) / 2_000 - 50);
    expect(neighbourServedAfter).toBeLessThan(floodedFor);
    expect(await texts(fixture, 'udara-01')).toEqual(Array.from({ length: count }, (_, i) => String(i)));
    expect((await fixture.broker.metrics.throttled.get()).values[0]?.value).toBeGreaterThan(count / 2);
    expect(await fixture.entries('rejected')).toHaveLength(0);
  });

  it.each([
    ['a device', 'messagesPerDevice', 'udara-01'],
    ['a service account', 'messagesPerAccount', 'writer'],
  ])('of the message rate of %s over a reconnection: who comes back is not new', async (_who, key, id) => {
    await using fixture = await openBroker({ limits: { [key]: { perSecond: 20, burst: 10 } } });
    await fixture.account('writer', ['pantau/v1/#'], []);
    const startedAt = performance.now();
    for (let turn = 0; turn < 3; turn++) {
      const client = await fixture.connect(id);
      for (let i = 0; i < 10; i++) await client.publishAsync(topicOf('udara-01'), 'x', { qos: 1 });
      await client.endAsync();
    }
    expect(performance.now() - startedAt).toBeGreaterThan(900);
  });

  it('of its payloads: a huge one costs no memory, is acknowledged and set aside', async () => {
    await using fixture = await openBroker({ maxPayloadBytes: 10_000 });
    const neighbour = await fixture.connect('udara-02');
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01']!);
    const before = process.memoryUsage().arrayBuffers;
    // As long as a PUBLISH can be: 256 MiB, in pieces of 64 kB that the socket takes one after another.
    const topic = Buffer.from(topicOf('udara-01'));
    client.send(
      Buffer.concat([
        Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f, 0, topic.length]),
        topic,
        Buffer.from([0, 7]),
      ]),
    );
    const chunk = Buffer.alloc(65_536, 'x');
    let left = 268_435_455 - topic.length - 4;
    let peak = 0;
    while (left > 0) {
      const piece = chunk.subarray(0, Math.min(left, chunk.length));
      left -= piece.length;
      if (!client.socket.write(piece)) await once(client.socket, 'drain');
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }
    expect(await client.next('puback')).toMatchObject({ messageId: 7 });
    // What the two ends of the socket hold, and what the garbage collector has not seen yet.
    expect(peak).toBeLessThan(64_000_000);
    const { payload, ...rejection } = await fixture.rejection('payload_too_large');
    expect(rejection).toMatchObject({
      device: 'udara-01',
      topic: topic.toString(),
      payloadBytes: 268_435_455 - topic.length - 4,
    });
    expect(payload!.length).toBeLessThanOrEqual(4_096);
    expect(await fixture.refused('payload_too_large')).toBe(1);
    client.send({
      cmd: 'publish',
      topic: topic.toString(),
      payload: 'next',
      qos: 1,
      messageId: 8,
      dup: false,
      retain: false,
    });
    await client.next('puback');
    expect(await texts(fixture, 'udara-01')).toEqual(['next']);
    await assertServed(neighbour);
  });

  it('of its payloads: one in the middle of others, of an account whose topics are looked up first', async () => {
    await using fixture = await openBroker({ maxPayloadBytes: 8_400 });
    await fixture.account('bridge', ['pantau/v1/#', 'free/#'], ['free/#']);
    const client = await fixture.connect('bridge', { password: fixture.passwords['bridge'] });
    await client.subscribeAsync('free/#');
    const heard: string[] = [];
    client.on('message', (_topic, payload) => heard.push(`${payload.length} bytes`));
    await client.publishAsync('free/a', 'x', { qos: 1 });
    // The first topic waits for the registry; the second one does not.
    await Promise.all([
      client.publishAsync(topicOf('udara-01'), Buffer.alloc(20_000), { qos: 1 }),
      client.publishAsync('free/a', Buffer.alloc(30_000), { qos: 1 }),
      client.publishAsync('free/a', 'whole', { qos: 1 }),
    ]);
    await waitUntil('all are routed', () => heard.length >= 3);
    // What is set aside is routed as an empty message; nobody sees half of it.
    expect(heard.sort()).toEqual(['0 bytes', '1 bytes', '5 bytes']);
    expect(await fixture.entries('uplink')).toHaveLength(0);
    const rejected = (await fixture.entries('rejected')).map(({ data }) => data.payloadBytes);
    expect(rejected.sort()).toEqual([20_000, 30_000]);
  });

  it('of its payloads: a WebSocket frame that no message fills is refused', async () => {
    await using fixture = await openBroker({ ports: { tcp: 0, ws: 0 }, maxPayloadBytes: 1_000 });
    const neighbour = await fixture.connect('udara-02');
    const client = await fixture.connect('udara-01', {}, 'ws');
    client.publish(topicOf('udara-01'), Buffer.alloc(100_000), { qos: 1 });
    await event(client, 'close');
    expect(await fixture.rejection('limit_exceeded', 'WebSocket frame size')).toMatchObject({
      device: 'udara-01',
    });
    await assertServed(neighbour);
  });

  it('of other packets', async () => {
    await using fixture = await openBroker();
    const client = await openRaw(fixture.broker.port());
    client.send(Buffer.from([0x10, 0x80, 0x80, 0x08]));
    await client.closed;
    await fixture.rejection('limit_exceeded', 'packet size: a packet of type 1');
    expect(await fixture.refused('limit_exceeded')).toBe(1);
  });

  it('of the levels of a topic', async () => {
    await using fixture = await openBroker({ limits: { topicLevels: 8 } });
    await fixture.account('suite', ['#'], ['#']);
    const [fits, tooDeep] = ['a/'.repeat(7) + 'b', 'a/'.repeat(8) + 'b'];
    const options = { password: fixture.passwords['suite'] };
    const writer = await fixture.connect('suite', options);
    await writer.publishAsync(fits, 'x', { qos: 1 });
    writer.publish(tooDeep, 'x', { qos: 1 }, () => undefined);
    await event(writer, 'close');
    expect(await fixture.rejection('limit_exceeded', 'topicLevels')).toMatchObject({ device: 'suite' });
    const reader = await fixture.connect('suite', options);
    await reader.subscribeAsync(fits);
    reader.subscribe(tooDeep);
    await event(reader, 'close');
    await waitUntil('both are counted', async () => (await fixture.refused('limit_exceeded')) === 2);
  });

  it.each([true, false])('of its subscriptions, with clean session %s', async (clean) => {
    await using fixture = await openBroker({ limits: { subscriptionsPerClient: 3 } });
    await fixture.account('suite', ['#'], ['#']);
    const password = fixture.passwords['suite']!;
    let client = await fixture.raw();
    await client.connect('suite', password, { clean });
    let messageId = 0;
    const subscribe = async (...topics: readonly string[]): Promise<unknown> => {
      client.send({
        cmd: 'subscribe',
        messageId: ++messageId,
        subscriptions: topics.map((topic) => ({ topic, qos: 1 as const })),
      });
      return (await client.next('suback')).granted;
    };
    expect(await subscribe('a', 'b', 'c', 'd', 'e')).toEqual([1, 1, 1, 128, 128]);
    expect(await fixture.rejection('limit_exceeded', 'subscriptionsPerClient: 3')).toMatchObject({
      device: 'suite',
    });
    // One that it has is none more.
    expect(await subscribe('a', 'd')).toEqual([1, 128]);
    client.send({ cmd: 'unsubscribe', messageId: ++messageId, unsubscriptions: ['b'] });
    await client.next('unsuback');
    expect(await subscribe('d', 'b')).toEqual([1, 128]);
    expect(await fixture.refused('limit_exceeded')).toBe(4);
    if (clean) return;
    // What is kept is what was granted.
    client.socket.destroy();
    await fixture.restart();
    client = await fixture.raw();
    expect(await client.connect('suite', password, { clean })).toMatchObject({ sessionPresent: true });
    expect(await subscribe('b', 'a', 'c', 'd')).toEqual([128, 1, 1, 1]);
  });

  it('of what waits for it: a frozen subscriber goes, the other one misses nothing', async () => {
    await using fixture = await openBroker({
      maxPayloadBytes: 60_000,
      limits: { queuedBytesPerClient: 200_000, stalledAfterMs: 500 },
    });
    await fixture.account('writer', ['data/#'], []);
    await fixture.account('reader', [], ['data/#']);
    const password = fixture.passwords['reader']!;
    const frozen = await fixture.raw();
    await frozen.connect('frozen', password, { username: 'reader' });
    frozen.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'data/#', qos: 1 }] });
    await frozen.next('suback');
    frozen.socket.pause();
    const reader = await fixture.connect('reader', { password });
    await reader.subscribeAsync('data/#', { qos: 1 });
    let heard = 0;
    reader.on('message', () => heard++);
    const writer = await fixture.connect('writer', { password: fixture.passwords['writer'] });
    const payload = Buffer.alloc(50_000);
    let said = 0;
    const isExpelled = async (): Promise<boolean> => (await fixture.refused('limit_exceeded')) > 0;
    // The kernel holds some megabytes for the frozen one first.
    while (!(await isExpelled())) {
      expect(++said).toBeLessThan(2_000);
      await writer.publishAsync('data/x', payload, { qos: 1 });
    }
    expect(await fixture.rejection('limit_exceeded', 'stalledAfter')).toMatchObject({
      device: 'reader',
    });
    await writer.publishAsync('data/x', payload, { qos: 1 });
    await waitUntil('the other one has everything', () => heard === said + 1);
    expect(reader.connected).toBe(true);
    const { values } = await fixture.broker.metrics.connections.get();
    expect(values[0]?.value).toBe(2);
  });

  it('of its silence: a keep-alive is moved into the bounds', async () => {
    await using fixture = await openBroker({ limits: { minKeepAliveMs: 30_000, maxKeepAliveMs: 600_000 } });
    for (const keepalive of [0, 1, 60, 65_535]) {
      const client = await fixture.raw();
      await client.connect('udara-01', fixture.passwords['udara-01']!, { keepalive });
      client.send({ cmd: 'disconnect' });
      await client.closed;
    }
    await waitUntil('all are noted', async () => (await fixture.presence()).length === 8);
    const begun = (await fixture.presence()).filter(({ data }) => data.state === 'connected');
    expect(begun.map(({ data }) => data.silenceMs)).toEqual([900_000, 45_000, 90_000, 900_000]);
  });

  it('of its silence: one that asked never to be missed is missed', async () => {
    await using fixture = await openBroker({ limits: { minKeepAliveMs: 100, maxKeepAliveMs: 300 } });
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01']!, { keepalive: 0 });
    await client.closed;
    await waitUntil('its end is noted', async () => (await fixture.presence()).length === 2);
    const [, end] = await fixture.entries('signals');
    expect(end?.data).toMatchObject({ state: 'disconnected', cause: 'keepalive' });
  });
});
