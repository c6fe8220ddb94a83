import type { StreamTypes } from '#libs/streams';
import type { Journal } from './journal.js';
import type { NameIn } from './new-entry.js';

/** Entries of the stream that the cursor has not read yet, over all shards. */
export async function lagOf<S extends NameIn<Types>, Types = StreamTypes>(
  journal: Journal<Types>,
  cursor: string,
  stream: S,
): Promise<number> {
  let lag = 0;
  for (let shard = 0; shard < journal.shards; shard++) {
    const { next } = await journal.extent(stream, shard);
    lag += next - (await journal.position(cursor, stream, shard));
  }
  return lag;
}
