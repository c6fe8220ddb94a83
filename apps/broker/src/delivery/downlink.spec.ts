import { formatCommandTopic, type CommandEvent, type CommandState } from '#libs/telemetry';
import { waitUntil } from '#libs/testing';
import type { IPublishPacket } from 'mqtt-packet';
import { openBroker, type BrokerFixture, type RawClient } from '../broker.fixture.js';

const DEVICE = 'udara-01';
const COMMANDS = `pantau/v1/betung/${DEVICE}/cmd/#`;
const CONFIG = `pantau/v1/betung/${DEVICE}/config`;
const HOUR = 3_600_000;

let orders = 0;
/** Writes a command to the journal, as the API does. @returns its id */
async function order(
  fixture: BrokerFixture,
  { device = DEVICE, name = 'reboot', lifetimeMs = HOUR } = {},
): Promise<string> {
  const id = `order-${++orders}`;
  const at = Date.now();
  const command = { name, params: { delay: 5 }, expiresAt: at + lifetimeMs, orderedBy: 'suite' };
  const data: CommandEvent = { id, site: 'betung', device, state: 'queued', at, command };
  await fixture.journal.append('commands', [{ key: device, data }]);
  return id;
}

async function configure(fixture: BrokerFixture, configuration: unknown): Promise<void> {
  const data = { site: 'betung', device: DEVICE, at: Date.now(), configuration };
  await fixture.journal.append('configurations', [{ key: DEVICE, data }]);
}

async function states(fixture: BrokerFixture, id: string): Promise<CommandState[]> {
  const entries = await fixture.entries('commands');
  return entries.filter(({ data }) => data.id === id).map(({ data }) => data.state);
}

const reaches = (fixture: BrokerFixture, id: string, state: CommandState): Promise<unknown> =>
  waitUntil(`${id} is ${state}`, async () => (await states(fixture, id)).includes(state));

/** A connection of a device, packet by packet. */
async function open(fixture: BrokerFixture, { device = DEVICE, clean = true } = {}): Promise<RawClient> {
  const raw = await fixture.raw();
  await raw.connect(device, fixture.passwords[device]!, { clean });
  return raw;
}

let messageId = 0;
async function subscribe(raw: RawClient, topic: string, qos: 0 | 1 | 2 = 1): Promise<number> {
  raw.send({ cmd: 'subscribe', messageId: ++messageId, subscriptions: [{ topic, qos }] });
  return (await raw.next('suback')).granted[0] as number;
}

const acknowledge = (raw: RawClient, { messageId: id }: IPublishPacket): void =>
  raw.send({ cmd: 'puback', messageId: id! });

/** Proves that nothing is on its way: what is ordered now is what comes next. */
async function expectNothingElse(fixture: BrokerFixture, raw: RawClient, device = DEVICE): Promise<void> {
  const id = await order(fixture, { device, name: 'end' });
  const packet = await raw.next('publish');
  expect(packet.topic).toBe(formatCommandTopic('betung', device, id));
  acknowledge(raw, packet);
  await reaches(fixture, id, 'delivered');
}

