/**
 * The shard that a key belongs to, by FNV-1a (32 bit) over its UTF-16 code units. Stable for ever: the
 * order of a device's messages rests on it.
 *
 * @param shards - number of shards, at least 1
 * @returns 0 .. shards - 1
 */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash ^= key.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % shards;
}
