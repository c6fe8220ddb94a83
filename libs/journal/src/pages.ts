import { PantauError } from '#libs/kernel';
import type { StreamTypes } from '#libs/streams';
import type { Entry, Journal } from './journal.js';
import type { NameIn } from './new-entry.js';
import { UnreadableEntry } from './unreadable-entry.js';

/** What one read of a shard brought. */
export interface EntryPage<T> {
  /** In the order of the read. */
  readonly entries: readonly Entry<T>[];
  /** What cannot be read, and was passed over; then there are no entries. */
  readonly unreadable: UnreadableEntry | undefined;
  /** Where to go on: the offset to read next, or backwards the one to read before. */
  readonly next: number;
}

/** A journal, or what stands in for one. */
type Readable<Types> = Pick<Journal<Types>, 'read' | 'extent'>;

/** Told of every entry that is passed over, because it cannot be read. */
export type UnreadableEntryListener = (fault: UnreadableEntry) => void;

/**
 * The door through which everybody reads who has no cursor: nothing that is stored can stop it. What retention takes
 * meanwhile is left out.
 *
 * @returns a page that brings nothing and goes on where it began only at the end
 */
export async function readPage<S extends NameIn<Types>, Types = StreamTypes>(
  journal: Readable<Types>,
  stream: S,
  shard: number,
  from: number,
  limit: number,
): Promise<EntryPage<Types[S]>> {
  try {
    const entries = await journal.read(stream, shard, from, limit);
    return { entries, unreadable: undefined, next: from + entries.length };
  } catch (error) {
    if (error instanceof UnreadableEntry) return { entries: [], unreadable: error, next: error.offset + 1 };
    if (!(error instanceof PantauError) || error.code !== 'CURSOR_LOST_ENTRIES') throw error;
    return { entries: [], unreadable: undefined, next: (await journal.extent(stream, shard)).first };
  }
}

export interface Span {
  /** By default the oldest that is kept. */
  readonly from?: number;
  /** By default the end, as it is when it is reached. */
  readonly to?: number;
  /** Entries at a time. */
  readonly page?: number;
}

const PAGE = 2_000;

/** What is kept of a shard, oldest first, page by page. */
export async function* pagesOf<S extends NameIn<Types>, Types = StreamTypes>(
  journal: Readable<Types>,
  stream: S,
  shard: number,
  passedOver: UnreadableEntryListener,
  { from, to = Infinity, page = PAGE }: Span = {},
): AsyncGenerator<readonly Entry<Types[S]>[], undefined> {
  for (let at = from ?? (await journal.extent(stream, shard)).first; at < to;) {
    const { entries, unreadable, next } = await readPage(journal, stream, shard, at, Math.min(page, to - at));
    if (unreadable !== undefined) passedOver(unreadable);
    if (entries.length > 0) yield entries;
    if (next === at) return;
    at = next;
  }
}

/**
 * What is kept of a shard, newest first.
 *
 * @param page - entries that are read at first; twice as many each time after, for whoever wants more than that
 * @param end - only what stands before this offset
 */
export async function* newestFirst<S extends NameIn<Types>, Types = StreamTypes>(
  journal: Journal<Types>,
  stream: S,
  shard: number,
  passedOver: UnreadableEntryListener,
  page = PAGE,
  end = Infinity,
): AsyncGenerator<Entry<Types[S]>, undefined> {
  let most = Math.min(PAGE, page);
  for (let before = end; ;) {
    try {
      const entries = await journal.readBackwards(stream, shard, most, before);
      const last = entries.at(-1);
      if (last === undefined) return;
      yield* entries;
      before = last.offset;
      most = Math.min(PAGE, 2 * most);
    } catch (error) {
      if (!(error instanceof UnreadableEntry)) throw error;
      passedOver(error);
      before = error.offset;
    }
  }
}

/**
 * Visits every entry of a stream that is kept, shard by shard, each in its order.
 *
 * @param passedOver - without it the first entry that cannot be read ends the visit with its error
 */
export async function eachEntry<S extends NameIn<Types>, Types = StreamTypes>(
  journal: Journal<Types>,
  stream: S,
  visit: (entry: Entry<Types[S]>) => void,
  passedOver: UnreadableEntryListener = (fault) => {
    throw fault;
  },
): Promise<void> {
  for (let shard = 0; shard < journal.shards; shard++)
    for await (const entries of pagesOf(journal, stream, shard, passedOver))
      for (const entry of entries) visit(entry);
}
