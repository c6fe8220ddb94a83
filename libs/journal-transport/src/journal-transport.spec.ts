import 'reflect-metadata';
import { type AnyStreams, lagOf } from '#libs/journal';
import { LocalAccountQueries } from '#libs/journal-transport-state';
import { PantauError } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import { namespaceOf } from '#libs/testing';
import { handleWith, numbers, open, seen, silent, sum } from './journal-transport.fixture.js';
import { Tally } from './tally.js';

/** No tick passes in the test. */
const AN_HOUR = 3_600_000;
const NUMBERS = { stage: 'counter', stream: 'numbers', shard: 0 };

describe('the journal as a Nest transport', () => {
  it('hands batches in order to the handler and commits state, output and cursor together', async () => {
    await using fixture = await open();
    handleWith(sum);
    await fixture.start();
    await fixture.journal.append('numbers', numbers(0, 100));
    await fixture.caughtUp();
    expect(await seen(fixture.journal)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe(4950);
  });

  it('gives the same batch again after a transient failure, with nothing of the failed attempt left', async () => {
    await using fixture = await open();
    const batches: number[][] = [];
    handleWith(async (batch, context) => {
      batches.push(batch.map((entry) => entry.data));
      await sum(batch, context);
      if (batches.length <= 4) throw new PantauError('STORE_UNAVAILABLE', 'away.', { transient: true });
    });
    await fixture.journal.append('numbers', numbers(0, 5));
    await fixture.start();
    await fixture.caughtUp();
    expect(batches).toEqual(Array.from({ length: 5 }, () => [0, 1, 2, 3, 4]));
    expect(await seen(fixture.journal)).toEqual([0, 1, 2, 3, 4]);
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe(10);
  });

  it('wakes the shards that still wait when one of them succeeds again', async () => {
    await using fixture = await open(2);
    const shards = new Set<number>();
    let attempts = 0;
    let pauses = 0;
    let allThere = (): void => undefined;
    const bothAreThere = new Promise<void>((resolve) => (allThere = resolve));
    handleWith(async ([entry]) => {
      shards.add(entry?.shard ?? -1);
      if (shards.size === 2) allThere();
      await bothAreThere;
      if (++attempts <= 2) throw new PantauError('STORE_UNAVAILABLE', 'away.', { transient: true });
    });
    // The first pause takes no time, the second longer than the test may take.
    const [atOnce, longest] = [-1, 1];
    for (const key of ['a', 'b', 'c', 'd']) await fixture.journal.append('numbers', [{ key, data: 1 }]);
    await fixture.start({ backoffMs: 60_000, random: () => (pauses++ === 0 ? atOnce : longest) });
    await fixture.caughtUp();
    expect({ pauses, attempts }).toEqual({ pauses: 2, attempts: 4 });
  });

  it.each([
    ['what comes alone from outside at once, and what comes then together', 'uplink', 1],
    ['what other stages append as it comes, twice in a tick, and what comes then together', 'numbers', 2],
  ])('handles %s', async (_, stream, turns) => {
    await using fixture = await open();
    const { journal } = fixture;
    const batches: number[][] = [];
    handleWith((batch) => {
      batches.push(batch.map((entry) => entry.data));
      return Promise.resolve();
    });
    const stage = await fixture.start({ gatherMs: AN_HOUR });
    for (let i = 0; i < turns; i++) {
      await journal.append(stream, numbers(i, i + 1));
      await fixture.caughtUp(stream);
    }
    for (let i = turns; i < 8; i++) await journal.append(stream, numbers(i, i + 1));
    // The stage is told of it after those.
    await journal.append('others', numbers(100, 101));
    await fixture.caughtUp('others');
    const alone = Array.from({ length: turns }, (__, i) => [i]);
    expect(batches).toEqual([...alone, [100]]);
    // The rest is over with the stage.
    await stage.close();
    await fixture.start();
    await fixture.caughtUp(stream);
    expect(batches.slice(turns + 1)).toEqual([Array.from({ length: 8 - turns }, (__, i) => turns + i)]);
  });

  it('lets the shards of what comes from outside rest together', async () => {
    await using fixture = await open(4);
    const { journal } = fixture;
    const shards: number[] = [];
    handleWith((_, { origin }) => {
      if (origin.stream === 'uplink') shards.push(origin.shard);
      return Promise.resolve();
    });
    const keys = Array.from({ length: 40 }, (_, i) => `device-${i}`);
    await journal.append('uplink', [{ key: 'device-0', data: 1 }]);
    const stage = await fixture.start({ gatherMs: AN_HOUR });
    await fixture.caughtUp('uplink');
    const rest = keys.map((key) => ({ key, data: 1 }));
    await journal.append('uplink', rest);
    await journal.append('others', rest);
    await fixture.caughtUp('others');
    expect(shards.length).toBe(1);
    await stage.close();
    await fixture.start();
    await fixture.caughtUp('uplink');
    expect(new Set(shards).size).toBe(4);
  });

  it('carries what the shards did together in one commit', async () => {
    await using fixture = await open(4);
    const { journal, state } = fixture;
    handleWith(sum);
    const keys = Array.from({ length: 40 }, (_, i) => `device-${i}`);
    await journal.append(
      'numbers',
      keys.map((key) => ({ key, data: 1 })),
    );
    const commits = (): number => (state.environment.root.getStats() as { lastTxnId: number }).lastTxnId;
    const before = commits();
    await fixture.start();
    await fixture.caughtUp();
    // The cursors of four shards are entered, and moved with what was done.
    expect(commits() - before).toBeLessThanOrEqual(3);
    expect(await state.get(namespaceOf('counter'), 'sum')).toBeGreaterThan(0);
  });

  it('sets a poisonous entry aside with its error and handles all others, once each and in order', async () => {
    await using fixture = await open();
    handleWith(async (batch, context) => {
      await sum(batch, context);
      const tally = await Tally.begin(context);
      for (const { offset, appendedAt } of batch) tally.pass(offset, appendedAt);
      await tally.end();
      const poison = batch.find((entry) => entry.data === 13 || entry.data === 14 || entry.data === 41);
      if (poison !== undefined) throw new Error(`cannot digest ${poison.data}`);
    });
    await fixture.journal.append('numbers', numbers(0, 60));
    await fixture.start();
    await fixture.caughtUp();
    const good = Array.from({ length: 60 }, (_, i) => i).filter((n) => ![13, 14, 41].includes(n));
    expect(await seen(fixture.journal)).toEqual(good);
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe(good.reduce((a, b) => a + b));
    const rejected = await fixture.journal.read('rejected', 0, 0, 10);
    expect(rejected.map(({ data }) => [data.reason, data.detail, data.source?.offset])).toEqual([
      ['handler_failed', 'stage counter: cannot digest 13', 13],
      ['handler_failed', 'stage counter: cannot digest 14', 14],
      ['handler_failed', 'stage counter: cannot digest 41', 41],
    ]);
    const days = await new LocalAccountQueries(fixture.state).lookAtDays('1970-01-01');
    expect(days.counted('1970-01-01', NUMBERS)).toEqual({
      next: 60,
      counts: { entries: 60, 'set aside': 3 },
    });
  });

  it('goes on after a restart where it stood', async () => {
    await using fixture = await open(4);
    handleWith(sum);
    const first = await fixture.start();
    await fixture.journal.append('numbers', numbers(0, 10));
    await fixture.caughtUp();
    await first.close();
    await fixture.journal.append('numbers', numbers(10, 20));
    await fixture.start();
    await fixture.caughtUp();
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe(190);
  });

  it('never counts an entry twice when two replicas run by mistake on the same shards', async () => {
    await using fixture = await open();
    handleWith(sum);
    await fixture.start();
    await fixture.start();
    for (let i = 0; i < 20; i++) await fixture.journal.append('numbers', numbers(i * 10, i * 10 + 10));
    await fixture.caughtUp();
    expect(await seen(fixture.journal)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(await fixture.state.get(namespaceOf('counter'), 'sum')).toBe(19_900);
  });

  it('says when retention dropped entries it had not read, and goes on at the oldest kept', async () => {
    await using fixture = await open();
    const errors: string[] = [];
    silent.error = (message: unknown) => errors.push(String(message));
    handleWith(sum);
    await fixture.journal.commit({ cursor: 'counter', stream: 'numbers', shard: 0, expected: 0, next: 0 });
    await fixture.journal.append('numbers', numbers(0, 10));
    await fixture.journal.retain('numbers', { maxBytes: 0, unread: 'drop' });
    await fixture.journal.append('numbers', numbers(10, 12));
    await fixture.start();
    await fixture.caughtUp();
    expect(await seen(fixture.journal)).toEqual([10, 11]);
    expect(errors.join('\n')).toContain(
      'CURSOR_LOST_ENTRIES: numbers/0 begins at 10; 10 entries from 0 are gone.',
    );
  });

  it('loses nothing of what retention took before the stage ever read the stream', async () => {
    await using fixture = await open();
    const { journal, state } = fixture;
    const errors: string[] = [];
    silent.error = (message: unknown) => errors.push(String(message));
    handleWith(sum);
    await journal.append('numbers', numbers(0, 10));
    await journal.retain('numbers', { maxBytes: 0 });
    await journal.append('numbers', numbers(10, 12));
    expect(await lagOf<string, AnyStreams>(journal, 'counter', 'numbers')).toBe(2);
    await fixture.start();
    await fixture.caughtUp();
    expect(await seen(journal)).toEqual([10, 11]);
    expect(errors).toEqual([]);
    const account = await new LocalAccountQueries(state).look();
    expect(account.passedOver(NUMBERS)).toEqual({ setAside: 0, lost: 0 });
  });

  it('goes on when it could not note at once what it had lost', async () => {
    await using fixture = await open();
    const { journal } = fixture;
    handleWith(sum);
    await journal.enter('counter', 'numbers', 0);
    await journal.append('numbers', numbers(0, 10));
    await journal.retain('numbers', { maxBytes: 0, unread: 'drop' });
    await journal.append('numbers', numbers(10, 12));
    let isAway = true;
    const commit = journal.commit.bind(journal);
    journal.commit = async (work) => {
      if (work.cursor !== 'counter' || !isAway) return commit(work);
      isAway = false;
      throw new PantauError('JOURNAL_WRITE_FAILED', 'the disk is away.', { transient: true });
    };
    await fixture.start();
    await fixture.caughtUp();
    expect(await seen(journal)).toEqual([10, 11]);
  });

  it('passes over an entry that cannot be read, sets it aside with its place, and goes on', async () => {
    await using fixture = await open();
    const { journal, state } = fixture;
    handleWith(sum);
    for (const data of [1, 2, 3]) await journal.append('numbers', [{ key: 'device', data }]);
    const chunks = state.environment.database<Buffer, [string, number, number]>('journal', 'binary');
    // 0xc1 is the byte that MessagePack never uses.
    await chunks.put(['numbers', 0, 1], Buffer.from(chunks.get(['numbers', 0, 1])!).fill(0xc1, 12));
    await fixture.start();
    await fixture.caughtUp();

    expect(await seen(journal)).toEqual([1, 3]);
    expect(await journal.read('rejected', 0, 0, 10)).toMatchObject([
      { data: { reason: 'handler_failed', source: { stream: 'numbers', shard: 0, offset: 1 } } },
    ]);
    const account = await new LocalAccountQueries(state).look();
    expect(account.passedOver(NUMBERS)).toEqual({ setAside: 1, lost: 0, undated: 1 });
  });
});

describe('what a stage declares', () => {
  const declared = { reads: ['numbers', 'pieces', 'others', 'uplink'] as unknown as StreamName[] };

  it('keeps it from starting with handlers of other streams', async () => {
    await using fixture = await open();
    await expect(fixture.start({ reads: ['readings'] })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(
        'declares that it reads readings, and handles numbers, others, pieces',
      ),
    });
  });

  it('keeps it from appending to other streams, and sets aside what tried', async () => {
    await using fixture = await open();
    handleWith(sum);
    await fixture.journal.append('numbers', numbers(0, 1));
    await fixture.start({ ...declared, appends: [] });
    await fixture.caughtUp();
    expect(await fixture.journal.read('rejected', 0, 0, 10)).toMatchObject([
      {
        data: {
          reason: 'handler_failed',
          detail: expect.stringContaining('does not declare that it appends to seen'),
        },
      },
    ]);
    expect(await seen(fixture.journal)).toEqual([]);
  });
});