describe('a command', () => {
  it('reaches the device that listens, at QoS 1, and is delivered when it is acknowledged', async () => {
    await using fixture = await openBroker();
    const device = await open(fixture);
    await subscribe(device, COMMANDS, 2);
    const id = await order(fixture);
    const packet = await device.next('publish');
    const flags = { qos: 1, retain: false, dup: false };
    expect(packet).toMatchObject({ topic: formatCommandTopic('betung', DEVICE, id), ...flags });
    expect(JSON.parse(packet.payload.toString())).toEqual({
      id,
      name: 'reboot',
      params: { delay: 5 },
      expiresAt: expect.stringMatching(/Z$/),
    });
    await reaches(fixture, id, 'sent');
    acknowledge(device, packet);
    await reaches(fixture, id, 'delivered');
    expect(await states(fixture, id)).toEqual(['queued', 'sent', 'delivered']);
    await expectNothingElse(fixture, device);
  });

  it.each([true, false])('waits for a device that is away, clean session %s', async (clean) => {
    await using fixture = await openBroker();
    let device = await open(fixture, { clean });
    await subscribe(device, COMMANDS);
    device.send({ cmd: 'disconnect' });
    await device.closed;
    const id = await order(fixture);
    device = await open(fixture, { clean });
    // A kept session listens as soon as it is back.
    if (clean) await subscribe(device, COMMANDS);
    const packet = await device.next('publish');
    expect(packet).toMatchObject({ topic: formatCommandTopic('betung', DEVICE, id), qos: 1 });
    acknowledge(device, packet);
    await reaches(fixture, id, 'delivered');
    await expectNothingElse(fixture, device);
  });

  it.each([
    ['a kept session', false, false],
    ['a clean session', true, true],
    ['a clean session that comes back as a kept one', true, false],
  ])('is sent again until it is acknowledged: %s', async (_name, before, after) => {
    await using fixture = await openBroker();
    let device = await open(fixture, { clean: before });
    await subscribe(device, COMMANDS);
    const id = await order(fixture);
    await device.next('publish');
    await reaches(fixture, id, 'sent');
    device.socket.destroy();
    device = await open(fixture, { clean: after });
    if (before) await subscribe(device, COMMANDS);
    const packet = await device.next('publish');
    expect(packet).toMatchObject({ topic: formatCommandTopic('betung', DEVICE, id), dup: !before });
    acknowledge(device, packet);
    await reaches(fixture, id, 'delivered');
    await expectNothingElse(fixture, device);
  });

  it('is in the kept session over a restart of the broker, and one that is over is not sent again', async () => {
    await using fixture = await openBroker();
    let device = await open(fixture, { clean: false });
    await subscribe(device, COMMANDS);
    const over = await order(fixture);
    acknowledge(device, await device.next('publish'));
    await reaches(fixture, over, 'delivered');
    const id = await order(fixture);
    await device.next('publish');
    await reaches(fixture, id, 'sent');
    await fixture.restart();
    device = await open(fixture, { clean: false });
    const packet = await device.next('publish');
    expect(packet).toMatchObject({ topic: formatCommandTopic('betung', DEVICE, id), dup: true });
    acknowledge(device, packet);
    await reaches(fixture, id, 'delivered');
    await expectNothingElse(fixture, device);
  });

  it.each([true, false])('expires instead of arriving late, clean session %s', async (clean) => {
    await using fixture = await openBroker();
    let device = await open(fixture, { clean });
    await subscribe(device, COMMANDS);
    const unacknowledged = await order(fixture, { lifetimeMs: 300 });
    await device.next('publish');
    device.socket.destroy();
    await reaches(fixture, unacknowledged, 'expired');
    const unsent = await order(fixture, { lifetimeMs: 100 });
    await reaches(fixture, unsent, 'expired');
    expect(await states(fixture, unsent)).toEqual(['queued', 'expired']);
    device = await open(fixture, { clean });
    if (clean) await subscribe(device, COMMANDS);
    await expectNothingElse(fixture, device);
  });

  it('waits for a device that does not listen any more, and comes when it does again', async () => {
    await using fixture = await openBroker();
    const device = await open(fixture);
    await subscribe(device, COMMANDS);
    device.send({ cmd: 'unsubscribe', messageId: ++messageId, unsubscriptions: [COMMANDS] });
    await device.next('unsuback');
    const id = await order(fixture);
    expect(await subscribe(device, COMMANDS)).toBe(1);
    const packet = await device.next('publish');
    expect(packet).toMatchObject({ topic: formatCommandTopic('betung', DEVICE, id), qos: 1 });
    acknowledge(device, packet);
    await reaches(fixture, id, 'delivered');
  });

  it('is over when its result is known: the device does not get it again', async () => {
    await using fixture = await openBroker();
    let device = await open(fixture);
    await subscribe(device, COMMANDS);
    const id = await order(fixture);
    await device.next('publish');
    await reaches(fixture, id, 'sent');
    const topic = `pantau/v1/betung/${DEVICE}/result`;
    const payload = JSON.stringify({ id, state: 'done' });
    device.send({ cmd: 'publish', topic, payload, qos: 1, messageId: 9, retain: false, dup: false });
    await device.next('puback');
    // In the journal, where the ingest reads it and tells the state of the command.
    const [uplink] = await fixture.entries('uplink');
    expect(uplink).toMatchObject({ key: DEVICE, data: { kind: 'result', device: DEVICE, topic } });
    const data: CommandEvent = { id, site: 'betung', device: DEVICE, state: 'done', at: Date.now() };
    await fixture.journal.append('commands', [{ key: DEVICE, data }]);
    device.socket.destroy();
    device = await open(fixture);
    await subscribe(device, COMMANDS);
    await expectNothingElse(fixture, device);
  });
});

