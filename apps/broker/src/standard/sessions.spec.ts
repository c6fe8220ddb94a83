import { connectPacket, type ConnectOptions, type RawClient } from '../broker.fixture.js';
import {
  fixture,
  messageId,
  fresh,
  open,
  resume,
  nextId,
  subscribe,
  say,
  publish,
  hear,
  shown,
  textsOf,
  upTo,
  leave,
  expectNothingElse,
  useBroker,
  type Flags,
} from './standard.fixture.js';

// Names in brackets are those of the statements of MQTT 3.1.1 (OASIS Standard, 29 October 2014).

useBroker();
describe('a session', () => {
  it('is present when it was kept, with its subscriptions, and only then [MQTT-3.2.2-2]', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    let client = await resume(clientId);
    expect(client.sessionPresent).toBe(false);
    await subscribe(client, [`${topic}/a`, 1], [`${topic}/b`, 0]);
    await leave(client);
    client = await resume(clientId);
    expect(client.sessionPresent).toBe(true);
    // Both are in force without a new SUBSCRIBE.
    await publish(`${topic}/a`, 'a', { qos: 2 });
    await publish(`${topic}/b`, 'b', { qos: 2 });
    expect((await hear(client, 2)).map(shown)).toEqual([
      ['a', { qos: 1, retain: false, dup: false }],
      ['b', { qos: 0, retain: false, dup: false }],
    ]);
    await leave(client);
    const raw = await fixture.raw();
    const connack = await raw.connect(clientId, fixture.passwords['suite']!, { username: 'suite' });
    expect(connack.sessionPresent).toBe(false);
    await leave(raw);
    expect((await resume(clientId)).sessionPresent).toBe(false);
  });

  it('without a name may be had by who does not want to keep it, and by nobody else [MQTT-3.1.3-8]', async () => {
    await leave(await open(''));
    const raw = await fixture.raw();
    // Written by hand: the generator refuses to make such a CONNECT.
    raw.send(Buffer.from('100c00044d5154540400003c0000', 'hex'));
    expect(await raw.next('connack')).toMatchObject({ returnCode: 2, sessionPresent: false });
    await raw.closed;
  });

  it('goes over to the newest connection of its client id, the older one is closed [MQTT-3.1.4-2]', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    const older = await resume(clientId);
    await subscribe(older, [topic, 1]);
    await publish(topic, 'unacknowledged');
    const { messageId: id } = await older.next('publish');
    const newer = await resume(clientId);
    await older.closed;
    expect(newer.sessionPresent).toBe(true);
    const again = await newer.next('publish');
    expect(again).toMatchObject({ messageId: id, dup: true });
  });

  it('is subscribed to what it subscribed to last: a filter replaces itself, UNSUBSCRIBE ends it', async () => {
    const topic = fresh();
    await publish(topic, 'old', { retain: true });
    const client = await open(fresh());
    await subscribe(client, [topic, 0]);
    expect((await hear(client)).map(shown)).toEqual([['old', { qos: 0, retain: true, dup: false }]]);
    // Retained messages come again [MQTT-3.8.4-3].
    expect(await subscribe(client, [topic, 2])).toEqual([2]);
    expect((await hear(client)).map(shown)).toEqual([['old', { qos: 1, retain: true, dup: false }]]);
    await publish(topic, 'new', { qos: 2 });
    expect((await hear(client)).map(shown)).toEqual([['new', { qos: 2, retain: false, dup: false }]]);
    client.send({ cmd: 'unsubscribe', messageId: nextId(), unsubscriptions: [topic, 'std/never'] });
    // Also of what it never had [MQTT-3.10.4-5].
    expect(await client.next('unsuback')).toMatchObject({ messageId });
    await publish(topic, 'unheard');
    await subscribe(client, [`${topic}/x`, 0]);
    await expectNothingElse(client, `${topic}/x`);
  });
});

describe('overlapping subscriptions', () => {
  const FILTERS = [
    ['an exact one that is highest', ['#', 0], ['a', 2], ['+', 1]],
    ['an exact one that is lowest', ['#', 2], ['a', 0], ['+', 1]],
  ] as const;
  const CASES = FILTERS.flatMap(([name, ...filters]) =>
    [true, false].map((clean) => [name, clean, filters] as const),
  );

  it.each(CASES)(
    'give one delivery, with the highest QoS of those that match: %s, clean session %s [MQTT-3.3.5-1]',
    async (_name, clean, filters) => {
      const topic = fresh();
      const client = await open(fresh(), { clean });
      await subscribe(client, ...filters.map(([level, qos]) => [`${topic}/${level}`, qos] as const));
      for (const qos of [0, 1, 2] as const) await publish(`${topic}/a`, String(qos), { qos });
      const flags = { retain: false, dup: false };
      expect((await hear(client, 3)).map(shown)).toEqual(
        ([0, 1, 2] as const).map((qos) => [String(qos), { qos, ...flags }]),
      );
      await expectNothingElse(client, `${topic}/a`);
    },
  );

  it('give one delivery of each message to a kept session, online in a burst and after its return', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    let client = await resume(clientId);
    await subscribe(client, [`${topic}/#`, 1], [`${topic}/a`, 1], [`${topic}/+`, 0]);
    const writer = await open(fresh());
    for (const text of upTo(50)) say(writer, `${topic}/a`, text);
    expect(textsOf(await hear(client, 50))).toEqual(upTo(50));
    await leave(client);
    for (const text of upTo(5)) await publish(`${topic}/a`, text, { qos: 2 });
    client = await resume(clientId);
    const flags = { qos: 1, retain: false, dup: false };
    expect((await hear(client, 5)).map(shown)).toEqual(upTo(5).map((text) => [text, flags]));
    await expectNothingElse(client, `${topic}/a`);
  });
});

