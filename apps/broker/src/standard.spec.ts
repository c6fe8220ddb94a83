import { describeWith, PYTHON, startProcess, waitUntil, type Service } from '#libs/testing';
import mqtt, { type IClientOptions } from 'mqtt';
import type { IPublishPacket } from 'mqtt-packet';
import { once } from 'node:events';
import {
  connectPacket,
  event,
  openBroker,
  type BrokerFixture,
  type ConnectOptions,
  type RawClient,
} from './broker.fixture.js';

// Names in brackets are those of the statements of MQTT 3.1.1 (OASIS Standard, 29 October 2014).

type Qos = 0 | 1 | 2;

interface Flags {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly dup?: boolean;
}

let fixture: BrokerFixture;
let names = 0;
/** A name for clients and topics that no other test has. */
const fresh = (): string => `std/${++names}`;

/** A connection of the service account, packet by packet. */
async function open(clientId: string, options: ConnectOptions = {}, at = fixture): Promise<RawClient> {
  const raw = await at.raw();
  await raw.connect(clientId, at.passwords['suite']!, { username: 'suite', ...options });
  return raw;
}

/** Connects to a kept session. @returns whether the broker says that it is there */
async function resume(clientId: string, at = fixture): Promise<RawClient & { sessionPresent: boolean }> {
  const raw = await at.raw();
  const options = { username: 'suite', clean: false };
  const { sessionPresent } = await raw.connect(clientId, at.passwords['suite']!, options);
  return Object.assign(raw, { sessionPresent });
}

let messageId = 0;
const nextId = (): number => (messageId = (messageId % 65_535) + 1);

async function subscribe(raw: RawClient, ...filters: readonly (readonly [string, Qos])[]): Promise<unknown> {
  const subscriptions = filters.map(([topic, qos]) => ({ topic, qos }));
  raw.send({ cmd: 'subscribe', messageId: nextId(), subscriptions });
  return (await raw.next('suback')).granted;
}

/** Sends a PUBLISH and waits for nothing. */
function say(raw: RawClient, topic: string, payload: string | number, flags: Flags = {}): void {
  const { qos = 1, retain = false, dup = false } = flags;
  const identified = qos === 0 ? {} : { messageId: nextId() };
  raw.send({ cmd: 'publish', topic, payload: String(payload), qos, retain, dup, ...identified });
}

/**
 * Publishes, completes the handshake, and waits until the message was routed: a PUBACK tells that it is safe, not that
 * everybody has it.
 */
async function publish(topic: string, payload: string, flags: Flags = {}): Promise<void> {
  const isRouted = await routed(topic, payload);
  const raw = await open(fresh());
  say(raw, topic, payload, flags);
  if (flags.qos === 2) {
    await raw.next('pubrec');
    raw.send({ cmd: 'pubrel', messageId });
    await raw.next('pubcomp');
  } else if (flags.qos !== 0) await raw.next('puback');
  await leave(raw);
  await isRouted();
}

/** @returns waits until somebody who subscribed has received the message, however it is published meanwhile */
async function routed(topic: string, payload: string): Promise<() => Promise<void>> {
  const witness = await open(fresh());
  await subscribe(witness, [topic, 0]);
  return async () => {
    let heard: IPublishPacket;
    do heard = await witness.next('publish');
    while (heard.retain || heard.payload.toString() !== payload);
    await leave(witness);
  };
}

async function acknowledge(raw: RawClient, { qos, messageId: id }: IPublishPacket): Promise<void> {
  if (qos === 1) raw.send({ cmd: 'puback', messageId: id! });
  if (qos !== 2) return;
  raw.send({ cmd: 'pubrec', messageId: id! });
  expect(await raw.next('pubrel')).toMatchObject({ messageId: id });
  raw.send({ cmd: 'pubcomp', messageId: id! });
}

/** The next messages, each acknowledged. */
async function hear(raw: RawClient, count = 1): Promise<IPublishPacket[]> {
  const heard: IPublishPacket[] = [];
  while (heard.length < count) {
    const packet = await raw.next('publish');
    await acknowledge(raw, packet);
    heard.push(packet);
  }
  return heard;
}

