import { temporaryFolder } from '#libs/testing';
import { Packr } from 'msgpackr';
import type { StreamShape } from '#libs/streams';
import {
  type AnyJournal,
  type AnyStreams,
  type Entry,
  newestFirst,
  pagesOf,
  type UnreadableEntry,
} from '#libs/journal';
import { LmdbJournal } from './lmdb-journal.js';
import { LmdbStateStore } from './lmdb-state-store.js';

const packr = new Packr({ useRecords: false });
const pack = (value: unknown): Buffer => Buffer.from(packr.pack(value));
/** An entry whose data is stored in these bytes. */
const entry = (data: Buffer): Buffer => Buffer.concat([Buffer.of(0x92), pack('device'), data]);
const good = (n: number): Buffer => entry(pack({ n }));
/** The byte that MessagePack never uses. */
const NEVER_USED = Buffer.of(0xc1);
const nestedBytes = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);

const shape: StreamShape = (data) =>
  typeof (data as { n?: unknown } | null)?.n === 'number' ? undefined : 'no n';

async function open(): Promise<{ journal: AnyJournal; state: LmdbStateStore } & AsyncDisposable> {
  const folder = temporaryFolder('unreadable');
  const state = LmdbStateStore.open(folder.path);
  const clock = { now: () => 1_000 };
  const journal = await LmdbJournal.open<AnyStreams>({ state, clock, shards: 1, streams: { s: { shape } } });
  return {
    journal,
    state,
    async [Symbol.asyncDispose]() {
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

/** Stores entries in one chunk, as bytes. */
const plant = async (journal: AnyJournal, ...entries: Buffer[]): Promise<void> => {
  const batch = journal.direct!.begin('s');
  for (const bytes of entries) {
    const at = batch.reserve(0, bytes.length);
    bytes.copy(batch.buffer, at);
  }
  await batch.append();
};

type Found = (number | string)[];
const told = ({ offset, key, cause }: UnreadableEntry): string =>
  `${offset} ${key ?? '?'}: ${(cause as Error).message}`;

/** Reads on with pages of that size: the numbers of those that can be read, and what is told of the others. */
async function forwards(journal: AnyJournal, page: number): Promise<Found> {
  const found: Found = [];
  for await (const entries of pagesOf<'s', AnyStreams>(journal, 's', 0, (fault) => found.push(told(fault)), {
    page,
  }))
    found.push(...entries.map(({ data }) => (data as { n: number }).n));
  return found;
}

async function backwards(journal: AnyJournal, page: number): Promise<Found> {
  const found: Found = [];
  const seen: Entry[] = [];
  for await (const one of newestFirst(journal, 's', 0, (fault) => found.push(told(fault)), page)) {
    found.push((one.data as { n: number }).n);
    seen.push(one);
  }
  expect(seen.map(({ offset }) => offset)).toEqual(seen.map(({ offset }) => offset).sort((a, b) => b - a));
  return found.reverse();
}

const PAGES = [1, 2, 3, 100];

describe('an entry that cannot be read', () => {
  it.each([
    ['bytes that are no MessagePack', entry(NEVER_USED), '1 device: '],
    ['a type that nobody knows', entry(Buffer.of(0xd4, 0x55, 1)), '1 device: '],
    ['nesting that no stack holds', entry(nestedBytes(200_000)), '1 device: '],
    [
      'nesting that an earlier version took',
      entry(nestedBytes(3_500)),
      '1 device: nested too deep; at most 64',
    ],
    ['nesting that is one too much', entry(nestedBytes(65)), '1 device: nested too deep; at most 64'],
    ['another shape than its stream has', entry(pack('text')), '1 device: no n'],
    ['nothing at all', entry(pack(null)), '1 device: no n'],
    ['no key', pack([7, { n: 1 }]), '1 ?: no key and data'],
    ['no list of key and data', pack({ n: 1 }), '1 ?: no key and data'],
  ])(
    'stands alone, with its place and key, among those of its chunk: %s',
    async (_name, poison, expected) => {
      await using fixture = await open();
      const { journal } = fixture;
      await plant(journal, good(0), poison, good(2), good(3));
      await plant(journal, poison);
      await plant(journal, good(5));
      const again = expected.replace('1 ', '4 ');
      for (const page of PAGES)
        for (const found of [await forwards(journal, page), await backwards(journal, page)])
          expect(found).toEqual([
            0,
            expect.stringContaining(expected),
            ...[2, 3],
            expect.stringContaining(again),
            5,
          ]);
    },
  );

  it('is every one behind bytes that end too early, and none of the next chunk', async () => {
    await using fixture = await open();
    const { journal } = fixture;
    const cut = entry(Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61));
    await plant(journal, good(0), cut, good(2));
    await plant(journal, good(3));
    const lost = [1, 2].map((offset) => `${offset} ?: the bytes end before the entry`);
    for (const page of PAGES)
      for (const found of [await forwards(journal, page), await backwards(journal, page)])
        expect(found).toEqual([0, ...lost, 3]);
  });

  it.each(['gone', 'without a header'])('is every one of a chunk that is %s', async (what) => {
    await using fixture = await open();
    const { journal, state } = fixture;
    for (const entries of [[good(0)], [good(1), good(2)], [good(3)], [good(4)]])
      await plant(journal, ...entries);
    const chunks = state.environment.database<Buffer, [string, number, number]>('journal', 'binary');
    for (const first of [1, 4]) {
      if (what === 'gone') await chunks.remove(['s', 0, first]);
      else await chunks.put(['s', 0, first], Buffer.of(1, 2, 3));
    }
    const lost = [1, 2, 4].map((offset) => `${offset} ?: no bytes are stored for it`);
    for (const page of PAGES)
      for (const found of [await forwards(journal, page), await backwards(journal, page)])
        expect(found).toEqual([0, ...lost.slice(0, 2), 3, ...lost.slice(2)]);
  });

  it('is told as often as it is asked for, and moves nothing', async () => {
    await using fixture = await open();
    const { journal } = fixture;
    await plant(journal, good(0), entry(NEVER_USED), good(2));
    for (let i = 0; i < 2; i++)
      await expect(journal.read('s', 0, 1, 10)).rejects.toMatchObject({
        ...{ code: 'JOURNAL_CORRUPT', stream: 's', shard: 0, offset: 1, key: 'device' },
      });
    expect(await journal.read('s', 0, 0, 10)).toMatchObject([{ offset: 0 }]);
    expect(await journal.read('s', 0, 2, 10)).toMatchObject([{ offset: 2 }]);
    expect(await journal.read('s', 0, 3, 10)).toEqual([]);
  });

  it('does not hold up retention, which removes a chunk without a header with its neighbours', async () => {
    await using fixture = await open();
    const { journal, state } = fixture;
    for (const entries of [[good(0)], [good(1), good(2)], [good(3)], [good(4)]])
      await plant(journal, ...entries);
    const chunks = state.environment.database<Buffer, [string, number, number]>('journal', 'binary');
    for (const first of [1, 4]) await chunks.put(['s', 0, first], Buffer.of(1, 2, 3));
    // The newest is kept: nothing says how old it is.
    expect(await journal.retain('s', { maxAge: -1 })).toMatchObject([{ dropped: 4 }]);
    expect(await journal.extent('s', 0)).toEqual({ first: 4, next: 5 });
    await plant(journal, good(5));
    expect(await journal.retain('s', { maxAge: -1 })).toMatchObject([{ dropped: 2 }]);
    expect(await journal.extent('s', 0)).toEqual({ first: 6, next: 6 });
  });
});

it('the number of shards is no other one: a journal that cannot read it does not open', async () => {
  using folder = temporaryFolder('unreadable');
  const state = LmdbStateStore.open(folder.path, () => undefined);
  await state.write([{ namespace: 'journal', key: 'shards', value: 'four' }]);
  await expect(LmdbJournal.open({ state, clock: { now: () => 1_000 } })).rejects.toMatchObject({
    code: 'JOURNAL_CORRUPT',
  });
  await state.close();
});
