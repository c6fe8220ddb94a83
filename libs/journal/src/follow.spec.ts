import { LmdbStateStore, LmdbJournal } from '#libs/engine-lmdb';
import { temporaryFolder, waitUntil } from '#libs/testing';
import { follow, type SetAside } from './follow.js';
import type { AnyJournal, AnyStreams } from './journal.js';

const clock = { now: () => 1_000 };
const NO_MESSAGEPACK = 0xc1;

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

describe('follow', () => {
  it('goes on behind every entry that cannot be read, is too deep or cannot be handled, and says which', async () => {
    using folder = temporaryFolder('follow');
    const state = LmdbStateStore.open(folder.path);
    const journal: AnyJournal = await LmdbJournal.open<AnyStreams>({ state, clock, shards: 1 });
    const stop = new AbortController();
    try {
      const poison = [nested(70), 'one', 'throws', 'two', 'unreadable', 'three'];
      for (const data of poison) await journal.append('poison', [{ key: 'device', data }]);
      const chunks = state.environment.database<Buffer, [string, number, number]>('journal', 'binary');
      const chunk = Buffer.from(chunks.get(['poison', 0, 4])!).fill(NO_MESSAGEPACK, 12);
      await chunks.put(['poison', 0, 4], chunk);

      const handled: unknown[] = [];
      const aside: SetAside[] = [];
      await follow(journal, {
        stream: 'poison',
        from: 'beginning',
        signal: stop.signal,
        handle: ({ data }) => {
          if (data === 'throws') throw new RangeError('Maximum call stack size exceeded');
          handled.push(data);
        },
        setAside: (fault) => void aside.push(fault),
        onError: (error) => {
          throw error;
        },
      });
      await journal.append('poison', [{ key: 'device', data: 'four' }]);
      await waitUntil('the newest entry was handled', () => handled.includes('four'));

      expect(handled).toEqual(['one', 'two', 'three', 'four']);
      expect(aside).toMatchObject([
        { stream: 'poison', shard: 0, offset: 0, key: 'device', error: { code: 'JOURNAL_CORRUPT' } },
        { offset: 2, key: 'device', error: { message: 'Maximum call stack size exceeded' } },
        { offset: 4, key: undefined, error: { code: 'JOURNAL_CORRUPT' } },
      ]);
    } finally {
      stop.abort();
      await journal.close();
      await state.close();
    }
  });
});
