import { decodeEntries, DirectBlocks } from '#libs/engine-lmdb';
import type { Journal, NewEntry } from '#libs/journal';
import { PantauError } from '#libs/kernel';
import { createLogger } from '#libs/platform';
import { waitUntil } from '#libs/testing';
import type { StoredForm } from '#libs/streams';
import { UPLINK_FORM, type Uplink } from '#libs/telemetry';
import { UplinkTemplate } from './uplink-template.js';
import { UplinkBatcher, type UplinkBatcherOptions } from './uplink-batcher.js';

const PAYLOAD_BYTES = 1_000;
/** Payload (twice), topic and what a message costs beside them, roughly. */
const MESSAGE_BYTES = 2 * PAYLOAD_BYTES + 2_100;

function uplink(n: number, change: Partial<Uplink> = {}): Uplink {
  return {
    site: 'betung',
    device: 'udara-01',
    kind: 'telemetry',
    topic: 'pantau/v1/betung/udara-01/telemetry',
    payload: new Uint8Array(PAYLOAD_BYTES),
    receivedAt: n,
    qos: 1,
    messageId: n,
    dup: false,
    session: 's',
    will: false,
    ...change,
  };
}

/** A batcher on a journal that is full when the test says so. */
function open(
  options: UplinkBatcherOptions = {},
  isDirect = true,
): AsyncDisposable & {
  batcher: UplinkBatcher;
  journal: { isFull: boolean; failure: Error | undefined; refusals: number; written: number[] };
  /** What became of the messages, by number. */
  outcomes: Map<number, Error | null>;
  add: (n: number, sender: object, change?: Partial<Uplink>) => void;
} {
  const state = {
    isFull: false,
    failure: undefined as Error | undefined,
    refusals: 0,
    written: [] as number[],
  };
  const form = UPLINK_FORM as StoredForm;
  const journal = {
    shards: 1,
    ...(isDirect
      ? {
          direct: new DirectBlocks(1, new Map([['uplink', form]]), async (stream, blocks, options) => {
            const entries = blocks.flatMap((block) => decodeEntries(block, form));
            await journal.append(stream, entries as NewEntry<Uplink>[], options);
          }),
        }
      : {}),
    async append(_stream: string, entries: readonly NewEntry<Uplink>[], { yields = false } = {}) {
      expect(yields).toBe(true);
      if (state.failure !== undefined) throw state.failure;
      if (state.isFull) {
        state.refusals++;
        throw new PantauError('JOURNAL_FULL', 'no space', { transient: true });
      }
      state.written.push(...entries.map(({ data }) => data.receivedAt));
    },
    async space() {
      return { freeBytes: 0, minFreeBytes: 0, accepting: !state.isFull };
    },
  };
  const batcher = new UplinkBatcher(journal as unknown as Journal, createLogger('silent', 'test'), {
    retryMs: 5,
    ...options,
  });
  const outcomes = new Map<number, Error | null>();
  return {
    batcher,
    journal: state,
    outcomes,
    add: (n, sender, change) =>
      batcher.add(uplink(n, change), (error) => outcomes.set(n, error ?? null), sender),
    [Symbol.asyncDispose]: async () => batcher.stop(),
  };
}

const one = { name: 'one' };
const other = { name: 'other' };

