import { createLogger } from '#libs/platform';
import { describeWith, startMosquitto, waitUntil, type MosquittoFixture } from '#libs/testing';
import { TopicMappings } from '#libs/telemetry';
import mqtt, { type MqttClient } from 'mqtt';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Bridge, type BridgeOptions } from './bridge.js';
import { interposed, openBroker, type BrokerFixture } from '../broker.fixture.js';

const TOPIC = 'pantau/v1/betung/udara-01/telemetry';

function makeBridge(
  { port }: Pick<MosquittoFixture, 'port'>,
  { journal, registry }: Pick<BrokerFixture, 'journal' | 'registry'>,
  options: Partial<BridgeOptions> = {},
): Bridge {
  return new Bridge(
    {
      url: `mqtt://127.0.0.1:${port}`,
      username: undefined,
      password: undefined,
      clientId: 'replica-a',
      connections: 2,
      filter: 'pantau/v1/+/+/+',
      group: 'pantau',
      deviceProperty: undefined,
      maxPayloadBytes: 10_000,
      livenessBeatMs: 50,
      mappings: new TopicMappings([]),
      ...options,
    },
    {
      ...{ journal, registry, clock: { now: Date.now }, logger: createLogger('silent', 'test') },
      othersListen: () => true,
    },
  );
}

/** A device that speaks MQTT 5 to the other broker. */
async function connectDevice({ port }: MosquittoFixture): Promise<MqttClient> {
  return mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0 });
}

async function subscribed(...bridges: Bridge[]): Promise<void> {
  for (const bridge of bridges) await waitUntil('the bridge is subscribed', () => bridge.isSubscribed);
}

