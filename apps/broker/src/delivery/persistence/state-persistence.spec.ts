import { LmdbStateStore } from '#libs/engine-lmdb';
import { temporaryFolder } from '#libs/testing';
// Not the strict variant: Jest's realm has prototypes of its own.
import assert from 'node:assert';
import { createRequire } from 'node:module';
import {
  StatePersistence,
  type PersistenceBounds,
  type StoredPacket,
  type StoredSubscription,
} from './state-persistence.js';

const require = createRequire(import.meta.url);
/** The suite that Aedes ships for persistences; it is written for node:test. */
const abstractSuite = require('aedes-persistence/abstract.js') as (options: object) => void;

const clock = { now: Date.now };
const much = { perPrincipal: 1e9, total: 1e9 };
const BOUNDS: PersistenceBounds = {
  sessions: much,
  queuedBytes: { ...much, perClient: 1e9 },
  retainedMessages: much,
  retainedBytes: much,
  subscriptionBytes: much,
  inboundQos2: much,
  willBytes: much,
};

describe('the abstract suite of aedes-persistence', () => {
  const folders: Disposable[] = [];
  const stores: LmdbStateStore[] = [];
  afterAll(async () => {
    for (const store of stores) await store.close();
    for (const folder of folders) folder[Symbol.dispose]();
  });
  abstractSuite({
    testAsync: true,
    test: (name: string, run: (t: object) => Promise<void>) => {
      it(name, () => run({ assert, diagnostic: () => undefined, plan: () => undefined }));
    },
    persistence: () => {
      const folder = temporaryFolder('persistence');
      const state = LmdbStateStore.open(folder.path);
      folders.push(folder);
      stores.push(state);
      return new StatePersistence({ state, clock, maxQueuedMessages: 1_000, bounds: BOUNDS });
    },
  });
});

const packet = (text: string, more: Partial<StoredPacket> = {}): StoredPacket => ({
  cmd: 'publish',
  brokerId: 'first-run',
  brokerCounter: 1,
  topic: 'a/b',
  payload: Buffer.from(text),
  qos: 1,
  retain: false,
  dup: false,
  ...more,
});

/** Runs one life of a broker after another on the same data. */
async function lives(...steps: ((persistence: StatePersistence) => Promise<void>)[]): Promise<void> {
  using folder = temporaryFolder('persistence');
  for (const [i, step] of steps.entries()) {
    const state = LmdbStateStore.open(folder.path);
    const persistence = new StatePersistence({
      state,
      clock: { now: () => (i + 1) * 1_000 },
      maxQueuedMessages: 3,
      bounds: BOUNDS,
      mayKeep: (_client, filter) => !filter.startsWith('secret'),
    });
    await persistence.setup({ id: `run-${i}` });
    await step(persistence);
    await state.close();
  }
}

const stream = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
};
const subscription = (topic: string, qos: 0 | 1 | 2 = 1): StoredSubscription => ({ topic, qos });

