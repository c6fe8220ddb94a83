import type { Entry, Journal } from './journal.js';

const PAGE = 500;

/**
 * Reads a stream on and on, shard by shard, without a cursor of its own: for what is kept in memory and read again at
 * the next start.
 *
 * @param from - where to begin: at the oldest entry that is kept, or after the newest
 * @returns resolves when everything that is there now was handled; following goes on until the signal aborts
 */
export async function follow<T>(
  journal: Journal,
  stream: string,
  from: 'beginning' | 'end',
  handle: (entries: readonly Entry<T>[]) => void | Promise<void>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  const caughtUp: Promise<void>[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const { first, next } = await journal.extent(stream, shard);
    caughtUp.push(
      new Promise((resolve) => {
        void followShard(from === 'end' ? next : first, shard, resolve)
          .catch(onError)
          .finally(resolve);
      }),
    );
  }
  await Promise.all(caughtUp);

  async function followShard(start: number, shard: number, arrived: () => void): Promise<void> {
    let next = start;
    while (!signal.aborted) {
      const entries = await journal.read<T>(stream, shard, next, PAGE);
      if (entries.length > 0) {
        await handle(entries);
        next += entries.length;
      } else {
        arrived();
        await journal.waitFor(stream, shard, next, signal);
      }
    }
  }
}
