import type { IPublishPacket } from 'mqtt-packet';
import { openBroker } from '../broker.fixture.js';
import {
  fresh,
  open,
  resume,
  subscribe,
  say,
  publish,
  acknowledge,
  hear,
  shown,
  textsOf,
  upTo,
  leave,
  expectNothingElse,
  useBroker,
  type Qos,
} from './standard.fixture.js';

// Names in brackets are those of the statements of MQTT 3.1.1 (OASIS Standard, 29 October 2014).

useBroker();
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
