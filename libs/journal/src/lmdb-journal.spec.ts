import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom, type Clock } from '#libs/kernel';
import { LmdbStateStore } from '#libs/state';
import { temporaryFolder } from '#libs/testing';
import { describeJournalContract, readAll, type JournalFixture } from './journal.contract.js';
import { LmdbJournal } from './lmdb-journal.js';

async function openJournal(shards = 4): Promise<JournalFixture & { readonly folder: string }> {
  const folder = temporaryFolder('journal');
  const clock: Clock = { now: () => 1_000 };
  let state = LmdbStateStore.open(folder.path);
  let journal = await LmdbJournal.open({ state, clock, shards });
  const close = async (): Promise<void> => {
    await journal.close();
    await state.close();
  };
  return {
    journal,
    state,
    clock,
    folder: folder.path,
    async reopen() {
      await close();
      state = LmdbStateStore.open(folder.path);
      journal = await LmdbJournal.open({ state, clock });
      return journal;
    },
    async [Symbol.asyncDispose]() {
      await close();
      folder[Symbol.dispose]();
    },
  };
}

describeJournalContract('LMDB', () => openJournal());
describeJournalContract('LMDB with one shard', () => openJournal(1));

const APPENDER = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'appender.mjs');

/** Starts an appender process; `acknowledged` grows as it prints. */
function startAppender(
  folder: string,
  producer: string,
  count: number,
): { child: ReturnType<typeof spawn>; acknowledged: () => number[] } {
  const child = spawn(process.execPath, [APPENDER, folder, producer, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // A line that was cut by the kill is no acknowledgement.
  return { child, acknowledged: () => text.split('\n').slice(0, -1).map(Number) };
}

describe('LmdbJournal under SIGKILL', () => {
  const ROUNDS = 100;

  it(`loses no acknowledged entry and has no torn tail in ${ROUNDS} kills in the middle of appending`, async () => {
    const random = seededRandom(20231009);
    using folder = temporaryFolder('crash');
    let acknowledgedInAll = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const producer = `round-${round}`;
      const { child, acknowledged } = startAppender(folder.path, producer, 1_000_000);
      // Killed after a random number of acknowledgements, so that it dies while appending and not while starting.
      const killAfter = 1 + Math.floor(random() * 400);
      const exited = once(child, 'exit');
      await new Promise<void>((resolve) => {
        child.stdout!.on('data', () => {
          if (acknowledged().length >= killAfter) resolve();
        });
        child.once('exit', () => resolve());
      });
      child.kill('SIGKILL');
      const [, signal] = (await exited) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');

      const state = LmdbStateStore.open(folder.path);
      const journal = await LmdbJournal.open({ state, clock: { now: Date.now } });
      const entries = await readAll<{ n: number; filler: string }>(journal, 'crash');
      const own = entries.filter((entry) => entry.key === producer).map((entry) => entry.data);
      // Everything acknowledged is there; what is there beyond that is a run without gaps, each entry whole.
      expect(own.map(({ n }) => n)).toEqual(own.map((_, i) => i));
      expect(own.length).toBeGreaterThan(Math.max(...acknowledged()));
      expect(own.every(({ n, filler }) => filler.length === n % 700)).toBe(true);
      acknowledgedInAll += acknowledged().length;
      await journal.close();
      await state.close();
    }
    expect(acknowledgedInAll).toBeGreaterThan(ROUNDS);
  }, 300_000);
});

describe('LmdbJournal used by several processes', () => {
  it('takes appends of four processes at once, without gap, double or mixed-up order', async () => {
    await using fixture = await openJournal();
    const stop = new AbortController();
    const producers = ['a', 'b', 'c', 'd'];
    const children = producers.map((producer) => startAppender(fixture.folder, producer, 500).child);
    const seen: { key: string; n: number }[] = [];
    const follow = async (shard: number): Promise<void> => {
      for (let from = 0; !stop.signal.aborted;) {
        await fixture.journal.waitFor('crash', shard, from, stop.signal);
        const entries = await fixture.journal.read<{ n: number }>('crash', shard, from, 100);
        from += entries.length;
        seen.push(...entries.map(({ key, data }) => ({ key, n: data.n })));
        if (seen.length >= 2000) stop.abort();
      }
    };
    // This process follows all the while and is woken by what the others append.
    await Promise.all([...children.map((child) => once(child, 'exit')), ...[0, 1, 2, 3].map(follow)]);
    for (const producer of producers) {
      const own = seen.filter(({ key }) => key === producer).map(({ n }) => n);
      expect(own).toEqual(Array.from({ length: 500 }, (_, i) => i));
    }
  });
});
