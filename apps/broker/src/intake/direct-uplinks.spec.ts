import type { Journal } from '#libs/journal';
import type { Uplink } from '#libs/telemetry';
import { namespaceOf, waitUntil } from '#libs/testing';
import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { Acknowledgements } from './acknowledgements.js';
import {
  interposed,
  openBroker,
  withoutDirectAppends,
  type BrokerFixture,
  type RawClient,
} from '../broker.fixture.js';

const TOPIC = 'pantau/v1/betung/udara-01/telemetry';

interface Message {
  readonly topic?: string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly dup?: boolean;
}

function publish(n: number, { topic = TOPIC, qos = 1, retain = false, dup = false }: Message = {}): Buffer {
  const payload = JSON.stringify({ n });
  return mqttPacket.generate({
    cmd: 'publish',
    topic,
    qos,
    retain,
    dup: qos > 0 && dup,
    payload,
    ...(qos > 0 && { messageId: n }),
  });
}

const numberOf = ({ payload }: Uplink): number =>
  (JSON.parse(Buffer.from(payload).toString()) as { n: number }).n;

/** The numbers of the messages in the journal, in its order, once there are that many. */
async function journaled(fixture: BrokerFixture, count: number): Promise<(Uplink & { n: number })[]> {
  return waitUntil(`${count} messages are in the journal`, async () => {
    const entries = await fixture.entries('uplink');
    return entries.length >= count && entries.map(({ data }) => ({ ...data, n: numberOf(data) }));
  });
}

async function acknowledged(client: RawClient, count: number): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) ids.push((await client.next('puback')).messageId ?? 0);
  return ids;
}

/** A connected device that has written to its topic once, so that the next message may take the short way. */
async function openDevice(fixture: BrokerFixture): Promise<RawClient> {
  const client = await fixture.raw();
  await client.connect('udara-01', fixture.passwords['udara-01'] ?? '');
  client.send(publish(1));
  await client.next('puback');
  return client;
}