describe('UplinkBatcher on a full journal', () => {
  it.each([
    ['offers direct appends', true],
    ['does not', false],
  ])(
    'holds messages in order and calls all back once there is space (the journal %s)',
    async (_, isDirect) => {
      await using fixture = open({}, isDirect);
      const { batcher, journal, outcomes, add } = fixture;
      journal.isFull = true;
      add(1, one);
      await waitUntil('it is held', () => batcher.isHolding);
      for (let n = 2; n <= 1_900; n++) add(n, n % 2 === 0 ? one : other);
      await waitUntil('all are held', () => batcher.heldBytes > 1_900 * PAYLOAD_BYTES);
      expect(outcomes.size).toBe(0);
      journal.isFull = false;
      await waitUntil('all are called back', () => outcomes.size === 1_900);
      const numbers = Array.from({ length: 1_900 }, (_, i) => i + 1);
      expect(journal.written).toEqual(numbers);
      expect([...outcomes]).toEqual(numbers.map((n) => [n, null]));
      await waitUntil('nothing is held', () => !batcher.isHolding);
      expect(batcher.heldBytes).toBe(0);
    },
  );

  it('asks for space before it tries again: a really full disk is not written to in vain', async () => {
    await using fixture = open();
    const { batcher, journal, outcomes, add } = fixture;
    journal.isFull = true;
    add(1, one);
    await waitUntil('it is held', () => batcher.isHolding);
    add(2, one);
    await waitUntil('the second is held', () => batcher.heldBytes > 2 * MESSAGE_BYTES - 100);
    expect(journal.refusals).toBe(1);
    journal.isFull = false;
    await waitUntil('both are called back', () => outcomes.size === 2);
    expect(journal.refusals).toBe(1);
  });

  it('beyond the bound of one connection refuses that connection alone', async () => {
    await using fixture = open({ maxHeldBytesPerOwner: 3.5 * MESSAGE_BYTES });
    const { batcher, journal, outcomes, add } = fixture;
    journal.isFull = true;
    for (let n = 1; n <= 5; n++) add(n, one);
    for (let n = 6; n <= 8; n++) add(n, other);
    await waitUntil('they are held', () => batcher.isHolding);
    expect([...outcomes.keys()]).toEqual([4, 5]);
    for (const error of outcomes.values()) expect(error).toMatchObject({ code: 'JOURNAL_FULL' });
  });

  it('never holds more than the bound, whoever sends', async () => {
    await using fixture = open({ maxHeldBytes: 10 * MESSAGE_BYTES });
    const { batcher, journal, outcomes, add } = fixture;
    journal.isFull = true;
    for (let n = 1; n <= 1_000; n++) add(n, { sender: n });
    await waitUntil('they are held', () => batcher.isHolding);
    expect(batcher.heldBytes).toBeLessThanOrEqual(10 * MESSAGE_BYTES);
    expect(outcomes.size).toBeGreaterThan(980);
    expect(outcomes.size).toBeLessThan(1_000);
  });

  it('lets go what a lost connection will send again, and keeps what comes only once', async () => {
    await using fixture = open();
    const { batcher, journal, outcomes, add } = fixture;
    journal.isFull = true;
    add(1, one);
    add(2, one, { qos: 0 });
    add(3, one, { will: true });
    add(4, one, { qos: 2 });
    add(5, other);
    await waitUntil('they are held', () => batcher.isHolding);
    batcher.release(one);
    journal.isFull = false;
    await waitUntil('nothing is held', () => !batcher.isHolding);
    expect(journal.written).toEqual([2, 3, 5]);
    expect([...outcomes.keys()]).toEqual([2, 3, 5]);
    expect(batcher.heldBytes).toBe(0);
  });

  it('lets the connection of each message that waits be read on', async () => {
    const readOn: object[] = [];
    await using fixture = open({ onHeld: (sender) => readOn.push(sender) });
    const { batcher, journal, add } = fixture;
    journal.isFull = true;
    add(1, one);
    add(2, other);
    await waitUntil('they are held', () => batcher.isHolding);
    expect(readOn).toEqual([one, other]);
  });

  it('holds messages that were added directly each by itself, in their order among the others', async () => {
    const told: [object, number[], Error | null][] = [];
    await using fixture = open({
      onDirect: (sender, messageIds, error) => told.push([sender, [...messageIds], error]),
    });
    const { batcher, journal, outcomes, add } = fixture;
    const { site, device, kind, topic, session } = uplink(0);
    const template = new UplinkTemplate(0, { site, device, kind, topic, session });
    const addDirect = (n: number, sender: object): void => {
      const bytes = Buffer.alloc(PAYLOAD_BYTES);
      batcher.addDirect(sender, template, n, {
        ...{ bytes, dup: false, topicAt: 0, topicEnd: 0, messageId: n, payloadAt: 0, end: bytes.length },
      });
    };
    addDirect(1, one);
    addDirect(2, one);
    addDirect(3, other);
    await waitUntil('they are told of', () => told.length === 2);
    expect(told.splice(0)).toEqual([
      [one, [1, 2], null],
      [other, [3], null],
    ]);
    journal.isFull = true;
    addDirect(4, one);
    add(5, one);
    addDirect(6, other);
    addDirect(7, one);
    addDirect(8, other);
    await waitUntil('they are held', () => batcher.isHolding);
    expect(batcher.heldBytes).toBeGreaterThan(5 * PAYLOAD_BYTES);
    batcher.release(other);
    journal.isFull = false;
    await waitUntil('nothing is held', () => !batcher.isHolding);
    expect(journal.written).toEqual([1, 2, 3, 4, 5, 7]);
    expect(told).toEqual([
      [one, [4], null],
      [one, [7], null],
    ]);
    expect([...outcomes]).toEqual([[5, null]]);
    journal.failure = new PantauError('JOURNAL_WRITE_FAILED', 'ill', { transient: true });
    addDirect(9, other);
    await waitUntil('it is told of', () => told.length === 3);
    expect(told[2]).toEqual([other, [9], journal.failure]);
  });

  it('tells those that waited when the disk turns out to be ill', async () => {
    await using fixture = open();
    const { batcher, journal, outcomes, add } = fixture;
    journal.isFull = true;
    add(1, one);
    await waitUntil('it is held', () => batcher.isHolding);
    journal.failure = new PantauError('JOURNAL_WRITE_FAILED', 'ill', { transient: true });
    journal.isFull = false;
    await waitUntil('it is told', () => outcomes.size === 1);
    expect(outcomes.get(1)).toBe(journal.failure);
  });

  it('acknowledges nothing after it was stopped', async () => {
    const { batcher, journal, outcomes, add } = open();
    journal.isFull = true;
    add(1, one);
    await waitUntil('it is held', () => batcher.isHolding);
    batcher.stop();
    journal.isFull = false;
    add(3, one);
    await waitUntil('a later message of a working journal is through', () => outcomes.has(3));
    expect(journal.written).not.toContain(1);
    expect(outcomes.has(1)).toBe(false);
  });
});
