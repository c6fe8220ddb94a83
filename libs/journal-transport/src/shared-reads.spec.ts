import { LmdbJournal } from '#libs/journal';
import { LmdbStateStore } from '#libs/state';
import { temporaryFolder } from '#libs/testing';
import { SharedReads } from './shared-reads.js';

/** A real journal with a hundred numbers, that counts how often it is read. */
async function open(): Promise<AsyncDisposable & { journal: LmdbJournal; reads: number[] }> {
  const folder = temporaryFolder('shared-reads');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock: { now: () => 1_000 }, shards: 1 });
  await journal.append(
    'numbers',
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
    shared.join('numbers', 0);
    shared.join('numbers', 0);
    const first = await shared.read('numbers', 0, 0, 10);
    expect(await shared.read('numbers', 0, 0, 10)).toBe(first);
    const part = await shared.read('numbers', 0, 4, 3);
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
    for (let i = 0; i < 2; i++) shared.join('numbers', 0);
    for (let from = 0; from < 100; from += 25) await shared.read('numbers', 0, from, 25);
    expect(await shared.read('numbers', 0, 100, 25)).toEqual([]);
    await fixture.journal.append('numbers', [{ key: 'device', data: 100 }]);
    expect((await shared.read('numbers', 0, 100, 25)).map(({ data }) => data)).toEqual([100]);
    expect((await shared.read('numbers', 0, 0, 2)).map(({ data }) => data)).toEqual([0, 1]);
    expect(fixture.reads).toEqual([0, 25, 50, 75, 100, 100, 0]);
  });

  it('keeps nothing for one reader alone', async () => {
    await using fixture = await open();
    const shared = SharedReads.of(fixture.journal);
    for (let i = 0; i < 2; i++) shared.join('numbers', 0);
    shared.leave('numbers', 0);
    for (let i = 0; i < 2; i++) await shared.read('numbers', 0, 0, 10);
    expect(fixture.reads).toEqual([0, 0]);
  });
});
