import type { DiskUsage } from '#libs/engine-lmdb';
import type { StateStore } from '#libs/state';
import { namespaceOf, waitUntil } from '#libs/testing';
import { openBroker, type BrokerFixture, type RawClient } from '../broker.fixture.js';
import type { StoredPacket } from './persistence/stored-packet.js';

type Qos = 0 | 1 | 2;

/** A connection of a service account. */
async function open(fixture: BrokerFixture, clientId: string, clean = true): Promise<RawClient> {
  const raw = await fixture.raw();
  await raw.connect(clientId, fixture.passwords['suite']!, { username: 'suite', clean });
  return raw;
}

async function subscribe(raw: RawClient, topic: string, qos: Qos): Promise<void> {
  raw.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
  await raw.next('suback');
}

async function publish(
  raw: RawClient,
  topic: string,
  payload: string,
  qos: Qos,
  retain = false,
): Promise<void> {
  raw.send({ cmd: 'publish', topic, payload, qos, retain, dup: false, messageId: 7 });
  if (qos === 1) await raw.next('puback');
  if (qos !== 2) return;
  await raw.next('pubrec');
  raw.send({ cmd: 'pubrel', messageId: 7 });
  await raw.next('pubcomp');
}

async function opened(): Promise<BrokerFixture> {
  const fixture = await openBroker();
  await fixture.account('suite', ['std/#'], ['std/#', 'pantau/v1/#']);
  return fixture;
}

describe('what is acknowledged', () => {
  it.each([1, 2] as const)('is read by whoever subscribes after it: retained at QoS %i', async (qos) => {
    await using fixture = await opened();
    const [writer, reader] = [await open(fixture, 'writer'), await open(fixture, 'reader')];
    for (let i = 0; i < 40; i++) {
      await publish(writer, 'std/r', String(i), qos, true);
      await subscribe(reader, 'std/r', 1);
      const { payload, messageId } = await reader.next('publish');
      expect(payload.toString()).toBe(String(i));
      reader.send({ cmd: 'puback', messageId: messageId! });
      reader.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['std/r'] });
      await reader.next('unsuback');
    }
  });

  it.each([1, 2] as const)('is on disk for the sessions that sleep, at QoS %i', async (qos) => {
    await using fixture = await opened();
    const sleeper = await open(fixture, 'sleeper', false);
    await subscribe(sleeper, 'std/#', 2);
    sleeper.send({ cmd: 'disconnect' });
    await sleeper.closed;
    const writer = await open(fixture, 'writer');
    for (let i = 0; i < 10; i++) {
      await publish(writer, 'std/q', String(i), qos);
      // What another process would find after a kill.
      expect(await fixture.state.list(namespaceOf('mqtt/outgoing'))).toHaveLength(i + 1);
      expect(await fixture.state.list(namespaceOf('mqtt/messages'))).toHaveLength(i + 1);
    }
    await fixture.restart();
    const again = await open(fixture, 'sleeper', false);
    for (let i = 0; i < 10; i++) {
      const packet = await again.next('publish');
      expect([packet.payload.toString(), packet.qos]).toEqual([String(i), qos]);
    }
  });

  it('is not, when it could not be written', async () => {
    await using fixture = await opened();
    const writer = await open(fixture, 'writer');
    const state: StateStore = fixture.state;
    const write = state.write.bind(state);
    state.write = () => Promise.reject(new Error('no space'));
    writer.send({
      cmd: 'publish',
      topic: 'std/r',
      payload: 'x',
      qos: 1,
      retain: true,
      dup: false,
      messageId: 7,
    });
    await expect(writer.next('puback')).rejects.toThrow('closed instead of puback');
    state.write = write;
    const again = await open(fixture, 'writer');
    await publish(again, 'std/r', 'y', 1, true);
    await subscribe(again, 'std/r', 0);
    expect((await again.next('publish')).payload.toString()).toBe('y');
  });

  it('is stored once, however many sessions keep it, and is gone when all have it', async () => {
    await using fixture = await opened();
    for (const id of ['a', 'b', 'c']) {
      const sleeper = await open(fixture, id, false);
      await subscribe(sleeper, 'std/#', 1);
      sleeper.send({ cmd: 'disconnect' });
      await sleeper.closed;
    }
    await publish(await open(fixture, 'writer'), 'std/q', 'x'.repeat(5_000), 1);
    expect(await fixture.state.list(namespaceOf('mqtt/messages'))).toHaveLength(1);
    expect(await fixture.state.list(namespaceOf('mqtt/outgoing'))).toHaveLength(3);
    for (const id of ['a', 'b', 'c']) {
      const reader = await open(fixture, id, false);
      const { messageId } = await reader.next('publish');
      reader.send({ cmd: 'puback', messageId: messageId! });
      reader.send({ cmd: 'pingreq' });
      await reader.next('pingresp');
      reader.send({ cmd: 'disconnect' });
      await reader.closed;
    }
    for (const namespace of ['mqtt/messages', 'mqtt/outgoing'])
      await waitUntil(
        `${namespace} is empty`,
        async () => (await fixture.state.list(namespaceOf(namespace))).length === 0,
      );
  });

  it('is not taken, and not acknowledged, while the disk is down to the reserve', async () => {
    let freeBytes = 1e9;
    const measureDisk = async (): Promise<DiskUsage> => ({ freeBytes, reusableBytes: 0, totalBytes: 1e9 });
    await using fixture = await openBroker({ space: { minFree: 1e6, measureDisk } });
    await fixture.account('suite', ['std/#'], ['std/#']);
    /** Whether a message on the topic is acknowledged; on a connection of its own, since a refusal closes it. */
    const isTaken = async (topic: string, retain: boolean): Promise<boolean> => {
      const raw = await open(fixture, 'writer');
      raw.send({ cmd: 'publish', topic, payload: 'x', qos: 1, retain, dup: false, messageId: 7 });
      const taken = await raw.next('puback').then(
        () => true,
        () => false,
      );
      raw.socket.destroy();
      await raw.closed;
      return taken;
    };
    expect(await isTaken('std/0', true)).toBe(true);
    freeBytes = 0;
    await waitUntil('it is noticed', async () => !(await isTaken('std/1', true)));
    expect(await isTaken('std/2', true)).toBe(false);
    // What nobody keeps needs no space.
    expect(await isTaken('std/3', false)).toBe(true);
    const retained = await fixture.state.list<StoredPacket>(namespaceOf('mqtt/retained'));
    expect(retained.map(({ value }) => value.topic)).toEqual(expect.arrayContaining(['std/0']));
    expect(retained.map(({ value }) => value.topic)).not.toContain('std/2');

    freeBytes = 1e9;
    await waitUntil('it goes on', () => isTaken('std/2', true));
  });
});

