import type { Entry, Journal } from './journal.js';

const PAGE = 2_000;

/** Visits every entry of a stream that is kept, shard by shard, each in its order. */
export async function eachEntry<T>(
  journal: Journal,
  stream: string,
  visit: (entry: Entry<T>) => void,
): Promise<void> {
  for (let shard = 0; shard < journal.shards; shard++) {
    let { first: next } = await journal.extent(stream, shard);
    for (;;) {
      const entries = await journal.read<T>(stream, shard, next, PAGE);
      if (entries.length === 0) break;
      for (const entry of entries) visit(entry);
      next += entries.length;
    }
  }
}