describe('a violation of the protocol closes the connection', () => {
  const password_ = (): string => fixture.passwords['suite']!;
  it.each<[string, (topic: string) => Parameters<RawClient['send']>[0]]>([
    ['a second CONNECT [MQTT-3.1.0-2]', () => connectPacket('suite', password_())],
    [
      'PUBLISH to a topic with a wildcard [MQTT-3.3.2-2]',
      // Written by hand: the generator refuses to make it.
      () => Buffer.concat([Buffer.from([0x30, 8, 0, 5]), Buffer.from('std/+'), Buffer.from('x')]),
    ],
    ['SUBSCRIBE with the wrong flags [MQTT-3.8.1-1]', () => Buffer.from('8006000100016100', 'hex')],
    ['SUBSCRIBE to nothing [MQTT-3.8.3-3]', () => Buffer.from('82020001', 'hex')],
    ['PUBLISH with QoS 3 [MQTT-3.3.1-4]', () => Buffer.from('3606000161000178', 'hex')],
  ])('%s', async (_name, packet) => {
    const topic = fresh();
    const client = await open(fresh());
    await subscribe(client, [topic, 1]);
    client.send(packet(topic));
    await client.closed;
    await expect(client.next('connack')).rejects.toThrow('closed instead of connack');
  });

  it('anything before CONNECT [MQTT-3.1.0-1]', async () => {
    const raw = await fixture.raw();
    raw.send({ cmd: 'pingreq' });
    await raw.closed;
  });
});

describe('keep-alive', () => {
  it('ends a connection that is silent for one and a half times as long, and none that is not [MQTT-3.1.2-24]', async () => {
    // Before the CONNECT: its answer may come late, and the broker counts from what it received.
    const since = performance.now();
    const silent = await open(fresh(), { keepalive: 1 });
    const lively = await open(fresh(), { keepalive: 1 });
    let pings = 0;
    while (!silent.socket.closed) {
      lively.send({ cmd: 'pingreq' });
      await lively.next('pingresp');
      pings++;
      // Not a wait for something to have happened: the client's own beat, within its keep-alive.
      await Promise.race([silent.closed, new Promise((resolve) => setTimeout(resolve, 250))]);
    }
    expect(performance.now() - since).toBeGreaterThanOrEqual(1_490);
    expect(pings).toBeGreaterThan(1);
    lively.send({ cmd: 'pingreq' });
    await lively.next('pingresp');
  });
});

describe('a will', () => {
  const willOf = (
    topic: string,
    { qos = 1, retain = false }: Flags = {},
  ): NonNullable<ConnectOptions['will']> => ({ topic, payload: Buffer.from('gone'), qos, retain });
  const witness = async (topic: string): Promise<RawClient> => {
    const client = await open(fresh());
    await subscribe(client, [topic, 2]);
    return client;
  };

  it.each([
    [0, false],
    [1, false],
    [2, false],
    [1, true],
  ] as const)('is published when the connection breaks: QoS %i, retained %s', async (qos, retain) => {
    const topic = fresh();
    const standing = await witness(topic);
    const client = await open(fresh(), { will: willOf(topic, { qos, retain }) });
    client.socket.destroy();
    expect((await hear(standing)).map(shown)).toEqual([['gone', { qos, retain: false, dup: false }]]);
    // Who comes later sees it when it is retained [MQTT-3.1.2-17], and not when it is not [MQTT-3.1.2-16].
    const late = await witness(topic);
    if (retain) expect((await hear(late)).map(shown)).toEqual([['gone', { qos, retain: true, dup: false }]]);
    await expectNothingElse(late, topic);
  });

  it('waits for a subscriber that sleeps', async () => {
    const [topic, sleeper] = [fresh(), fresh()];
    const before = await open(sleeper, { clean: false });
    await subscribe(before, [topic, 1]);
    await leave(before);
    const standing = await witness(topic);
    const client = await open(fresh(), { will: willOf(topic) });
    client.socket.destroy();
    expect(textsOf(await hear(standing))).toEqual(['gone']);
    expect(textsOf(await hear(await open(sleeper, { clean: false })))).toEqual(['gone']);
  });

  it.each<[string, (client: RawClient, clientId: string) => unknown]>([
    ['is silent', () => undefined],
    ['violates the protocol', (client) => client.send(Buffer.from('8006000100016100', 'hex'))],
    ['is taken over', (_client, clientId) => open(clientId)],
    ['writes where it may not', (client) => say(client, 'elsewhere', 'x')],
  ])('is published when the client %s', async (_name, act) => {
    const [topic, clientId] = [fresh(), fresh()];
    const standing = await witness(topic);
    const client = await open(clientId, { keepalive: 1, will: willOf(topic) });
    await act(client, clientId);
    expect(textsOf(await hear(standing))).toEqual(['gone']);
    await client.closed;
    await expectNothingElse(standing, topic);
  });

  it('is discarded by DISCONNECT, also for later connections [MQTT-3.14.4-3]', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    const standing = await witness(topic);
    await leave(await open(clientId, { will: willOf(topic, { retain: true }) }));
    const next = await open(clientId);
    next.socket.destroy();
    await next.closed;
    await expectNothingElse(standing, topic);
    await expectNothingElse(await witness(topic), topic);
  });
});
