import { shardOf } from '#libs/kernel';
import { waitUntil } from '#libs/testing';
import { Packr } from 'msgpackr';
import type { DirectAppends, DirectBatch } from './direct-appends.js';
import { readAll, type JournalFixture } from './journal-fixture.contract.js';

export * from './conditional-appends.contract.js';

const packr = new Packr({ useRecords: false });

/** What every engine that offers {@link DirectAppends} must do. */
export function describeDirectAppendsContract(name: string, open: () => Promise<JournalFixture>): void {
  describe(`${name} fulfils DirectAppends`, () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];

    /** Adds numbers whole and as bytes in turn, each under the next of the keys. */
    function fill(batch: DirectBatch, shards: number, numbers: readonly number[]): void {
      for (const n of numbers) {
        const key = keys[n % keys.length] as string;
        if (n % 3 === 0) {
          batch.add({ key, data: n });
          continue;
        }
        const bytes = packr.pack([key, n]);
        const at = batch.reserve(shardOf(key, shards), bytes.length);
        bytes.copy(batch.buffer, at);
      }
    }

    const numbers = (from: number, to: number): number[] =>
      Array.from({ length: to - from }, (_, i) => from + i);

    function directOf(fixture: JournalFixture): DirectAppends<Record<string, unknown>> {
      const { direct } = fixture.journal;
      if (direct === undefined) throw new Error('the engine does not offer it');
      return direct as DirectAppends<Record<string, unknown>>;
    }

    it('appends what was added whole and what was written as bytes, in their order, between other appends', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      const begin = (own: readonly number[]): DirectBatch => {
        const batch = directOf(fixture).begin('s');
        fill(batch, journal.shards, own);
        return batch;
      };
      const one = (n: number) => ({ key: keys[n % keys.length] as string, data: n });
      await Promise.all([
        journal.append('s', [one(0)]),
        begin(numbers(1, 4)).append(),
        journal.append('s', [one(4)]),
        begin([]).append(),
      ]);
      // More than any block holds, and in the memory of the batches before.
      await begin(numbers(5, 3_000)).append();
      await begin(numbers(3_000, 3_100)).append();
      const entries = await readAll<number>(journal, 's');
      const sorted = entries.map(({ data }) => data).sort((x, y) => x - y);
      expect(sorted).toEqual(numbers(0, 3_100));
      for (let shard = 0; shard < journal.shards; shard++) {
        const own = entries.filter((entry) => entry.shard === shard);
        expect(own.map(({ data }) => data)).toEqual(own.map(({ data }) => data).sort((x, y) => x - y));
        expect(own.map(({ offset }) => offset)).toEqual(own.map((_, i) => i));
      }
      for (const { key, data, shard } of entries) {
        expect(key).toBe(keys[data % keys.length]);
        expect(shard).toBe(shardOf(key, journal.shards));
      }
    });

    it('gives the entries of a batch in the order in which they were added, over all shards', async () => {
      await using fixture = await open();
      const batch = directOf(fixture).begin('s');
      fill(batch, fixture.journal.shards, numbers(0, 700));
      expect(batch.entries()).toEqual(numbers(0, 700).map((n) => ({ key: keys[n % keys.length], data: n })));
      await batch.append();
      expect(await readAll(fixture.journal, 's')).toHaveLength(700);
    });

    it('writes nothing of a batch that yields while space is short, and all of it once there is space', async () => {
      await using fixture = await open();
      const { journal } = fixture;
      const batch = directOf(fixture).begin('s');
      fill(batch, journal.shards, numbers(0, 10));
      fixture.setShortOfSpace(true);
      await waitUntil('it is noticed', async () => !(await journal.space()).accepting);
      await expect(batch.append({ yields: true })).rejects.toMatchObject({ code: 'JOURNAL_FULL' });
      expect(await readAll(journal, 's')).toEqual([]);
      fixture.setShortOfSpace(false);
      await waitUntil('it is noticed', async () => (await journal.space()).accepting);
      await batch.append({ yields: true });
      expect(await readAll(journal, 's')).toHaveLength(10);
    });

    it('leaves out an entry that is too large, and keeps the others', async () => {
      await using fixture = await open();
      const batch = directOf(fixture).begin('s');
      const large = { key: 'b', data: Buffer.alloc(5 * 1024 * 1024) };
      expect(() => batch.add(large)).toThrow(/JOURNAL_ENTRY_TOO_LARGE/);
      batch.add({ key: 'a', data: 1 });
      expect(() => batch.add(large)).toThrow(/JOURNAL_ENTRY_TOO_LARGE/);
      batch.add({ key: 'b', data: 2 });
      expect(batch.entries().map(({ data }) => data)).toEqual([1, 2]);
      await batch.append();
      const entries = await readAll<number>(fixture.journal, 's');
      expect(entries.map(({ data }) => data).sort()).toEqual([1, 2]);
    });
  });
}