const shown = ({ payload, qos, retain, dup }: IPublishPacket): [string, Required<Flags>] => [
  payload.toString(),
  { qos, retain, dup },
];
const textsOf = (packets: readonly IPublishPacket[]): string[] =>
  packets.map(({ payload }) => payload.toString());
const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

async function leave(raw: RawClient): Promise<void> {
  raw.send({ cmd: 'disconnect' });
  await raw.closed;
}

/** Nothing more was on its way: what is said now is what comes next. */
async function expectNothingElse(raw: RawClient, topic: string): Promise<void> {
  await publish(topic, 'end', { qos: 1 });
  expect(textsOf(await hear(raw))).toEqual(['end']);
}

beforeAll(async () => {
  fixture = await openBroker();
  await fixture.account('suite', ['std/#', '/std/#'], ['std/#', '/std/#', '+/+/+/#', '$SYS/#', '#']);
  await fixture.account('narrow', ['std/#'], ['std/#']);
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** A client of another maker, driven through what it prints. */
interface Driver {
  /** Publishes one message and returns when its handshake is complete. */
  publish(message: Message): Promise<void>;
  /** Subscribes and returns when SUBACK is here. */
  subscribe(clientId: string, filters: readonly string[], qos: Qos, clean: boolean): Promise<Subscriber>;
}
interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
}
const said = (topic: string, payload: string, qos: Qos = 1, retain = false): Message => ({
  topic,
  payload,
  qos,
  retain,
});
interface Subscriber {
  readonly granted: readonly number[];
  messages(): readonly Message[];
  /** Ends with DISCONNECT. */
  leave(): Promise<void>;
}

const login = (): string[] => ['-h', '127.0.0.1', '-p', String(fixture.broker.port()), '-V', 'mqttv311'];
const password = (): string => fixture.passwords['narrow']!;
const flag = (name: string, isOn: boolean): string[] => (isOn ? [name] : []);

/** The command-line clients of Eclipse Mosquitto, in C. */
const mosquitto: Driver = {
  async publish({ topic, payload, qos, retain }) {
    const account = ['-u', 'narrow', '-P', password(), '-i', fresh()];
    const text = payload === '' ? ['-n'] : ['-m', payload];
    const args = [...login(), ...account, '-t', topic, '-q', String(qos), ...flag('-r', retain), ...text];
    await using client = startProcess('mosquitto_pub', args);
    await once(client.process, 'exit');
    expect(client.output()).toBe('');
  },
  async subscribe(clientId, filters, qos, clean) {
    const account = ['-u', 'narrow', '-P', password(), '-i', clientId, ...flag('-c', !clean)];
    const wanted = [
      ...filters.flatMap((filter) => ['-t', filter]),
      '-q',
      String(qos),
      '-d',
      '-F',
      'message %j',
    ];
    // Its own lines are buffered otherwise.
    const args = ['-oL', 'mosquitto_sub', ...login(), ...account, ...wanted];
    const client = startProcess('stdbuf', args);
    const [, granted = ''] = await waitUntil(
      'mosquitto_sub has its SUBACK',
      () => /^Subscribed \(mid: \d+\): ([\d, ]+)$/m.exec(client.output()) ?? undefined,
    );
    return {
      granted: granted.split(', ').map(Number),
      messages: () =>
        Array.from(client.output().matchAll(/^message (.*)$/gm), ([, line = '']) => {
          // Its JSON has null for an empty payload, and a number for the flag.
          type Printed = Pick<Message, 'topic' | 'qos'> & { payload: string | null; retain: number };
          const message = JSON.parse(line) as Printed;
          return said(message.topic, message.payload ?? '', message.qos, message.retain === 1);
        }),
      leave: () => client.stop('SIGINT'),
    };
  },
};

const PAHO = `
import json, signal, sys
import paho.mqtt.client as mqtt
a = json.loads(sys.argv[1])
version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, 'CallbackAPIVersion') else []
client = mqtt.Client(*version, client_id=a['id'], clean_session=a['clean'], protocol=mqtt.MQTTv311)
client.username_pw_set('narrow', a['password'])
tell = lambda **what: print(json.dumps(what), flush=True)
def connected(client, data, flags, code):
    if 'message' in a:
        m = a['message']
        client.publish(m['topic'], m['payload'], m['qos'], m['retain'])
    else:
        client.subscribe([(f, a['qos']) for f in a['filters']])
client.on_connect = connected
client.on_publish = lambda client, data, mid: client.disconnect()
client.on_subscribe = lambda client, data, mid, granted: tell(granted=list(granted))
client.on_message = lambda client, data, m: tell(
    topic=m.topic, payload=m.payload.decode(), qos=m.qos, retain=bool(m.retain))
signal.signal(signal.SIGINT, lambda *_: client.disconnect())
client.connect('127.0.0.1', a['port'])
client.loop_forever()
`;

/** Eclipse Paho, in Python. */
const paho: Driver = {
  async publish(message) {
    await using client = startPaho({ id: fresh(), clean: true, message });
    await once(client.process, 'exit');
    expect(client.output()).toBe('');
  },
  async subscribe(id, filters, qos, clean) {
    const client = startPaho({ id, filters, qos, clean });
    type Line = Message & { readonly granted?: number[] };
    const lines = (): Line[] =>
      client
        .output()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
    const granted = await waitUntil(
      'paho has its SUBACK',
      () => lines().find((line) => line.granted)?.granted,
    );
    return {
      granted,
      messages: () => lines().filter((line) => line.granted === undefined),
      leave: () => client.stop('SIGINT'),
    };
  },
};
const startPaho = (options: object): ReturnType<typeof startProcess> =>
  startProcess(PYTHON, [
    '-c',
    PAHO,
    JSON.stringify({ port: fixture.broker.port(), password: password(), ...options }),
  ]);

/** MQTT.js, in JavaScript. */
const mqttJs: Driver = {
  async publish({ topic, payload, qos, retain }) {
    const client = await fixture.connect(fresh(), { username: 'narrow', password: password() });
    await client.publishAsync(topic, payload, { qos, retain });
    await client.endAsync();
  },
  async subscribe(clientId, filters, qos, clean) {
    const account = { clientId, clean, username: 'narrow', password: password(), reconnectPeriod: 0 };
    const options: IClientOptions = { host: '127.0.0.1', port: fixture.broker.port(), ...account };
    const client = mqtt.connect(options);
    const heard: Message[] = [];
    client.on('message', (topic, payload, packet) =>
      heard.push({ topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain }),
    );
    await event(client, 'connect');
    const granted = await new Promise<number[]>((resolve) => {
      // Its callback reports a code of failure as an error; the packet has them all.
      client.subscribe([...filters], { qos }, (_error, _granted, suback) =>
        resolve((suback?.granted ?? []) as number[]),
      );
    });
    return { granted, messages: () => heard, leave: () => client.endAsync() };
  },
};

const DRIVERS: readonly (readonly [string, Driver, readonly Service[]])[] = [
  ['mosquitto_pub and mosquitto_sub (C)', mosquitto, ['mosquitto_pub']],
  ['paho-mqtt (Python)', paho, ['paho-mqtt']],
  ['MQTT.js (JavaScript)', mqttJs, []],
];

for (const [name, driver, needs] of DRIVERS)
  describeWith(needs, `seen by ${name}`, () => {
    /** Publishes and waits until it was routed. */
    const send = async (message: Message): Promise<void> => {
      const isRouted = await routed(message.topic, message.payload);
      await driver.publish(message);
      await isRouted();
    };
    const heard = (subscriber: Subscriber, count: number): Promise<readonly Message[]> =>
      waitUntil(`${count} messages are there`, () =>
        subscriber.messages().length >= count ? subscriber.messages() : undefined,
      );

    it('retains the last message of a topic until an empty one takes it away', async () => {
      const topic = fresh();
      await send(said(topic, 'one', 1, true));
      const standing = await driver.subscribe(fresh(), [topic], 1, true);
      await heard(standing, 1);
      await send(said(topic, 'two', 1, true));
      await heard(standing, 2);
      const late = await driver.subscribe(fresh(), [topic], 1, true);
      expect(await heard(late, 1)).toEqual([said(topic, 'two', 1, true)]);
      await late.leave();
      await send(said(topic, '', 1, true));
      const latest = await driver.subscribe(fresh(), [topic], 1, true);
      await send(said(topic, 'live'));
      expect(await heard(latest, 1)).toEqual([said(topic, 'live')]);
      // The flag says that a message is old, not how it was published [MQTT-3.3.1-8, MQTT-3.3.1-9].
      expect(await heard(standing, 4)).toEqual([
        said(topic, 'one', 1, true),
        said(topic, 'two'),
        said(topic, ''),
        said(topic, 'live'),
      ]);
      await Promise.all([latest.leave(), standing.leave()]);
    });

    it.each([0, 1, 2] as const)('grants QoS %i and sends nothing above it', async (qos) => {
      const topic = fresh();
      const subscriber = await driver.subscribe(fresh(), [`${topic}/a`, `${topic}/+`], qos, true);
      expect(subscriber.granted).toEqual([qos, qos]);
      for (const published of [0, 1, 2] as const)
        await send(said(`${topic}/a`, `at ${published}`, published));
      expect(await heard(subscriber, 3)).toEqual(
        ([0, 1, 2] as const).map((published) =>
          said(`${topic}/a`, `at ${published}`, Math.min(published, qos) as Qos),
        ),
      );
      await subscriber.leave();
    });

    it.each([1, 2] as const)('keeps QoS %i for a client that is away', async (qos) => {
      const [topic, clientId] = [fresh(), fresh()];
      await (await driver.subscribe(clientId, [topic], qos, false)).leave();
      for (const payload of upTo(3)) await send(said(topic, payload, qos));
      const back = await driver.subscribe(clientId, [topic], qos, false);
      expect(await heard(back, 3)).toEqual(upTo(3).map((payload) => said(topic, payload, qos)));
      await back.leave();
      // A clean session ends the kept one [MQTT-3.1.2-6].
      await send(said(topic, 'lost', qos));
      const clean = await driver.subscribe(clientId, [topic], qos, true);
      await send(said(topic, 'live', qos));
      expect(await heard(clean, 1)).toEqual([said(topic, 'live', qos)]);
      await clean.leave();
    });

    it('denies one filter of a SUBSCRIBE and grants the others', async () => {
      const topic = fresh();
      const subscriber = await driver.subscribe(fresh(), ['pantau/#', topic, '#'], 1, true);
      expect(subscriber.granted).toEqual([0x80, 1, 0x80]);
      await send(said(topic, 'granted'));
      expect(await heard(subscriber, 1)).toEqual([said(topic, 'granted')]);
      await subscriber.leave();
    });
  });

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

describe('delivery', () => {
  it('is repeated with DUP and the same identifier on return, until it is acknowledged [MQTT-4.4.0-1, MQTT-3.3.1-1]', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    let client = await resume(clientId);
    await subscribe(client, [topic, 2]);
    for (const qos of [1, 2] as const) await publish(topic, String(qos), { qos });
    const first = [await client.next('publish'), await client.next('publish')];
    expect(first.map(({ dup }) => dup)).toEqual([false, false]);
    client.socket.destroy();
    await publish(topic, 'while away');
    client = await resume(clientId);
    const again = [await client.next('publish'), await client.next('publish')];
    expect(again.map(({ messageId: id, dup }) => [id, dup])).toEqual(
      first.map(({ messageId: id }) => [id, true]),
    );
    // What was not sent before comes after it and is no repetition.
    const third = await client.next('publish');
    expect(shown(third)).toEqual(['while away', { qos: 1, retain: false, dup: false }]);
    client.send({ cmd: 'puback', messageId: third.messageId! });
    await acknowledge(client, again[0]!);
    // From PUBREC on it is the PUBREL that is owed [MQTT-4.3.3-1].
    client.send({ cmd: 'pubrec', messageId: again[1]!.messageId! });
    await client.next('pubrel');
    client.socket.destroy();
    client = await resume(clientId);
    expect(await client.next('pubrel')).toMatchObject({ messageId: again[1]!.messageId });
    client.send({ cmd: 'pubcomp', messageId: again[1]!.messageId! });
    await expectNothingElse(client, topic);
    await leave(client);
    client = await resume(clientId);
    await expectNothingElse(client, topic);
  });

  it('of a retained message is repeated like any other', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    await publish(topic, 'retained', { retain: true });
    let client = await resume(clientId);
    await subscribe(client, [topic, 1]);
    const { messageId: id } = await client.next('publish');
    client.socket.destroy();
    client = await resume(clientId);
    const again = await client.next('publish');
    expect(again.messageId).toBe(id);
    expect(shown(again)).toEqual(['retained', { qos: 1, retain: true, dup: true }]);
    await acknowledge(client, again);
    await leave(client);
    client = await resume(clientId);
    await expectNothingElse(client, topic);
  });

  it('has the flags of the subscriber, not those of the publisher [MQTT-3.3.1-3, MQTT-3.3.1-9]', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    const online = await open(fresh());
    await subscribe(online, [topic, 1]);
    const away = await resume(clientId);
    await subscribe(away, [topic, 1]);
    await leave(away);
    await publish(topic, 'x', { dup: true, retain: true });
    const plain = [['x', { qos: 1, retain: false, dup: false }]];
    expect((await hear(online)).map(shown)).toEqual(plain);
    expect((await hear(await resume(clientId))).map(shown)).toEqual(plain);
  });

  it('loses nothing where a message overtakes another on the way to the disk', async () => {
    const topic = fresh();
    const client = await open(fresh());
    await subscribe(client, [topic, 1]);
    const writer = await open(fresh());
    const mixture = upTo(60).map((text, i) => [text, { qos: (i % 2) as Qos, retain: i % 3 === 0 }] as const);
    for (const [text, flags] of mixture) say(writer, topic, text, flags);
    const heard = textsOf(await hear(client, mixture.length));
    expect(heard.map(Number).sort((a, b) => a - b)).toEqual(upTo(60).map(Number));
  });

  it.each([
    ['clean session', true, false],
    ['kept session', false, false],
    ['clean session, retained', true, true],
    ['kept session, retained', false, true],
  ])('keeps the order of a topic: %s [MQTT-4.6.0-6]', async (_name, clean, retain) => {
    const topic = fresh();
    const client = await open(fresh(), { clean });
    await subscribe(client, [topic, 1]);
    const writer = await open(fresh());
    for (const text of upTo(200)) say(writer, topic, text, { retain });
    expect(textsOf(await hear(client, 200))).toEqual(upTo(200));
  });

  it('keeps the order and loses nothing over returns amid a burst, and CONNACK comes first [MQTT-3.2.0-1]', async () => {
    const [topic, clientId] = [fresh(), fresh()];
    let client = await resume(clientId);
    await subscribe(client, [topic, 1]);
    const writer = await open(fresh());
    const heard: string[] = [];
    const turns = 10;
    for (let turn = 0; turn < turns; turn++) {
      for (let i = 0; i < 60; i++) say(writer, topic, turn * 60 + i);
      heard.push(...textsOf(await hear(client, 20)));
      if (turn % 2 === 0) client.socket.destroy();
      else client.send({ cmd: 'disconnect' });
      // Fails when anything but CONNACK comes first.
      client = await resume(clientId);
    }
    while (heard.at(-1) !== String(turns * 60 - 1)) heard.push(...textsOf(await hear(client)));
    // Repetitions are of what was not acknowledged in time; the rest is whole and in order.
    expect(Array.from(new Set(heard))).toEqual(upTo(turns * 60));
    await expectNothingElse(client, topic);
  });

  it('of a QoS 2 message that is published again before its PUBREL happens once [MQTT-4.3.3-2]', async () => {
    const topic = fresh();
    const client = await open(fresh());
    await subscribe(client, [topic, 2]);
    const writer = await open(fresh());
    const packet = { cmd: 'publish', topic, payload: 'once', qos: 2, messageId: 9, retain: false } as const;
    for (const dup of [false, true]) {
      writer.send({ ...packet, dup });
      await writer.next('pubrec');
    }
    writer.send({ cmd: 'pubrel', messageId: 9 });
    await writer.next('pubcomp');
    expect(textsOf(await hear(client))).toEqual(['once']);
    await expectNothingElse(client, topic);
  });

  it('to one that does not read delays nobody', async () => {
    const topic = fresh();
    const [frozen, other, writer] = [await open(fresh()), await open(fresh()), await open(fresh())];
    for (const client of [frozen, other]) await subscribe(client, [topic, 1]);
    frozen.socket.pause();
    const payload = 'x'.repeat(5_000);
    for (let i = 0; i < 100; i++) {
      say(writer, topic, payload);
      await writer.next('puback');
      expect(textsOf(await hear(other))).toEqual([payload]);
    }
    frozen.socket.resume();
    expect(await hear(frozen, 100)).toHaveLength(100);
  });
});

