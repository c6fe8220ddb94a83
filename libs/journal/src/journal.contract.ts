import { defaultMaxListeners, getEventListeners } from 'node:events';
import fc from 'fast-check';
import { namespaceOf, waitUntil } from '#libs/testing';
import { readAll, type JournalFixture } from './journal-fixture.contract.js';
import type { AnyJournal, StreamStats } from './journal.js';

export * from './direct-appends.contract.js';
export * from './journal-fixture.contract.js';

/** What every engine of `Journal` must do. */
export function describeJournalContract(name: string, open: () => Promise<JournalFixture>): void {
  describe(`${name} fulfils Journal`, () => {
    it('returns entries with their data, in order, numbered without gaps from 0', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      await Promise.all(
        [0, 1, 2, 3, 4].map((n) => journal.append('s', [{ key: 'a', data: { n, bytes: Uint8Array.of(n) } }])),
      );
      await journal.append('s', [
        { key: 'a', data: { n: 5 } },
        { key: 'a', data: { n: 6 } },
      ]);
      const entries = await readAll<{ n: number; bytes?: Uint8Array }>(journal, 's');
      expect(entries.map((entry) => entry.data.n)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(entries.map((entry) => entry.offset)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(Array.from(entries[3]!.data.bytes!)).toEqual([3]);
      expect(new Set(entries.map((entry) => entry.key))).toEqual(new Set(['a']));
    });

    it('keeps the order of each key and every entry exactly once, for any interleaving of appends', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      let run = 0;
      const batches = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 5 }), {
        maxLength: 12,
      });
      await fc.assert(
        fc.asyncProperty(batches, async (batchesOfKeys) => {
          const stream = `s${run++}`;
          let n = 0;
          await Promise.all(
            batchesOfKeys.map((keys) =>
              journal.append(
                stream,
                keys.map((key) => ({ key, data: n++ })),
              ),
            ),
          );
          const entries = await readAll<number>(journal, stream);
          expect(entries.map((entry) => entry.data).sort((a, b) => a - b)).toEqual(
            Array.from({ length: n }, (_, i) => i),
          );
          for (const key of ['a', 'b', 'c', 'd', 'e']) {
            const own = entries.filter((entry) => entry.key === key).map((entry) => entry.data);
            expect(own).toEqual([...own].sort((a, b) => a - b));
          }
        }),
        { numRuns: 30 },
      );
    });

    it('reads from any offset with any limit, forwards and backwards', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      const shard = (await shardsOf(journal, 'k'))[0]!;
      for (let i = 0; i < 5; i++) {
        await journal.append(
          's',
          Array.from({ length: 211 }, (_, j) => ({ key: 'k', data: i * 211 + j })),
        );
      }
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 1100 }), fc.integer({ min: 1, max: 600 }), async (from, limit) => {
          const all = Array.from({ length: 1055 }, (_, i) => i);
          const forwards = await journal.read('s', shard, from, limit);
          expect(forwards.map((entry) => entry.data)).toEqual(all.slice(from, from + limit));
          const backwards = await journal.readBackwards('s', shard, limit, from);
          expect(backwards.map((entry) => entry.data)).toEqual(all.slice(0, from).reverse().slice(0, limit));
        }),
        { numRuns: 100 },
      );
      expect((await journal.readBackwards('s', shard, 2)).map((entry) => entry.data)).toEqual([1054, 1053]);
    });

    it('reads large entries in portions that fit into memory, and all of them', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      const megabyte = new Uint8Array(1024 * 1024);
      const large = Array.from({ length: 40 }, (_, n) => ({ key: 'a', data: { n, megabyte } }));
      await journal.append('s', large);
      const shard = (await readAll(journal, 's'))[0]!.shard;
      const first = await journal.read('s', shard, 0, 1000);
      expect(first.length).toBeGreaterThan(0);
      expect(first.length).toBeLessThan(40);
      const all = await readAll<{ n: number }>(journal, 's');
      expect(all.map(({ data }) => data.n)).toEqual(large.map(({ data }) => data.n));
    });

    it('sends one key to one shard and different keys to all shards', async () => {
      await using fixture = await open();
      const keys = Array.from({ length: 200 }, (_, i) => `device-${i}`);
      await fixture.journal.append(
        's',
        keys.flatMap((key) => [
          { key, data: 1 },
          { key, data: 2 },
        ]),
      );
      const entries = await readAll(fixture.journal, 's');
      for (const key of keys)
        expect(new Set(entries.filter((e) => e.key === key).map((e) => e.shard)).size).toBe(1);
      expect(new Set(entries.map((entry) => entry.shard)).size).toBe(fixture.journal.shards);
    });

    it('wakes a waiting reader when an entry arrives, and when it is told to stop', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      const shard = (await shardsOf(journal, 'k'))[0]!;
      const stop = new AbortController();
      let woken = false;
      const waiting = journal.waitFor('s', shard, 0, stop.signal).then(() => (woken = true));
      await journal.append('s', [{ key: 'k', data: 1 }]);
      await waiting;
      expect(woken).toBe(true);
      expect(await journal.read('s', shard, 0, 10)).toHaveLength(1);
      const second = journal.waitFor('s', shard, 1, stop.signal);
      stop.abort();
      await second;
    });

    it('tells who watches a shard where it ends, at once, after each append and when it is closed; what is told can be read', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      const [shard] = await shardsOf(journal, 'k');
      await journal.append('s', [{ key: 'k', data: 0 }]);
      const told: number[] = [];
      const read: Promise<unknown[]>[] = [];
      const endWatch = journal.watch('s', shard!, (end) => {
        told.push(end);
        read.push(journal.read('s', shard!, 0, 10));
      });
      for (const data of [1, 2]) await journal.append('s', [{ key: 'k', data }]);
      expect((await Promise.all(read)).map(({ length }) => length)).toEqual([1, 2, 3]);
      endWatch();
      journal.watch('s', shard!, (end) => told.push(end));
      await journal.close();
      expect(told).toEqual([1, 2, 3, 3, Infinity]);
    });

    it('lets one signal end any number of waits, without so many listeners that Node tells of a leak', async () => {
      await using fixture = await open();
      const stop = new AbortController();
      const waits = Array.from({ length: 20 }, (_, i) => fixture.journal.waitFor(`s${i}`, 0, 0, stop.signal));
      const listeners = getEventListeners(stop.signal, 'abort');
      stop.abort();
      await Promise.all(waits);
      expect(listeners.length).toBeLessThanOrEqual(defaultMaxListeners);
    });

    it('moves a cursor together with state and appended entries, all or nothing', async () => {
      await using fixture = await open();
      const { journal, state } = fixture;
      const commit = { cursor: 'stage', stream: 's', shard: 0, expected: 0, next: 3 };
      await journal.commit({
        ...commit,
        state: [{ namespace: 'n', key: 'k', value: 'first' }],
        append: [{ stream: 'out', entries: [journal.encode('out', [{ key: 'a', data: 'first' }])] }],
      });
      const late = journal.commit({
        ...commit,
        state: [{ namespace: 'n', key: 'k', value: 'second' }],
        append: [{ stream: 'out', entries: [journal.encode('out', [{ key: 'a', data: 'second' }])] }],
      });
      await expect(late).rejects.toMatchObject({ code: 'CURSOR_CONFLICT', transient: true });
      expect(await journal.position('stage', 's', 0)).toBe(3);
      expect(await state.get(namespaceOf('n'), 'k')).toBe('first');
      expect((await readAll(journal, 'out')).map((entry) => entry.data)).toEqual(['first']);
    });

    it('starts a new cursor at the beginning, keeps cursors apart, and moves one by seek', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      await journal.commit({ cursor: 'a', stream: 's', shard: 0, expected: 0, next: 7 });
      expect(await journal.position('b', 's', 0)).toBe(0);
      await journal.seek('a', 's', 0, 2);
      expect(await journal.position('a', 's', 0)).toBe(2);
      expect(await journal.cursors()).toEqual([{ cursor: 'a', stream: 's', shard: 0, next: 2 }]);
    });

    it('keeps entries, cursors and offsets across a restart', async () => {
      await using fixture = await open();
      await fixture.journal.append('s', [{ key: 'k', data: 1 }]);
      await fixture.journal.commit({ cursor: 'a', stream: 's', shard: 0, expected: 0, next: 1 });
      const again = await fixture.reopen();
      await again.append('s', [{ key: 'k', data: 2 }]);
      const entries = await readAll(again, 's');
      expect(entries.map((entry) => [entry.offset, entry.data])).toEqual([
        [0, 1],
        [1, 2],
      ]);
      expect(await again.position('a', 's', 0)).toBe(1);
    });

    describe('retention', () => {
      /** Five appends of ten entries, one a second from 0 s to 4 s, all of one key; the clock then stands at 4 s. */
      async function filled(fixture: JournalFixture): Promise<number> {
        for (let second = 0; second < 5; second++) {
          fixture.clock.now = () => second * 1000;
          await fixture.journal.append(
            's',
            Array.from({ length: 10 }, (_, i) => ({ key: 'k', data: second * 10 + i })),
          );
        }
        return (await shardsOf(fixture.journal, 'k'))[0]!;
      }

      it('drops what is older than the age, never the rest', async () => {
        await using fixture = await open();
        const shard = await filled(fixture);
        const reports = await fixture.journal.retain('s', { maxAge: 2000 });
        expect(reports[shard]).toMatchObject({ dropped: 20, heldBack: 0, cursors: [] });
        expect(await fixture.journal.extent('s', shard)).toEqual({ first: 20, next: 50 });
        expect((await fixture.journal.read('s', shard, 20, 100)).map((entry) => entry.data)).toEqual(
          Array.from({ length: 30 }, (_, i) => i + 20),
        );
        await expect(fixture.journal.read('s', shard, 19, 1)).rejects.toMatchObject({
          code: 'CURSOR_LOST_ENTRIES',
        });
      });

      it('drops the oldest when a stream is too large', async () => {
        await using fixture = await open();
        const shard = await filled(fixture);
        const statsOf = async (): Promise<StreamStats | undefined> =>
          (await fixture.journal.stats()).find(({ stream }) => stream === 's');
        const stats = await statsOf();
        await fixture.journal.retain('s', { maxBytes: stats!.bytes / 2 });
        const { first, next } = await fixture.journal.extent('s', shard);
        expect(next).toBe(50);
        expect(first).toBe(30);
        expect(await statsOf()).toMatchObject({ entries: 20 });
      });

      it('lets a new cursor enter at the oldest entry that is kept, and holds back for it from then on', async () => {
        await using fixture = await open();
        const { journal } = fixture;
        const shard = await filled(fixture);
        await journal.retain('s', { maxAge: 2000 });
        expect(await journal.position('new', 's', shard)).toBe(20);
        expect(await journal.cursors()).toEqual([]);
        expect(await journal.enter('new', 's', shard)).toBe(20);
        expect(await journal.cursors()).toEqual([{ cursor: 'new', stream: 's', shard, next: 20 }]);
        await journal.retain('s', { maxAge: 0 });
        expect(await journal.extent('s', shard)).toEqual({ first: 20, next: 50 });
        await journal.commit({ cursor: 'new', stream: 's', shard, expected: 20, next: 30 });
        await journal.retain('s', { maxBytes: 0, unread: 'drop' });
        // One that has entered stays where it is, also when what it has to read is gone.
        expect(await journal.enter('new', 's', shard)).toBe(30);
        const first = { cursor: 'other', stream: 's', shard, expected: 50, next: 50 };
        await expect(journal.commit({ ...first, expected: 0 })).rejects.toMatchObject({
          code: 'CURSOR_CONFLICT',
        });
        await journal.commit(first);
      });

      it('keeps what a cursor has not read, and names the cursor that holds it back', async () => {
        await using fixture = await open();
        const shard = await filled(fixture);
        await fixture.journal.commit({ cursor: 'slow', stream: 's', shard, expected: 0, next: 15 });
        const reports = await fixture.journal.retain('s', { maxAge: 1000 });
        expect(reports[shard]).toMatchObject({
          dropped: 10,
          heldBack: 20,
          cursors: [{ cursor: 'slow', unread: 15 }],
        });
        expect(await fixture.journal.read('s', shard, 15, 100)).toHaveLength(35);
      });

      it('drops unread entries only when told to, and then the cursor that lost them is named and its read fails', async () => {
        await using fixture = await open();
        const shard = await filled(fixture);
        await fixture.journal.commit({ cursor: 'slow', stream: 's', shard, expected: 0, next: 15 });
        const reports = await fixture.journal.retain('s', { maxAge: 1000, unread: 'drop' });
        expect(reports[shard]).toMatchObject({
          dropped: 30,
          heldBack: 0,
          cursors: [{ cursor: 'slow', unread: 15 }],
        });
        await expect(fixture.journal.read('s', shard, 15, 1)).rejects.toMatchObject({
          code: 'CURSOR_LOST_ENTRIES',
        });
      });

      it('records what it took by the day, and still knows it after a restart', async () => {
        await using fixture = await open();
        const shard = await filled(fixture);
        expect(await fixture.journal.removals('s')).toEqual([]);
        await fixture.journal.retain('s', { maxAge: 3000 });
        const [first] = await fixture.journal.removals('s');
        expect(first).toMatchObject({ stream: 's', shard, from: 0, to: 10, at: 4000, appendedUntil: 0 });
        await fixture.journal.retain('s', { maxAge: 3000 });
        expect(await fixture.journal.removals('s')).toEqual([first]);
        fixture.clock.now = () => 5000;
        await fixture.journal.retain('s', { maxAge: 3000 });
        const [day] = await fixture.journal.removals('s');
        expect(day).toMatchObject({ from: 0, to: 20, at: 5000, appendedUntil: 1000 });
        expect(day!.digest).toMatch(/^[0-9a-f]{64}$/);
        expect(day!.digest).not.toBe(first!.digest);
        fixture.clock.now = () => 86_400_000;
        await fixture.journal.retain('s', { maxBytes: 0 });
        const again = await fixture.reopen();
        expect(await again.removals('s')).toMatchObject([
          { from: 0, to: 20, at: 5000 },
          { from: 20, to: 50, at: 86_400_000, appendedUntil: 4000 },
        ]);
        expect(await again.removals('other')).toEqual([]);
      });

      it('numbers on after everything was dropped', async () => {
        await using fixture = await open();
        const shard = await filled(fixture);
        fixture.clock.now = () => 60_000;
        await fixture.journal.retain('s', { maxAge: 1 });
        await fixture.journal.append('s', [{ key: 'k', data: 'next' }]);
        expect(
          (await fixture.journal.read('s', shard, 50, 10)).map((entry) => [entry.offset, entry.data]),
        ).toEqual([[50, 'next']]);
      });
    });

    describe('short of space', () => {
      it('refuses input that yields and writes nothing of it; everything else goes through', async () => {
        await using fixture = await open();
        const { journal } = fixture;
        const input = [{ key: 'k', data: 'input' }];
        await journal.append('s', input, { yields: true });
        fixture.setShortOfSpace(true);
        await waitUntil('it is noticed', async () => !(await journal.space()).accepting);
        await expect(journal.append('s', input, { yields: true })).rejects.toMatchObject({
          code: 'JOURNAL_FULL',
          transient: true,
        });
        await journal.append('s', [{ key: 'k', data: 'signal' }]);
        await journal.commit({
          cursor: 'stage',
          stream: 's',
          shard: 0,
          expected: 0,
          next: 1,
          append: [{ stream: 'out', entries: [journal.encode('out', [{ key: 'k', data: 'output' }])] }],
        });
        expect((await readAll(journal, 's')).map((entry) => entry.data)).toEqual(['input', 'signal']);
        expect(await readAll(journal, 'out')).toHaveLength(1);
      });

      it('takes input again once there is space, without being opened again', async () => {
        await using fixture = await open();
        const { journal } = fixture;
        fixture.setShortOfSpace(true);
        await waitUntil('it is noticed', async () => !(await journal.space()).accepting);
        fixture.setShortOfSpace(false);
        await waitUntil('it is noticed', async () => (await journal.space()).accepting);
        await journal.append('s', [{ key: 'k', data: 'input' }], { yields: true });
        expect(await readAll(journal, 's')).toHaveLength(1);
      });
    });

    it('finishes what was handed in when it closes, and refuses every call after that', async () => {
      await using fixture = await open();
      const appended = fixture.journal.append('s', [{ key: 'k', data: 1 }]);
      await fixture.journal.close();
      await appended;
      await expect(fixture.journal.append('s', [{ key: 'k', data: 2 }])).rejects.toMatchObject({
        code: 'JOURNAL_CLOSED',
      });
      const again = await fixture.reopen();
      expect(await readAll(again, 's')).toHaveLength(1);
    });

    it('refuses an entry that is too large, and stores its neighbours', async () => {
      await using fixture = await open();
      const large = fixture.journal.append('s', [{ key: 'k', data: new Uint8Array(5 * 1024 * 1024) }]);
      const small = fixture.journal.append('s', [{ key: 'k', data: 'small' }]);
      await expect(large).rejects.toMatchObject({ code: 'JOURNAL_ENTRY_TOO_LARGE' });
      await small;
      expect(await readAll(fixture.journal, 's')).toHaveLength(1);
    });
  });
}

/** The shards that hold entries of the keys, found by appending to a scratch stream. */
async function shardsOf(journal: AnyJournal, ...keys: string[]): Promise<number[]> {
  await journal.append(
    'scratch',
    keys.map((key) => ({ key, data: null })),
  );
  const entries = await readAll(journal, 'scratch');
  await journal.retain('scratch', { maxBytes: 0 });
  return keys.map((key) => entries.findLast((entry) => entry.key === key)!.shard);
}