describeWith(['mosquitto'], 'the bridge to an MQTT 5 broker', () => {
  it('takes the messages of MQTT 5 devices into the journal, each once, shared among replicas', async () => {
    await using mosquitto = await startMosquitto();
    await using fixture = await openBroker({ ports: {} });
    const replicas = ['replica-a', 'replica-b'].map((clientId) =>
      makeBridge(mosquitto, fixture, { clientId }),
    );
    for (const replica of replicas) await replica.start();
    await subscribed(...replicas);
    const device = await connectDevice(mosquitto);
    const sent = Array.from({ length: 400 }, (_, i) => String(i));
    await Promise.all(sent.map((payload) => device.publishAsync(TOPIC, payload, { qos: 1 })));
    await waitUntil('all are taken', () => replicas.reduce((sum, { received }) => sum + received, 0) >= 400);
    const uplinks = await fixture.entries('uplink');
    expect(uplinks.map(({ data }) => Buffer.from(data.payload).toString()).sort()).toEqual(sent.sort());
    expect(uplinks[0]!.data).toMatchObject({ device: 'udara-01', site: 'betung', kind: 'telemetry', qos: 1 });
    for (const { received } of replicas) expect(received).toBeGreaterThan(50);
    await device.endAsync();
    for (const replica of replicas) await replica.stop();
  });

  it('acknowledges nothing that is not durable: it comes again, to the replica that is back', async () => {
    await using mosquitto = await startMosquitto();
    await using fixture = await openBroker({ ports: {} });
    let isBroken = true;
    let attempts = 0;
    const journal = interposed(fixture.journal, async (append, stream) => {
      // Beats go by: the message is tried when it is there.
      if (!isBroken || stream !== 'uplink') return append();
      attempts++;
      throw new Error('no space left on the device');
    });
    const bridge = makeBridge(mosquitto, { ...fixture, journal }, { connections: 1 });
    await bridge.start();
    await subscribed(bridge);
    const device = await connectDevice(mosquitto);
    await device.publishAsync(TOPIC, 'precious', { qos: 1 });
    await waitUntil('it was tried', () => attempts >= 1);
    expect(bridge.received).toBe(0);
    isBroken = false;
    await waitUntil('it is taken', () => bridge.received === 1);
    const [entry] = await fixture.entries('uplink');
    expect(Buffer.from(entry!.data.payload).toString()).toBe('precious');
    expect(entry!.data.dup).toBe(true);
    await device.endAsync();
    await bridge.stop();
  });

  it('waits while the journal is full, on the same connection, and takes each message once when there is space', async () => {
    await using mosquitto = await startMosquitto();
    let freeBytes = 1e9;
    await using fixture = await openBroker({
      ports: {},
      space: { minFree: 1e6, measureDisk: async () => ({ freeBytes, totalBytes: 1e9 }) },
    });
    let refusals = 0;
    const journal = interposed(fixture.journal, (append) =>
      append().catch((error: unknown) => {
        refusals++;
        throw error;
      }),
    );
    const bridge = makeBridge(mosquitto, { ...fixture, journal }, { connections: 2 });
    await bridge.start();
    await subscribed(bridge);
    freeBytes = 0;
    await waitUntil('the journal is full', async () => !(await fixture.journal.space()).accepting);
    const device = await connectDevice(mosquitto);
    const unknown = 'pantau/v1/betung/nobody/telemetry';
    const sent = Array.from({ length: 20 }, (_, i) => String(i));
    for (const payload of sent) {
      await device.publishAsync(unknown, payload, { qos: 1 });
      await device.publishAsync(TOPIC, payload, { qos: 1 });
    }
    await waitUntil('it was refused', () => refusals >= 2);
    // Over two more retries it has neither taken anything nor let a connection go.
    const isConnected: boolean[] = [];
    await waitUntil('there were retries', () => {
      isConnected.push(bridge.isSubscribed);
      return refusals >= 4;
    });
    expect(isConnected).not.toContain(false);
    expect(bridge.received).toBe(0);
    expect(refusals).toBeLessThan(10);
    freeBytes = 1e9;
    await waitUntil('all are taken', () => bridge.received === 2 * sent.length);
    const uplinks = await fixture.entries('uplink');
    expect(uplinks.map(({ data }) => Buffer.from(data.payload).toString()).sort()).toEqual([...sent].sort());
    expect(uplinks.map(({ data }) => data.dup)).not.toContain(true);
    expect(await fixture.entries('rejected')).toHaveLength(sent.length);
    await device.endAsync();
    await bridge.stop();
  });

  it('logs in with its user name and password', async () => {
    await using mosquitto = await startMosquitto({ name: 'pantau', password: 'right' });
    await using fixture = await openBroker({ ports: {} });
    const bridges = [
      ['other', 'right'],
      ['pantau', 'wrong'],
      ['pantau', 'right'],
    ].map(([username, password], i) =>
      makeBridge(mosquitto, fixture, { username, password, clientId: `replica-${i}` }),
    );
    for (const bridge of bridges) await bridge.start();
    await subscribed(bridges.at(-1)!);
    expect(bridges.map(({ isConnected }) => isConnected)).toEqual([false, false, true]);
    for (const bridge of bridges) await bridge.stop();
  });

  it('reads what its filter says, and what its group has not read', async () => {
    await using mosquitto = await startMosquitto();
    await using fixture = await openBroker({ ports: {} });
    const filter = 'pantau/v1/betung/udara-02/+';
    const bridges = ['pantau', 'other'].map((group) =>
      makeBridge(mosquitto, fixture, { clientId: group, group, filter, connections: 1 }),
    );
    for (const bridge of bridges) await bridge.start();
    await subscribed(...bridges);
    const device = await connectDevice(mosquitto);
    await device.publishAsync(TOPIC, 'x', { qos: 1 });
    await device.publishAsync('pantau/v1/betung/udara-02/telemetry', 'x', { qos: 1 });
    await waitUntil('both have read', () => bridges.every(({ received }) => received > 0));
    const read = (await fixture.entries('uplink')).map(({ data }) => data.device);
    expect(read).toEqual(['udara-02', 'udara-02']);
    await device.endAsync();
    for (const bridge of bridges) await bridge.stop();
  });

  it('makes as many connections as it is told', async () => {
    await using fixture = await openBroker({ ports: {} });
    const open = new Set<Socket>();
    const server = createServer((socket) => open.add(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bridge = makeBridge(server.address() as AddressInfo, fixture, { connections: 3 });
    await bridge.start();
    await waitUntil('all are there', () => open.size >= 3);
    // The first of them would come back only after seconds.
    expect(open.size).toBe(3);
    for (const socket of open) socket.destroy();
    server.close();
    await bridge.stop();
  });

  it('keeps what arrives while a replica is away', async () => {
    await using mosquitto = await startMosquitto();
    await using fixture = await openBroker({ ports: {} });
    const first = makeBridge(mosquitto, fixture, { connections: 1 });
    await first.start();
    await subscribed(first);
    await first.stop();
    const device = await connectDevice(mosquitto);
    await device.publishAsync(TOPIC, 'while away', { qos: 1 });
    const second = makeBridge(mosquitto, fixture, { connections: 1 });
    await second.start();
    await waitUntil('it is taken', () => second.received === 1);
    expect(await fixture.entries('uplink')).toHaveLength(1);
    await device.endAsync();
    await second.stop();
  });

  it('takes the identity from a user property when told to, and sets aside what does not fit, with its bytes', async () => {
    await using mosquitto = await startMosquitto();
    await using fixture = await openBroker({ ports: {} });
    const bridge = makeBridge(mosquitto, fixture, { deviceProperty: 'device', connections: 1 });
    await bridge.start();
    await subscribed(bridge);
    const device = await connectDevice(mosquitto);
    const publish = (topic: string, payload: string | Buffer, name?: string): Promise<unknown> =>
      device.publishAsync(topic, payload, {
        qos: 1,
        ...(name === undefined ? {} : { properties: { userProperties: { device: name } } }),
      });
    await publish(TOPIC, 'good', 'udara-01');
    await publish(TOPIC, 'no property');
    await publish(TOPIC, 'somebody else', 'udara-02');
    await publish(TOPIC, 'a stranger', 'nobody');
    await publish('pantau/v1/betung/udara-01/nonsense', 'odd topic', 'udara-01');
    await publish(TOPIC, Buffer.alloc(10_001), 'udara-01');
    await waitUntil('all are taken', () => bridge.received === 6);
    expect(await fixture.entries('uplink')).toHaveLength(1);
    const rejected = (await fixture.entries('rejected')).map(({ data }) => data);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      'unknown_device',
      'topic_not_allowed',
      'unknown_device',
      'topic_not_allowed',
      'payload_too_large',
    ]);
    expect(Buffer.from(rejected[1]!.payload!).toString()).toBe('somebody else');
    expect(rejected[4]).toMatchObject({ payloadBytes: 10_001, device: 'udara-01' });
    await device.endAsync();
    await bridge.stop();
  });

  it('records itself as listening only while the other broker can be heard', async () => {
    await using fixture = await openBroker({ ports: {} });
    const mosquitto = await startMosquitto();
    const bridge = makeBridge(mosquitto, fixture, { connections: 1 });
    const beats = async (): Promise<number> =>
      (await fixture.entries('liveness')).filter(({ data }) => data.component === 'bridge').length;
    await bridge.start();
    await waitUntil('it beats', async () => (await beats()) >= 2);
    await mosquitto[Symbol.asyncDispose]();
    await waitUntil('it notices', () => !bridge.isConnected);
    const before = await beats();
    await bridge.stop();
    expect(await beats()).toBe(before);
  });
});
