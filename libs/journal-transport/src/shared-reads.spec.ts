import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import type { StreamName } from '#libs/streams';
import { temporaryFolder } from '#libs/testing';
import { SharedReads, type Reader } from './shared-reads.js';

/** A real journal with a hundred numbers, that counts how often it is read. */
/** Any stream: what its entries are makes no difference here. */
const STREAM = 'numbers' as StreamName;

async function open(): Promise<AsyncDisposable & { journal: LmdbJournal; reads: number[] }> {
  const folder = temporaryFolder('shared-reads');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock: { now: () => 1_000 }, shards: 1 });
  await journal.append(
    STREAM,
    Array.from({ length: 100 }, (_, data) => ({ key: 'device', data })),
  );
  const reads: number[] = [];
  const read = journal.read.bind(journal);
  journal.read = (stream, shard, from, limit) => {
    reads.push(from);
    return read(stream, shard, from, limit);
  };
  return {
    journal,
    reads,
    async [Symbol.asyncDispose]() {
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('SharedReads', () => {
  it('hands what one stage has read to another, also a part of it', async () => {
    await using fixture = await open();
    const shared = SharedReads.of(fixture.journal);
    expect(SharedReads.of(fixture.journal)).toBe(shared);
    const [one, other] = [shared.join(STREAM, 0), shared.join(STREAM, 0)];
    const first = await shared.read(one, 0, 10);
    expect(await shared.read(other, 0, 10)).toBe(first);
    const part = await shared.read(other, 4, 3);
    expect(part.map(({ offset, data }) => [offset, data])).toEqual([
      [4, 4],
      [5, 5],
      [6, 6],
    ]);
    expect(fixture.reads).toEqual([0]);
  });

  it('reads anew for a stage that is far behind, and what has come since', async () => {
    await using fixture = await open();
    const shared = SharedReads.of(fixture.journal);
    const [one, other] = [shared.join(STREAM, 0), shared.join(STREAM, 0)];
    for (let from = 0; from < 100; from += 25) await shared.read(one, from, 25);
    expect(await shared.read(one, 100, 25)).toEqual([]);
    await fixture.journal.append(STREAM, [{ key: 'device', data: 100 }]);
    expect((await shared.read(one, 100, 25)).map(({ data }) => data)).toEqual([100]);
    expect((await shared.read(other, 0, 2)).map(({ data }) => data)).toEqual([0, 1]);
    expect(fixture.reads).toEqual([0, 25, 50, 75, 100, 100, 0]);
  });

  it('lets go of what everybody has read, but for the newest', async () => {
    await using fixture = await open();
    const shared = SharedReads.of(fixture.journal);
    const [one, other] = [shared.join(STREAM, 0), shared.join(STREAM, 0)];
    for (const from of [0, 10]) for (const reader of [one, other]) await shared.read(reader, from, 10);
    expect(fixture.reads).toEqual([0, 10]);
    await shared.read(other, 10, 10);
    expect(fixture.reads).toEqual([0, 10]);
    await shared.read(other, 0, 10);
    expect(fixture.reads).toEqual([0, 10, 0]);
  });

  it('keeps nothing for one reader alone', async () => {
    await using fixture = await open();
    const shared = SharedReads.of(fixture.journal);
    const [one, other] = [shared.join(STREAM, 0), shared.join(STREAM, 0)];
    shared.leave(other);
    for (let i = 0; i < 2; i++) await shared.read(one, 0, 10);
    expect(fixture.reads).toEqual([0, 0]);
  });

  describe('when one is two runs ahead', () => {
    async function ahead(): Promise<
      Awaited<ReturnType<typeof open>> & { shared: SharedReads; slow: Reader; third: Promise<string> }
    > {
      const fixture = await open();
      const shared = SharedReads.of(fixture.journal);
      const [fast, slow] = [shared.join(STREAM, 0), shared.join(STREAM, 0)];
      await shared.read(slow, 0, 25);
      await shared.read(fast, 0, 25);
      await shared.read(fast, 25, 25);
      const third = shared.read(fast, 50, 25).then(() => 'third');
      return Object.assign(fixture, { shared, slow, third });
    }

    it('lets the other come after, which then need not read for itself', async () => {
      await using fixture = await ahead();
      const { shared, slow, third, reads } = fixture;
      const order: string[] = [];
      const second = shared.read(slow, 25, 25).then(() => order.push('second of the slow one'));
      await Promise.all([second, third.then((name) => order.push(name))]);
      expect(order).toEqual(['second of the slow one', 'third']);
      expect(reads).toEqual([0, 25, 50]);
    });

    it('does not wait for one that rests or leaves', async () => {
      for (const end of ['rest', 'leave'] as const) {
        await using fixture = await ahead();
        fixture.shared[end](fixture.slow);
        // Sooner than patience could end.
        const impatient = new Promise((resolve) => setTimeout(resolve, 200, 'waited'));
        expect(await Promise.race([fixture.third, impatient])).toBe('third');
      }
    });

    it('loses patience with one that does not come', async () => {
      await using fixture = await ahead();
      expect(await fixture.third).toBe('third');
      expect((await fixture.shared.read(fixture.slow, 0, 25)).map(({ data }) => data)).toHaveLength(25);
      expect(fixture.reads).toEqual([0, 25, 50, 0]);
    });
  });
});
