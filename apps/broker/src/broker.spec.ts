import type { PresenceSignal } from '#libs/telemetry';
import { waitUntil } from '#libs/testing';
import mqttPacket from 'mqtt-packet';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import {
  connectPacket,
  event,
  openBroker,
  openSocket,
  type BrokerFixture,
  type ClientOptions,
} from './broker.fixture.js';

const TOPIC = 'pantau/v1/betung/udara-01/telemetry';
const PAYLOAD = '{"ts":"2026-01-01T05:00:00Z","values":{"pm25":12}}';

describe('the broker', () => {
  it.each([1, 2] as const)(
    'has a QoS %i message in the journal by the time the device sees it acknowledged',
    async (qos) => {
      await using fixture = await openBroker();
      const client = await fixture.connect('udara-01');
      await client.publishAsync(TOPIC, PAYLOAD, { qos });
      const [entry] = await fixture.entries('uplink');
      expect(entry?.key).toBe('udara-01');
      expect(entry?.data).toMatchObject({
        site: 'betung',
        device: 'udara-01',
        kind: 'telemetry',
        topic: TOPIC,
        qos,
        will: false,
      });
      expect(Buffer.from(entry!.data.payload).toString()).toBe(PAYLOAD);
    },
  );

  it('takes QoS 0 messages into the journal too', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    await client.publishAsync(TOPIC, PAYLOAD, { qos: 0 });
    await fixture.journal.waitFor('uplink', 0, 0, AbortSignal.timeout(10_000));
    expect(await fixture.entries('uplink')).toHaveLength(1);
  });

  it('keeps the order of a device that does not wait for acknowledgements', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => client.publishAsync(TOPIC, String(i), { qos: 1 })),
    );
    const entries = await fixture.entries('uplink');
    expect(entries.map(({ data }) => Number(Buffer.from(data.payload).toString()))).toEqual(
      Array.from({ length: 500 }, (_, i) => i),
    );
  });

  it('does not acknowledge when the journal cannot take the message, and the device keeps it', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    await fixture.journal.close();
    let acknowledged = false;
    client.publish(TOPIC, PAYLOAD, { qos: 1 }, (error) => (acknowledged = error == null));
    await event(client, 'close');
    expect(acknowledged).toBe(false);
  });

  it.each([
    ['a wrong password', 'udara-01', { password: 'wrong' }, 'bad_credentials'],
    ['no password', 'udara-01', { password: undefined }, 'bad_credentials'],
    ['an unknown device', 'udara-99', {}, 'unknown_device'],
    ['no user name', 'udara-01', { username: undefined, password: undefined }, 'unknown_device'],
    ['a client id that is not the device', 'udara-01', { clientId: 'udara-02' }, 'bad_credentials'],
  ])('refuses %s at the door, and records it', async (_name, device, options, reason) => {
    await using fixture = await openBroker();
    await expect(fixture.connect(device, options as ClientOptions)).rejects.toMatchObject({
      code: expect.any(Number),
    });
    await fixture.journal.waitFor('rejected', 0, 0, AbortSignal.timeout(10_000));
    const [entry] = await fixture.entries('rejected');
    expect(entry?.data).toMatchObject({ reason, count: 1 });
  });

  it('counts equal refusals of a moment together', async () => {
    await using fixture = await openBroker();
    await Promise.allSettled(
      Array.from({ length: 20 }, () => fixture.connect('udara-01', { password: 'wrong' })),
    );
    const counted = async (): Promise<number> =>
      (await fixture.entries('rejected')).reduce((sum, { data }) => sum + data.count, 0);
    await waitUntil('all are counted', async () => (await counted()) === 20);
    expect((await fixture.entries('rejected')).length).toBeLessThan(20);
  });

  it('acknowledges a payload that is too large, sets it aside, and goes on', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    await client.publishAsync(TOPIC, Buffer.alloc(10 * 1024 * 1024, 'x'), { qos: 1 });
    await client.publishAsync(TOPIC, PAYLOAD, { qos: 1 });
    const [rejected] = await fixture.entries('rejected');
    expect(rejected?.data).toMatchObject({
      reason: 'payload_too_large',
      payloadBytes: 10 * 1024 * 1024,
      device: 'udara-01',
    });
    expect(await fixture.entries('uplink')).toHaveLength(1);
  });

  it('lets a device subscribe below its own topic alone', async () => {
    await using fixture = await openBroker();
    const client = await fixture.connect('udara-01');
    const granted = await client
      .subscribeAsync(['pantau/v1/betung/udara-01/cmd/#', 'pantau/v1/betung/udara-02/#', '#'], { qos: 1 })
      .catch((error: unknown) => error);
    // MQTT.js reports the granted codes of a refused subscription as an error.
    expect(String(granted)).toMatch(/Unspecified error|0x80|128/);
  });

  it('refuses an empty client id that asks for a kept session', async () => {
    await using fixture = await openBroker();
    const socket = await openSocket(fixture.broker.port());
    // Written by hand: the generator refuses to make such a CONNECT.
    socket.write(Buffer.from('100c00044d5154540400003c0000', 'hex'));
    await once(socket, 'close');
    expect(socket.bytesRead).toBeLessThanOrEqual(4);
  });
});

