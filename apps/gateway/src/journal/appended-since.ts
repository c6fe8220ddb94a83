import { pagesOf, type Entry, type Extent, type Journal } from '#libs/journal';
import type { UtcMillis } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';

/** The first entry from an offset on that can be read; each is appended no earlier than those before it. */
export async function oldestReadable<S extends StreamName>(
  journal: Journal,
  stream: S,
  shard: number,
  { first, next }: Extent,
): Promise<Entry<StreamTypes[S]> | undefined> {
  const pages = pagesOf(journal, stream, shard, () => undefined, { from: first, to: next, page: 1 });
  for await (const [oldest] of pages) return oldest;
  return undefined;
}

/**
 * The offset of the first entry that was appended at an instant or after it, within an extent; its end when there is none. Reads as
 * many entries as the extent has binary digits.
 */
export async function firstAppendedSince(
  journal: Journal,
  stream: StreamName,
  shard: number,
  since: UtcMillis,
  { first, next }: Extent,
): Promise<number> {
  let [low, high] = [first, next];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // What retention has taken meanwhile was older.
    const isKept = middle >= (await journal.extent(stream, shard)).first;
    const entry = isKept ? await oldestReadable(journal, stream, shard, { first: middle, next }) : undefined;
    if (entry === undefined || entry.appendedAt < since) low = middle + 1;
    else high = middle;
  }
  return low;
}