describe('the configuration', () => {
  it('is retained: delivered on subscription, replaced, and taken away', async () => {
    await using fixture = await openBroker();
    await configure(fixture, { interval: 30 });
    const standing = await open(fixture, { clean: false });
    const next = async (): Promise<unknown> => {
      const packet = await standing.next('publish');
      acknowledge(standing, packet);
      expect(packet).toMatchObject({ topic: CONFIG, qos: 1 });
      return [packet.payload.toString(), packet.retain];
    };
    await subscribe(standing, CONFIG);
    expect(((await next()) as [string])[0]).toBe('{"interval":30}');
    await configure(fixture, { interval: 60 });
    expect(await next()).toEqual(['{"interval":60}', false]);
    // Whoever subscribes now sees the newest alone.
    await subscribe(standing, CONFIG);
    expect(await next()).toEqual(['{"interval":60}', true]);
    await configure(fixture, null);
    expect(await next()).toEqual(['', false]);
    await subscribe(standing, CONFIG);
    await configure(fixture, { interval: 90 });
    expect(await next()).toEqual(['{"interval":90}', false]);
  });
});

describe('the downlinks of a device', () => {
  it('are nobody else’s to read', async () => {
    await using fixture = await openBroker();
    await fixture.account('suite', ['std/#'], ['std/#']);
    await configure(fixture, { secret: 1 });
    const other = await open(fixture, { device: 'udara-02' });
    for (const filter of [COMMANDS, CONFIG, 'pantau/v1/betung/+/cmd/#', 'pantau/v1/betung/+/config', '#'])
      expect(await subscribe(other, filter)).toBe(0x80);
    await fixture.rejection('subscription_not_allowed');
    const account = await fixture.raw();
    await account.connect('suite', fixture.passwords['suite']!);
    expect(await subscribe(account, COMMANDS)).toBe(0x80);
    const device = await open(fixture);
    await subscribe(device, COMMANDS);
    await order(fixture);
    acknowledge(device, await device.next('publish'));
    // The other one has its own, and nothing came before it.
    expect(await subscribe(other, COMMANDS.replace('01', '02'))).toBe(1);
    await expectNothingElse(fixture, other, 'udara-02');
  });

  it.each([formatCommandTopic('betung', DEVICE, 'forged'), CONFIG])(
    'are no device’s to write: %s',
    async (topic) => {
      await using fixture = await openBroker();
      const device = await open(fixture);
      await subscribe(device, COMMANDS);
      await subscribe(device, CONFIG);
      for (const id of ['udara-02', DEVICE]) {
        const writer = id === DEVICE ? device : await open(fixture, { device: id });
        if (id === DEVICE) await expectNothingElse(fixture, device);
        const packet = { topic, payload: 'forged', qos: 1, messageId: 1, retain: true, dup: false } as const;
        writer.send({ cmd: 'publish', ...packet });
        await writer.next('puback');
        await waitUntil('the refusal is written down', async () =>
          (await fixture.entries('rejected')).some(({ data }) => data.device === id && data.topic === topic),
        );
      }
      const again = await open(fixture);
      await subscribe(again, CONFIG);
      await subscribe(again, COMMANDS);
      await expectNothingElse(fixture, again);
    },
  );
});

describe('a gateway', () => {
  const GATEWAY = 'gerbang-01';
  async function openGateway(fixture: BrokerFixture): Promise<RawClient> {
    const about = { site: 'betung', kind: 'gateway', name: GATEWAY, intervalMs: 60_000 } as const;
    fixture.passwords[GATEWAY] = await fixture.administration.addDevice({
      id: GATEWAY,
      ...about,
      speaksFor: [DEVICE],
    });
    return open(fixture, { device: GATEWAY });
  }

  it('gets the commands of the devices that it speaks for, and no others', async () => {
    await using fixture = await openBroker();
    const gateway = await openGateway(fixture);
    expect(await subscribe(gateway, COMMANDS)).toBe(1);
    expect(await subscribe(gateway, COMMANDS.replace('01', '02'))).toBe(0x80);
    await order(fixture, { device: 'udara-02' });
    await expectNothingElse(fixture, gateway);
    await configure(fixture, { interval: 30 });
    expect(await subscribe(gateway, CONFIG)).toBe(1);
    expect(await gateway.next('publish')).toMatchObject({ topic: CONFIG });
  });

  it('leaves them to the device itself while that is connected, and has them again when it is gone', async () => {
    await using fixture = await openBroker();
    const gateway = await openGateway(fixture);
    await subscribe(gateway, COMMANDS);
    const device = await open(fixture);
    await subscribe(device, COMMANDS);
    await expectNothingElse(fixture, device);
    device.send({ cmd: 'disconnect' });
    await device.closed;
    await expectNothingElse(fixture, gateway);
  });
});