describe('what was being read from the disk for a connection that is gone', () => {
  it('is sent on the one that came after it, and acknowledged there', async () => {
    await using fixture = await opened();
    const sleeper = await open(fixture, 'sleeper', false);
    await subscribe(sleeper, 'std/#', 1);
    sleeper.send({ cmd: 'disconnect' });
    await sleeper.closed;
    const writer = await open(fixture, 'writer');
    for (let i = 0; i < 10; i++) await publish(writer, 'std/q', String(i), 1);

    // The disk answers the first connection when the second one has all.
    const read = fixture.state.getMany.bind(fixture.state);
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    let answer: () => void = () => undefined;
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    fixture.state.getMany = async (namespace, keys) => {
      if (namespace.name !== 'mqtt/messages') return read(namespace, keys);
      fixture.state.getMany = read;
      asked();
      await mayAnswer;
      return read(namespace, keys);
    };
    const first = await open(fixture, 'sleeper', false);
    await isAsked;
    first.socket.destroy();
    const second = await open(fixture, 'sleeper', false);
    const take = async (): Promise<string> => {
      const { payload, messageId } = await second.next('publish');
      second.send({ cmd: 'puback', messageId: messageId! });
      return payload.toString();
    };
    const heard = [await take()];
    answer();
    while (heard.length < 10) heard.push(await take());
    expect(heard).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
    await waitUntil(
      'nothing is kept any more',
      async () => (await fixture.state.list(namespaceOf('mqtt/outgoing'))).length === 0,
    );
  });
});
