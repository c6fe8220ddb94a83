import mqttPacket from 'mqtt-packet';
import { openBroker, type BrokerFixture, type RawClient } from '../broker.fixture.js';

async function open(fixture: BrokerFixture, clientId: string, clean: boolean): Promise<RawClient> {
  const raw = await fixture.raw();
  await raw.connect(clientId, fixture.passwords['suite']!, { username: 'suite', clean });
  return raw;
}

/** Publishes at QoS 1, many at a time, and returns when all are acknowledged. */
async function publish(
  raw: RawClient,
  count: number,
  message: (i: number) => { readonly topic: string; readonly payload: Buffer; readonly retain: boolean },
): Promise<void> {
  const together = 500;
  for (let from = 0; from < count; from += together) {
    const upTo = Math.min(count, from + together);
    for (let i = from; i < upTo; i++)
      raw.send({ cmd: 'publish', qos: 1, dup: false, messageId: (i % 60_000) + 1, ...message(i) });
    for (let i = from; i < upTo; i++) await raw.next('puback');
  }
}

/** Reads messages at so many bytes a second, acknowledging each. @returns the topics */
async function readSteadily(raw: RawClient, count: number, bytesPerSecond: number): Promise<Set<string>> {
  const topics = new Set<string>();
  const parser = mqttPacket.parser();
  const over = { is: false };
  parser.on('packet', (packet) => {
    if (packet.cmd !== 'publish') return;
    topics.add(packet.topic);
    if (packet.qos > 0) raw.send({ cmd: 'puback', messageId: packet.messageId! });
  });
  raw.socket.removeAllListeners('data');
  raw.socket.pause();
  const closed = raw.closed.then(() => (over.is = true));
  const slice = 20;
  while (topics.size < count && !over.is) {
    // The reader's own pace, not a wait for something to happen.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, slice))]);
    const most = Math.min(raw.socket.readableLength, (bytesPerSecond * slice) / 1_000);
    const bytes = (most > 0 ? raw.socket.read(most) : raw.socket.read(0)) as Buffer | null;
    if (bytes !== null) parser.parse(bytes);
  }
  return topics;
}

describe('a reader that is slow and steady', () => {
  it.each([true, false])(
    'gets 20,000 retained messages, clean session %s',
    async (clean) => {
      const count = 20_000;
      await using fixture = await openBroker({
        limits: { stalledAfterMs: 1_000, queuedBytesPerClient: 100_000 },
      });
      await fixture.account('suite', ['std/#'], ['std/#']);
      const payload = Buffer.alloc(600);
      await publish(await open(fixture, 'writer', true), count, (i) => ({
        topic: `std/r/${i}`,
        payload,
        retain: true,
      }));
      const reader = await open(fixture, 'reader', clean);
      reader.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'std/r/+', qos: 1 }] });
      const topics = await readSteadily(reader, count, 1_500_000);
      expect(topics.size).toBe(count);
      expect(await fixture.refused('limit_exceeded')).toBe(0);
    },
    120_000,
  );

  it('gets 900 queued messages without coming back', async () => {
    const count = 900;
    await using fixture = await openBroker({
      limits: { stalledAfterMs: 1_000, queuedBytesPerClient: 100_000 },
    });
    await fixture.account('suite', ['std/#'], ['std/#']);
    const sleeper = await open(fixture, 'reader', false);
    sleeper.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'std/q/+', qos: 1 }] });
    await sleeper.next('suback');
    sleeper.send({ cmd: 'disconnect' });
    await sleeper.closed;
    const payload = Buffer.alloc(9_000);
    await publish(await open(fixture, 'writer', true), count, (i) => ({
      topic: `std/q/${i}`,
      payload,
      retain: false,
    }));
    const reader = await open(fixture, 'reader', false);
    expect((await readSteadily(reader, count, 1_000_000)).size).toBe(count);
    expect(await fixture.refused('limit_exceeded')).toBe(0);
  }, 120_000);
});