describe('presence', () => {
  async function presence(fixture: BrokerFixture, count: number): Promise<PresenceSignal[]> {
    await waitUntil(
      `${count} presence signals`,
      async () => (await fixture.entries('signals')).length >= count,
    );
    return (await fixture.entries('signals')).map(({ data }) => data as PresenceSignal);
  }

  it('tells a clean end from a lost connection', async () => {
    await using fixture = await openBroker();
    const first = await fixture.connect('udara-01');
    await first.endAsync();
    await presence(fixture, 2);
    const second = await fixture.connect('udara-01');
    second.stream.destroy();
    const signals = await presence(fixture, 4);
    expect(signals.map(({ state, cause }) => [state, cause])).toEqual([
      ['connected', 'connect'],
      ['disconnected', 'clean'],
      ['connected', 'connect'],
      ['disconnected', 'lost'],
    ]);
    expect(new Set(signals.map(({ session }) => session)).size).toBe(2);
  });

  it('notices a device that falls silent at one and a half times its keep-alive', async () => {
    await using fixture = await openBroker();
    const socket = await openSocket(fixture.broker.port());
    socket.write(connectPacket('udara-01', fixture.passwords['udara-01']!, { keepalive: 1 }));
    const signals = await presence(fixture, 2);
    expect(signals[1]).toMatchObject({ state: 'disconnected', cause: 'keepalive' });
  });

  it('fences a will by session: the will of a connection that was taken over does not speak for the new one', async () => {
    await using fixture = await openBroker();
    const will = {
      topic: 'pantau/v1/betung/udara-01/status',
      payload: Buffer.from('{"state":"offline"}'),
      qos: 1 as const,
    };
    const first = await fixture.connect('udara-01', { will });
    await fixture.connect('udara-01', { will });
    await event(first, 'close');
    const signals = await presence(fixture, 3);
    const newest = signals.findLast(({ state }) => state === 'connected')!.session;
    expect(signals.find(({ state }) => state === 'disconnected')).toMatchObject({ cause: 'takeover' });
    // It lies in another environment than the signals, so nothing says which of them is there first.
    await waitUntil('the will is there', async () => (await fixture.entries('uplink')).length > 0);
    const [uplink] = await fixture.entries('uplink');
    expect(uplink?.data).toMatchObject({ will: true, kind: 'status' });
    expect(uplink?.data.session).not.toBe(newest);
  });

  it('publishes no wills when Pantau itself stops, and records its own stop', async () => {
    await using fixture = await openBroker();
    const will = {
      topic: 'pantau/v1/betung/udara-01/status',
      payload: Buffer.from('{"state":"offline"}'),
      qos: 1 as const,
    };
    await fixture.connect('udara-01', { will });
    await fixture.broker.stop();
    expect(await fixture.entries('uplink')).toHaveLength(0);
    const signals = await presence(fixture, 2);
    expect(signals[1]).toMatchObject({ state: 'disconnected', cause: 'shutdown' });
    const liveness = await fixture.entries('liveness');
    expect(liveness.map(({ data }) => data.kind)).toEqual(['start', 'stop']);
  });
});

describe('QoS 2', () => {
  it('journals a message once although the device sends it again before its PUBREL', async () => {
    await using fixture = await openBroker();
    const socket = await openSocket(fixture.broker.port());
    const packets = reader(socket);
    socket.write(connectPacket('udara-01', fixture.passwords['udara-01']!, { keepalive: 60 }));
    await packets('connack');
    const publish = (dup: boolean): Buffer =>
      mqttPacket.generate(
        { cmd: 'publish', topic: TOPIC, payload: PAYLOAD, qos: 2, messageId: 7, dup, retain: false },
        {},
      );
    socket.write(publish(false));
    await packets('pubrec');
    socket.write(publish(true));
    await packets('pubrec');
    socket.write(mqttPacket.generate({ cmd: 'pubrel', messageId: 7 }, {}));
    await packets('pubcomp');
    expect(await fixture.entries('uplink')).toHaveLength(1);
    socket.destroy();
  });
});

/** Returns a function that waits for the next packet and checks its command. */
function reader(socket: Socket): (command: string) => Promise<void> {
  const parser = mqttPacket.parser();
  const received: string[] = [];
  parser.on('packet', (packet: { cmd: string }) => received.push(packet.cmd));
  socket.on('data', (chunk: Buffer) => parser.parse(chunk));
  return async (command) => {
    await waitUntil(`a ${command} arrives`, () => received.length > 0);
    expect(received.shift()).toBe(command);
  };
}
