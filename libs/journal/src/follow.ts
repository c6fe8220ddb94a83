import { isTransient, PantauError, SECOND, type Millis } from '#libs/kernel';
import { setTimeout as delay } from 'node:timers/promises';
import type { StreamTypes } from '#libs/streams';
import type { Entry, Journal } from './journal.js';
import type { NameIn } from './new-entry.js';
import { readPage } from './pages.js';

const PAGE = 500;
const PAUSE: Millis = SECOND;

/** An entry that could not be read or handled. */
export interface SetAside {
  readonly stream: string;
  readonly shard: number;
  readonly offset: number;
  /** Of the entry; undefined when it could not even be read. */
  readonly key: string | undefined;
  readonly error: unknown;
}

export type SetAsideHandler = (fault: SetAside) => void | Promise<void>;

export interface FollowOptions<S extends string, T> {
  readonly stream: S;
  /** Where to begin: at the oldest entry that is kept, or after the newest. */
  readonly from: 'beginning' | 'end';
  readonly signal: AbortSignal;
  /** Takes one entry. A transient failure is tried again until it passes; after any other the entry is set aside. */
  readonly handle: (entry: Entry<T>) => void | Promise<void>;
  /** Told of an entry that is passed over. */
  readonly setAside: SetAsideHandler;
  /** Told of what is tried again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Reads a stream on and on, shard by shard, without a cursor of its own: for what is kept in memory and read again at
 * the next start. No entry can end it: one that cannot be read or handled is set aside, and the next one follows.
 *
 * @returns resolves when everything that is there now was handled, or waits for something that is away; following goes on
 * until the signal aborts
 */
export async function follow<S extends NameIn<Types>, Types = StreamTypes>(
  journal: Journal<Types>,
  options: FollowOptions<S, Types[S]>,
): Promise<void> {
  const { stream, from: beginning, signal, handle, setAside, onError } = options;
  const caughtUp: Promise<void>[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const { first, next } = await journal.extent(stream, shard);
    caughtUp.push(
      new Promise((resolve) => void followShard(beginning === 'end' ? next : first, shard, resolve)),
    );
  }
  await Promise.all(caughtUp);

  async function followShard(start: number, shard: number, arrived: () => void): Promise<void> {
    let next = start;
    while (!signal.aborted) {
      try {
        next = await step(next, shard, arrived);
      } catch (error) {
        if (isClosed(error)) break;
        onError(error);
        arrived();
        await delay(PAUSE, undefined, { signal }).catch(() => undefined);
      }
    }
    arrived();
  }

  /** @returns where to go on */
  async function step(from: number, shard: number, arrived: () => void): Promise<number> {
    const { entries, unreadable, next } = await readPage(journal, stream, shard, from, PAGE);
    if (unreadable !== undefined) {
      const { offset, key } = unreadable;
      await setAside({ stream, shard, offset, key, error: unreadable });
    } else if (next === from) {
      arrived();
      await journal.waitFor(stream, shard, from, signal);
    }
    for (const entry of entries) {
      await take(entry);
      if (signal.aborted) break;
    }
    return next;
  }

  async function take(entry: Entry<Types[S]>): Promise<void> {
    const { shard, offset, key } = entry;
    for (;;) {
      try {
        await handle(entry);
        return;
      } catch (error) {
        if (signal.aborted || isClosed(error)) return;
        if (!isTransient(error)) {
          await setAside({ stream, shard, offset, key, error });
          return;
        }
        onError(error);
        await delay(PAUSE, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof PantauError && error.code === 'JOURNAL_CLOSED';
}