describe('a kept session that is online in a burst beyond queuedMessagesPerClient', () => {
  it.each([1, 2] as const)('gets everything at QoS %i, and is not disconnected', async (qos) => {
    await using small = await openBroker({ limits: { queuedMessagesPerClient: 10 } });
    await small.account('suite', ['std/#'], ['std/#']);
    const [topic, clientId] = [fresh(), fresh()];
    let client = await resume(clientId, small);
    await subscribe(client, [topic, qos]);
    const writer = await open(fresh(), {}, small);
    for (const text of upTo(100)) say(writer, topic, text, { qos });
    // Nothing is acknowledged before all of it is here.
    const burst: IPublishPacket[] = [];
    while (burst.length < 100) burst.push(await client.next('publish'));
    expect(textsOf(burst)).toEqual(upTo(100));
    for (const packet of burst) await acknowledge(client, packet);
    await leave(client);
    client = await resume(clientId, small);
    say(writer, topic, 'end', { qos });
    expect(textsOf(await hear(client))).toEqual(['end']);
  });
});

describe('topics', () => {
  it('that begin with $ match no filter that begins with a wildcard [MQTT-4.7.2-1]', async () => {
    const named = await open(fresh());
    await subscribe(named, ['$SYS/#', 1]);
    expect(await named.next('publish')).toMatchObject({
      topic: expect.stringMatching(/^\$SYS\//),
    });
    const client = await open(fresh());
    const filters = ['#', '+/+/+/#', '+/broker/uptime'] as const;
    expect(await subscribe(client, ...filters.map((filter) => [filter, 0] as const))).toEqual([0, 0, 0]);
    const topic = fresh();
    await publish(topic, 'live');
    let heard: IPublishPacket;
    do {
      heard = await client.next('publish');
      expect(heard.topic).not.toMatch(/^\$/);
    } while (heard.topic !== topic);
  });

  it.each([
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+', 'a/b/c', false],
    ['+/b', 'a/b', true],
    ['A', 'a', false],
  ])('%s matches %s: %s', async (filter, name, matches) => {
    const root = fresh();
    const client = await open(fresh());
    await subscribe(client, [`${root}/${filter}`, 1], [`${root}-end`, 1]);
    await publish(`${root}/${name}`, 'match');
    await publish(`${root}-end`, 'end');
    expect(textsOf(await hear(client, matches ? 2 : 1))).toEqual(matches ? ['match', 'end'] : ['end']);
  });

  it('with a leading slash are others than without [MQTT-4.7.3-4]', async () => {
    const topic = fresh();
    const client = await open(fresh());
    await subscribe(client, [`/${topic}`, 1]);
    await publish(topic, 'other');
    await expectNothingElse(client, `/${topic}`);
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
    const silent = await open(fresh(), { keepalive: 1 });
    const since = performance.now();
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
