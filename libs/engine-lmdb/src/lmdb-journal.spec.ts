import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom, type Clock } from '#libs/kernel';
import type { StoredForm } from '#libs/streams';
import {
  describeWith,
  mountSmallFilesystem,
  muteLmdb,
  repetitions,
  temporaryFolder,
  waitUntil,
} from '#libs/testing';
import {
  describeDirectAppendsContract,
  describeConditionalAppends,
  describeJournalContract,
  readAll,
  type JournalFixture,
} from '#contracts/journal';
import type { AnyJournal, AnyStreams } from '#libs/journal';
import { LmdbJournal, type StreamTraits } from './lmdb-journal.js';
import { LmdbStateStore } from './lmdb-state-store.js';

const INTAKE: StreamTraits = { intake: true };
const RESERVE = 10_000_000;

async function openJournal(
  shards = 4,
  streams: Record<string, StreamTraits> = {},
): Promise<JournalFixture & { readonly folder: string }> {
  const folder = temporaryFolder('journal');
  const clock: Clock = { now: () => 1_000 };
  let state = LmdbStateStore.open(folder.path);
  let freeBytes = 1e12;
  const measureDisk = async (): Promise<{ freeBytes: number; totalBytes: number }> => ({
    freeBytes,
    totalBytes: 1e12,
  });
  let journal = await LmdbJournal.open<AnyStreams>({
    state,
    clock,
    shards,
    minFree: RESERVE,
    measureDisk,
    streams,
  });
  const close = async (): Promise<void> => {
    await journal.close();
    await state.close();
  };
  return {
    journal,
    state,
    clock,
    folder: folder.path,
    setShortOfSpace(isShort) {
      freeBytes = isShort ? RESERVE - 1_000_000 : 1e12;
    },
    async reopen() {
      await close();
      state = LmdbStateStore.open(folder.path);
      journal = await LmdbJournal.open<AnyStreams>({ state, clock, streams });
      return journal;
    },
    async [Symbol.asyncDispose]() {
      await close();
      folder[Symbol.dispose]();
    },
  };
}

describeJournalContract('LMDB', () => openJournal());
describeConditionalAppends('LMDB', () => openJournal());
describeJournalContract('LMDB with one shard', () => openJournal(1));
// The stream that most of the contract appends to.
describeJournalContract('LMDB with an environment for what comes in', () => openJournal(4, { s: INTAKE }));

/** The data as the only item of a list. */
const LISTED: StreamTraits = { form: { pack: (data) => [data], unpack: ([data]) => data as never } };
describeJournalContract('LMDB with a form', () => openJournal(4, { s: LISTED, out: LISTED }));
describeDirectAppendsContract('LMDB', () => openJournal());
describeDirectAppendsContract('LMDB with an environment for what comes in, and a form', () =>
  openJournal(4, { s: { ...INTAKE, ...LISTED } }),
);

const APPENDER = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'appender.mjs');