describe('StatePersistence', () => {
  it('brings subscriptions, retained and queued messages and QoS 2 identifiers over a restart, in order', () =>
    lives(
      async (persistence) => {
        await persistence.addSubscriptions({ id: 'c' }, [subscription('a/+', 1), subscription('q0', 0)]);
        await persistence.storeRetained(packet('kept', { topic: 'r/1', retain: true }));
        await persistence.storeRetained(packet('x'.repeat(10), { topic: 'r/'.repeat(400), retain: true }));
        await persistence.outgoingEnqueueCombi([{ clientId: 'c' }], packet('1'));
        await persistence.outgoingEnqueueCombi([{ clientId: 'c' }], packet('2', { brokerCounter: 2 }));
        await persistence.outgoingUpdate({ id: 'c' }, packet('1', { messageId: 7 }));
        await persistence.incomingStorePacket({ id: 'c' }, packet('q2', { qos: 2, messageId: 9 }));
      },
      async (persistence) => {
        expect(await persistence.subscriptionsByClient({ id: 'c' })).toEqual([
          { topic: 'a/+', qos: 1 },
          { topic: 'q0', qos: 0 },
        ]);
        expect(await persistence.subscriptionsByTopic('a/x')).toEqual([
          expect.objectContaining({ clientId: 'c', topic: 'a/+', qos: 1 }),
        ]);
        const retained = await stream<StoredPacket>(persistence.createRetainedStream('r/#'));
        expect(retained.map(({ payload }) => payload?.toString())).toEqual(
          expect.arrayContaining(['kept', 'x'.repeat(10)]),
        );
        const queue = await stream<StoredPacket>(persistence.outgoingStream({ id: 'c' }));
        expect(queue.map(({ payload, messageId }) => [payload?.toString(), messageId])).toEqual([
          ['1', 7],
          ['2', undefined],
        ]);
        await expect(persistence.incomingGetPacket({ id: 'c' }, { messageId: 9 })).resolves.toBeDefined();
        await persistence.outgoingClearMessageId({ id: 'c' }, { messageId: 7 });
        await persistence.incomingDelPacket({ id: 'c' }, { messageId: 9 });
        await persistence.storeRetained(packet('', { topic: 'r/1', retain: true }));
        await persistence.outgoingEnqueueCombi([{ clientId: 'c' }], packet('3', { brokerCounter: 1 }));
      },
      async (persistence) => {
        const queue = await stream<StoredPacket>(persistence.outgoingStream({ id: 'c' }));
        expect(queue.map(({ payload }) => payload?.toString())).toEqual(['2', '3']);
        await expect(persistence.incomingGetPacket({ id: 'c' }, { messageId: 9 })).rejects.toThrow();
        expect(await stream(persistence.createRetainedStream('#'))).toHaveLength(1);
      },
    ));

  it('reads what earlier versions stored: each queue with copies, retained messages without an owner', async () => {
    using folder = temporaryFolder('persistence');
    const state = LmdbStateStore.open(folder.path);
    const stored = { cmd: 'publish', topic: 'a/b', qos: 1, retain: false, dup: false, brokerId: 'old' };
    const of = (text: string): object => ({ ...stored, payload: Buffer.from(text) });
    await state.write([
      {
        namespace: 'mqtt/outgoing',
        key: 'c/0000000000000001',
        value: { client: 'c', packet: { ...of('1'), messageId: 9 } },
      },
      {
        namespace: 'mqtt/outgoing',
        key: 'c/0000000000000002',
        value: { client: 'c', packet: { cmd: 'pubrel', messageId: 8 } },
      },
      { namespace: 'mqtt/outgoing', key: 'c/0000000000000003', value: { client: 'c', packet: of('3') } },
      { namespace: 'mqtt/incoming', key: 'c/5', value: { client: 'c', packet: { ...of(''), messageId: 5 } } },
      { namespace: 'mqtt/retained', key: 'r', value: { ...of('r'), topic: 'r' } },
    ]);
    // Twice: what the first start wrote in its own form, the second one reads.
    for (let start = 0; start < 2; start++) {
      const persistence = new StatePersistence({ state, clock, maxQueuedMessages: 10, bounds: BOUNDS });
      await persistence.setup({ id: `run-${start}` });
      const queue = await stream<StoredPacket>(persistence.outgoingStream({ id: 'c' }));
      expect(queue.map(({ cmd, payload, messageId }) => [cmd, payload?.toString(), messageId])).toEqual([
        ['publish', '1', 9],
        ['pubrel', undefined, 8],
        ['publish', '3', undefined],
      ]);
      await expect(persistence.incomingGetPacket({ id: 'c' }, { messageId: 5 })).resolves.toBeDefined();
      const [retained] = await stream<StoredPacket>(persistence.createRetainedStream('#'));
      expect(retained?.payload?.toString()).toBe('r');
    }
    await state.close();
  });

  it('remembers over a restart that a PUBREL is owed', () =>
    lives(
      async (persistence) => {
        await persistence.outgoingEnqueueCombi([{ clientId: 'c' }], packet('1', { qos: 2 }));
        await persistence.outgoingUpdate({ id: 'c' }, packet('1', { qos: 2, messageId: 5 }));
        await persistence.outgoingUpdate({ id: 'c' }, { cmd: 'pubrel', messageId: 5 } as StoredPacket);
      },
      async (persistence) => {
        const [owed] = await stream<StoredPacket>(persistence.outgoingStream({ id: 'c' }));
        expect(owed).toMatchObject({ cmd: 'pubrel', messageId: 5 });
      },
    ));

  it('bounds the queue of a session that is away: the oldest message goes, but none that is on its way', () =>
    lives(async (persistence) => {
      for (const text of ['1', '2', '3']) {
        await persistence.outgoingEnqueueCombi(
          [{ clientId: 'c' }],
          packet(text, { brokerCounter: Number(text) }),
        );
      }
      await persistence.outgoingUpdate({ id: 'c' }, packet('1', { brokerCounter: 1, messageId: 1 }));
      await persistence.outgoingEnqueueCombi([{ clientId: 'c' }], packet('4', { brokerCounter: 4 }));
      const queue = await stream<StoredPacket>(persistence.outgoingStream({ id: 'c' }));
      expect(queue.map(({ payload }) => payload?.toString())).toEqual(['1', '3', '4']);
    }));

  it('does not keep a subscription that was denied, so nothing is queued for it', () =>
    lives(async (persistence) => {
      await persistence.addSubscriptions({ id: 'c' }, [subscription('secret/#'), subscription('own/#')]);
      expect(await persistence.subscriptionsByTopic('secret/x')).toEqual([]);
      expect(await persistence.subscriptionsByTopic('own/x')).toHaveLength(1);
    }));

  it('forgets sessions that have been away for too long, with their queues', () =>
    lives(
      async (persistence) => {
        await persistence.addSubscriptions({ id: 'old' }, [subscription('a/#')]);
        await persistence.outgoingEnqueueCombi([{ clientId: 'old' }], packet('1'));
      },
      async (persistence) => {
        await persistence.addSubscriptions({ id: 'new' }, [subscription('a/#')]);
        expect(await persistence.forgetSessions(2_000, () => false)).toBe(1);
        expect(await persistence.subscriptionsByTopic('a/b')).toHaveLength(1);
      },
      async (persistence) => {
        expect(await persistence.subscriptionsByClient({ id: 'old' })).toEqual([]);
        expect(await stream(persistence.outgoingStream({ id: 'old' }))).toEqual([]);
        expect(await persistence.subscriptionsByClient({ id: 'new' })).toHaveLength(1);
      },
    ));
});
