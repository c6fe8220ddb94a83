/** FNV-1a (32 bit) over the UTF-16 code units of a text. @returns 0 .. 2^32 - 1 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * The shard that a key belongs to, by {@link fnv1a}. Stable for ever: the order of a device's messages rests on it.
 *
 * @param shards - number of shards, at least 1
 * @returns 0 .. shards - 1
 */
export function shardOf(key: string, shards: number): number {
  return shards === 1 ? 0 : fnv1a(key) % shards;
}