/** Starts an appender process; `acknowledged` grows as it prints. */
function startAppender(
  folder: string,
  producer: string,
  count: number,
  stream = 'crash',
): { child: ReturnType<typeof spawn>; acknowledged: () => number[] } {
  const child = spawn(process.execPath, [APPENDER, folder, producer, String(count), stream], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // A line that was cut by the kill is no acknowledgement.
  return { child, acknowledged: () => text.split('\n').slice(0, -1).map(Number) };
}

describe('LmdbJournal under SIGKILL', () => {
  const ROUNDS = repetitions(100);

  it(`loses no acknowledged entry and has no torn tail in ${ROUNDS} kills in the middle of appending`, async () => {
    const random = seededRandom(20231009);
    using folder = temporaryFolder('crash');
    let acknowledgedInAll = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const producer = `round-${round}`;
      // What comes in has an environment of its own.
      const stream = round % 2 === 0 ? 'uplink' : 'crash';
      const { child, acknowledged } = startAppender(folder.path, producer, 1_000_000, stream);
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
      const streams = { uplink: INTAKE };
      const journal = await LmdbJournal.open<AnyStreams>({ state, clock: { now: Date.now }, streams });
      const entries = await readAll<{ n: number; filler: string }>(journal, stream);
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
        const entries = await fixture.journal.read('crash', shard, from, 100);
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

describe('LmdbJournal that appends without looking, because it was alone', () => {
  it('sees that another one wrote or removed meanwhile', async () => {
    using folder = temporaryFolder('journal');
    const open = async (): Promise<{ state: LmdbStateStore; journal: AnyJournal }> => {
      const state = LmdbStateStore.open(folder.path);
      return {
        state,
        journal: await LmdbJournal.open<AnyStreams>({
          ...{ state, clock: { now: () => 1_000 }, shards: 1 },
          streams: { uplink: INTAKE },
        }),
      };
    };
    const [one, other] = [await open(), await open()];
    // A header of 12 bytes and ['k', n].
    const CHUNK_BYTES = 16;
    let n = 0;
    const append = async ({ journal }: typeof one, times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await journal.append('uplink', [{ key: 'k', data: n++ }]);
    };
    // From the third one on it does not look.
    await append(one, 4);
    await append(other, 1);
    await append(one, 4);
    await other.journal.retain('uplink', { maxBytes: 0 });
    await append(one, 4);
    await append(other, 4);
    await append(one, 1);
    for (const { journal } of [one, other]) {
      expect(await journal.extent('uplink', 0)).toEqual({ first: 9, next: 18 });
      const entries = await journal.read('uplink', 0, 9, 100);
      expect(entries.map(({ offset, data }) => [offset, data])).toEqual(
        Array.from({ length: 9 }, (_, i) => [9 + i, 9 + i]),
      );
    }
    const [stats] = await one.journal.stats();
    expect(stats).toEqual({ stream: 'uplink', entries: 9, bytes: 9 * CHUNK_BYTES });
    for (const { journal, state } of [one, other]) {
      await journal.close();
      await state.close();
    }
  });
});

describe('the intake of LmdbJournal', () => {
  it('goes on where it lay in a journal from before it had an environment of its own', async () => {
    using folder = temporaryFolder('journal');
    const state = LmdbStateStore.open(folder.path);
    const open = (streams: Record<string, StreamTraits>): Promise<AnyJournal> =>
      LmdbJournal.open<AnyStreams>({ state, clock: { now: () => 1_000 }, shards: 1, streams });
    let journal = await open({});
    await journal.append('in', [{ key: 'k', data: 1 }]);
    await journal.commit({ cursor: 'stage', stream: 'in', shard: 0, expected: 0, next: 1 });
    await journal.close();
    journal = await open({ in: INTAKE, other: INTAKE });
    await journal.append('in', [{ key: 'k', data: 2 }]);
    await journal.append('other', [{ key: 'k', data: 3 }]);
    expect((await readAll(journal, 'in')).map(({ offset, data }) => [offset, data])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect((await readAll(journal, 'other')).map(({ data }) => data)).toEqual([3]);
    expect(await journal.stats()).toEqual([
      expect.objectContaining({ stream: 'in', entries: 2 }),
      expect.objectContaining({ stream: 'other', entries: 1 }),
    ]);
    await journal.close();
    await state.close();
  });

  it('takes nothing with the commit of a stage, which could not be one commit', async () => {
    await using fixture = await openJournal(1, { in: INTAKE });
    const append = [{ stream: 'in', entries: [fixture.journal.encode('in', [{ key: 'k', data: 1 }])] }];
    const commit = { cursor: 'stage', stream: 'in', shard: 0, expected: 0, next: 1, append };
    await expect(fixture.journal.commit(commit)).rejects.toMatchObject({ code: 'USAGE' });
    expect(await fixture.journal.position('stage', 'in', 0)).toBe(0);
  });
});

describe('the close of LmdbJournal', () => {
  it('waits for a commit that was handed in just before and begins at the end of the turn', async () => {
    await using fixture = await openJournal(1);
    const committed = fixture.journal.commit({
      cursor: 'stage',
      stream: 's',
      shard: 0,
      expected: 0,
      next: 0,
    });
    let isCommitted = false;
    committed.then(
      () => (isCommitted = true),
      () => undefined,
    );
    await fixture.journal.close();
    expect(isCommitted).toBe(true);
  });
});

describe('the form of a stream in LmdbJournal', () => {
  it('is what is stored, and is never seen by who reads', async () => {
    using folder = temporaryFolder('journal');
    const state = LmdbStateStore.open(folder.path);
    const open = (streams: Record<string, StreamTraits>): Promise<AnyJournal> =>
      LmdbJournal.open<AnyStreams>({ state, clock: { now: () => 1_000 }, shards: 1, streams });
    const form: StoredForm<{ n: number }> = {
      pack: ({ n }) => [n],
      unpack: ([n]) => {
        if (typeof n !== 'number') throw new RangeError(`expected a number, found ${String(n)}`);
        return { n };
      },
    };
    let journal = await open({});
    await journal.append('s', [{ key: 'k', data: { n: 1 } }]);
    await journal.close();

    journal = await open({ s: { form: form as StoredForm<never> } });
    await journal.append('s', [{ key: 'k', data: { n: 2 } }]);
    const append = ['s', 'other'].map((stream) => ({
      stream,
      entries: [journal.encode(stream, [{ key: 'k', data: { n: 3 } }])],
    }));
    await journal.commit({ cursor: 'stage', stream: 's', shard: 0, expected: 0, next: 1, append });
    // What lay there before the stream had a form, too.
    expect((await readAll(journal, 's')).map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect((await journal.readBackwards('s', 0, 2)).map(({ data }) => data)).toEqual([{ n: 3 }, { n: 2 }]);
    await expect(journal.append('s', [{ key: 'k', data: null }])).rejects.toThrow(TypeError);
    await journal.close();

    journal = await open({});
    expect((await readAll(journal, 's')).map(({ data }) => data)).toEqual([{ n: 1 }, [2], [3]]);
    expect((await readAll(journal, 'other')).map(({ data }) => data)).toEqual([{ n: 3 }]);
    await journal.append('s', [{ key: 'k', data: ['x'] }]);
    await journal.close();

    journal = await open({ s: { form: form as StoredForm<never> } });
    await expect(journal.read('s', 0, 3, 1)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    await journal.close();
    await state.close();
  });
});

describe('LmdbJournal and its disk', () => {
  it('counts the space that removed entries left in its file, which never becomes smaller', async () => {
    await using fixture = await openJournal(1);
    const { journal } = fixture;
    for (let i = 0; i < 20; i++) await journal.append('s', [{ key: 'k', data: new Uint8Array(200_000) }]);
    fixture.setShortOfSpace(true);
    await waitUntil('it is noticed', async () => !(await journal.space()).accepting);
    await journal.retain('s', { maxBytes: 0 });
    await waitUntil('retention has freed', async () => (await journal.space()).accepting);
    const { freeBytes } = await journal.space();
    // A million less than the reserve on the disk, four millions and a little inside.
    expect(freeBytes).toBeGreaterThan(RESERVE + 2_900_000);
    expect(freeBytes).toBeLessThan(RESERVE + 4_000_000);
    await journal.append('s', [{ key: 'k', data: 1 }], { yields: true });
  });
});

describeWith(['mount'], 'LmdbJournal on a file system without a byte to spare', () => {
  const entry = (n: number): { key: string; data: { n: number; filler: Uint8Array } }[] => [
    { key: 'k', data: { n, filler: new Uint8Array(20_000).fill(n) } },
  ];

  it('writes nothing by halves, tells input and the rest, and goes on when there is space, without being opened again', async () => {
    using disk = mountSmallFilesystem(24 * 1024 * 1024);
    const state = LmdbStateStore.open(disk.path);
    const open = (): Promise<AnyJournal> =>
      LmdbJournal.open<AnyStreams>({ state, clock: { now: () => 1_000 }, shards: 1, minFree: 0 });
    let journal = await open();
    const unmute = muteLmdb(state.environment.root);
    try {
      disk.fill(1_000_000);
      const durable: number[] = [];
      let n = 0;
      const failures: unknown[] = [];
      while (failures.length < 3) {
        // Several at once, so that a transaction holds input and a stage's commit together.
        const numbers = [n++, n++, n++];
        const position = await journal.position('stage', 'in', 0);
        const results = await Promise.allSettled([
          ...numbers.map((number) => journal.append('s', entry(number), { yields: number % 2 === 0 })),
          journal.commit({ cursor: 'stage', stream: 'in', shard: 0, expected: position, next: position + 1 }),
        ]);
        numbers.forEach((number, i) => {
          const result = results[i]!;
          if (result.status === 'fulfilled') durable.push(number);
          else failures.push(result.reason);
        });
        // One transaction: the cursor moved if and only if the appends are there.
        const committed = results[3]!.status === 'fulfilled' ? 1 : 0;
        expect(await journal.position('stage', 'in', 0)).toBe(position + committed);
      }
      for (const failure of failures)
        expect(failure).toMatchObject({ code: 'JOURNAL_FULL', transient: true });
      expect(durable.length).toBeGreaterThan(10);
      const stored = async (): Promise<number[]> => {
        const entries = await readAll<{ n: number; filler: Uint8Array }>(journal, 's');
        // Every entry whole.
        for (const { data } of entries) expect(data.filler.every((byte) => byte === data.n % 256)).toBe(true);
        return entries.map(({ data }) => data.n);
      };
      expect(await stored()).toEqual(durable);
      await expect(
        state.write([{ namespace: 'n', key: 'k', value: new Uint8Array(1e6) }]),
      ).rejects.toMatchObject({
        code: 'JOURNAL_WRITE_FAILED',
        transient: true,
      });
      expect((await journal.space()).accepting).toBe(false);

      disk.clear();
      await waitUntil('the space is noticed', async () => (await journal.space()).accepting);
      for (const number of [n++, n++]) {
        await journal.append('s', entry(number), { yields: true });
        durable.push(number);
      }
      expect(await stored()).toEqual(durable);
      await journal.close();
      journal = await open();
      expect(await stored()).toEqual(durable);
    } finally {
      unmute();
      await journal.close();
      await state.close();
    }
  });
});
