import type { Journal } from '#libs/journal';

/** Entries of the stream that the cursor has not read yet, over all shards. */
export async function lagOf(journal: Journal, cursor: string, stream: string): Promise<number> {
  let lag = 0;
  for (let shard = 0; shard < journal.shards; shard++) {
    const { next } = await journal.extent(stream, shard);
    lag += next - (await journal.position(cursor, stream, shard));
  }
  return lag;
}