describe('messages that take the short way', () => {
  it.each([
    ['are journaled and acknowledged like all others', (journal: Journal) => journal],
    ['take the long one where the journal offers no direct appends', withoutDirectAppends],
  ])('%s', async (_, wrap) => {
    await using fixture = await openBroker({ wrap });
    const client = await openDevice(fixture);
    client.send(Buffer.concat([publish(2), publish(3, { dup: true }), publish(4)]));
    expect(await acknowledged(client, 3)).toEqual([2, 3, 4]);
    const uplinks = await journaled(fixture, 4);
    const { site, device, kind, topic, session } = uplinks[0]!;
    for (const uplink of uplinks) {
      const { n } = uplink;
      const same = { site, device, kind, topic, session, qos: 1, will: false };
      expect(uplink).toMatchObject({ ...same, messageId: n, dup: n === 3 });
      expect(Math.abs(uplink.receivedAt - Date.now())).toBeLessThan(60_000);
    }
    const { values } = await fixture.broker.metrics.publishes.get();
    expect(values).toEqual([expect.objectContaining({ value: 4, labels: { qos: 1 } })]);
  });

  it('overtake none, whatever comes between them and however the bytes are cut', async () => {
    await using fixture = await openBroker();
    const message = fc.record({
      topic: fc.constantFrom(TOPIC, TOPIC, TOPIC, 'pantau/v1/betung/udara-01/event'),
      qos: fc.constantFrom<(0 | 1 | 2)[]>(1, 1, 1, 1, 0, 2),
      retain: fc.constantFrom(false, false, false, true),
      dup: fc.boolean(),
      ping: fc.constantFrom(false, false, false, true),
    });
    let before = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { minLength: 1, maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (messages, cuts) => {
          const client = await openDevice(fixture);
          before++;
          const bytes = Buffer.concat(
            messages.flatMap(({ ping, ...each }, i) => [
              publish(i + 2, each),
              ...(ping ? [mqttPacket.generate({ cmd: 'pingreq' })] : []),
            ]),
          );
          const at = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
          for (const [i, end] of at.slice(1).entries()) {
            client.send(bytes.subarray(at[i], end));
            // Each piece is to arrive for itself.
            await new Promise(setImmediate);
          }
          const numbered = messages.map((each, i) => ({ ...each, n: i + 2 }));
          const answers: Record<string, number[]> = { puback: [], pubrec: [], pingresp: [] };
          const expected = {
            puback: numbered.filter(({ qos }) => qos === 1).map(({ n }) => n),
            pubrec: numbered.filter(({ qos }) => qos === 2).map(({ n }) => n),
            pingresp: numbered.filter(({ ping }) => ping).map(() => 0),
          };
          for (let left = Object.values(expected).flat().length; left > 0; left--) {
            const { cmd, messageId = 0 } = await client.any();
            answers[cmd]?.push(messageId);
          }
          expect({ puback: answers.puback, pingresp: answers.pingresp }).toEqual({
            puback: expected.puback,
            pingresp: expected.pingresp,
          });
          expect(answers.pubrec?.toSorted((a, b) => a - b)).toEqual(expected.pubrec);
          const uplinks = (await journaled(fixture, before + messages.length)).slice(before);
          before += messages.length;
          for (const qos of [0, 1, 2])
            expect(uplinks.filter((uplink) => uplink.qos === qos).map(({ n }) => n)).toEqual(
              numbered.filter((each) => each.qos === qos).map(({ n }) => n),
            );
          client.socket.destroy();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reach a subscriber from its SUBACK on', async () => {
    await using fixture = await openBroker();
    await fixture.account('display', [], ['pantau/v1/#']);
    const client = await openDevice(fixture);
    client.send(publish(2));
    await client.next('puback');
    const display = await fixture.connect('display');
    const received: string[] = [];
    display.on('message', (_topic, payload) => received.push(payload.toString()));
    await display.subscribeAsync('pantau/v1/betung/+/telemetry', { qos: 0 });
    client.send(Buffer.concat([publish(3), publish(4)]));
    expect(await acknowledged(client, 2)).toEqual([3, 4]);
    await waitUntil('both have arrived', () => received.length === 2);
    await display.unsubscribeAsync('pantau/v1/betung/+/telemetry');
    client.send(publish(5));
    await client.next('puback');
    await display.subscribeAsync('pantau/v1/betung/udara-01/telemetry', { qos: 1 });
    client.send(publish(6));
    await client.next('puback');
    await waitUntil('one more has arrived', () => received.length === 3);
    expect(received).toEqual(['{"n":3}', '{"n":4}', '{"n":6}']);
  });

  it('are kept for a session that is away', async () => {
    await using fixture = await openBroker();
    await fixture.account('display', [], ['pantau/v1/#']);
    const client = await openDevice(fixture);
    const first = await fixture.connect('display', { clean: false });
    await first.subscribeAsync('pantau/v1/#', { qos: 1 });
    await first.endAsync();
    client.send(Buffer.concat([publish(2), publish(3)]));
    await acknowledged(client, 2);
    // Aedes acknowledges before it routes.
    await waitUntil(
      'both are kept',
      async () => (await fixture.state.list(namespaceOf('mqtt/outgoing'))).length === 2,
    );
    const again = await fixture.raw();
    await again.connect('display', fixture.passwords.display ?? '', { clean: false });
    for (const n of [2, 3]) expect((await again.next('publish')).payload.toString()).toBe(`{"n":${n}}`);
  });

  it('end the connection when the journal cannot take them, unacknowledged', async () => {
    let isBroken = false;
    const wrap = (journal: Journal): Journal =>
      interposed(journal, async (append) => {
        if (isBroken) throw new Error('the disk is broken');
        await append();
      });
    await using fixture = await openBroker({ wrap });
    const client = await openDevice(fixture);
    isBroken = true;
    client.send(publish(2));
    await expect(client.next('puback')).rejects.toThrow('closed instead of puback');
    isBroken = false;
    expect(await journaled(fixture, 1)).toHaveLength(1);
  });

  it('keep the connection of a device alive that sends nothing else', async () => {
    await using fixture = await openBroker();
    const client = await fixture.raw();
    await client.connect('udara-01', fixture.passwords['udara-01'] ?? '', { keepalive: 1 });
    // Connected later and silent from then on: when its time is over, that of the other would be too.
    const silent = await fixture.raw();
    await silent.connect('udara-02', fixture.passwords['udara-02'] ?? '', { keepalive: 1 });
    for (let n = 1; !silent.socket.closed; n++) {
      client.send(publish(n));
      await client.next('puback');
    }
    expect(client.socket.closed).toBe(false);
  });

  it('wait for the rate of their device like all others', async () => {
    await using fixture = await openBroker({ limits: { messagesPerDevice: { perSecond: 50, burst: 5 } } });
    const client = await openDevice(fixture);
    client.send(Buffer.concat(Array.from({ length: 20 }, (_, i) => publish(i + 2))));
    expect(await acknowledged(client, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
    const { values } = await fixture.broker.metrics.throttled.get();
    expect(values[0]?.value).toBeGreaterThanOrEqual(10);
  });
});

describe('Acknowledgements', () => {
  it('writes those of a connection together, in their order, and nothing to one that is gone', () => {
    const written: { connection: number; bytes: Buffer }[] = [];
    const counted: number[] = [];
    const connection = (id: number, destroyed = false): never =>
      ({ destroyed, write: (bytes: Buffer) => written.push({ connection: id, bytes }) }) as never;
    const [a, b, gone] = [connection(1), connection(2), connection(3, true)];
    const acknowledgements = new Acknowledgements((_connection, count) => counted.push(count));
    acknowledgements.add(a, [1]);
    acknowledgements.add(b, [0x1234]);
    acknowledgements.add(gone, [5]);
    acknowledgements.add(a, [65_535]);
    acknowledgements.flushOne(b);
    acknowledgements.flushOne(b);
    acknowledgements.flush();
    acknowledgements.flush();
    expect(written).toEqual([
      { connection: 2, bytes: Buffer.from([0x40, 2, 0x12, 0x34]) },
      { connection: 1, bytes: Buffer.from([0x40, 2, 0, 1, 0x40, 2, 0xff, 0xff]) },
    ]);
    expect(counted).toEqual([1, 2]);
  });
});
