import type { StreamTypes } from '#libs/streams';
import type { AppendOptions, NameIn, NewEntry } from './new-entry.js';

/**
 * What an engine may offer beside {@link Journal}: a producer of very many small entries writes them into the memory that is
 * stored, so that an entry costs no object. Who uses it works without it as well, only slower.
 */
export interface DirectAppends<Types = StreamTypes> {
  begin<S extends NameIn<Types>>(stream: S): DirectBatch<Types[S]>;
}

/**
 * Entries of one stream that are appended together. Those of a shard keep the order in which they were added. Not to be used
 * after {@link append} has resolved: its memory serves the next batch.
 */
export interface DirectBatch<T = unknown> {
  /** @throws PantauError `JOURNAL_ENTRY_TOO_LARGE`; @throws TypeError when the data is not plain */
  add(entry: NewEntry<T>): void;
  /**
   * Adds an entry that its producer writes into {@link buffer} itself, before anything else is added: standard MessagePack
   * `[key, data]`, the data in the stored form of the stream.
   *
   * @param shard - of the key
   * @returns where it begins
   */
  reserve(shard: number, bytes: number): number;
  /** Where the last {@link reserve} made room. */
  readonly buffer: Buffer;
  /** All of them, in the order in which they were added. */
  entries(): NewEntry<T>[];
  /** As the journal's own `append`. May be called again after it rejected. */
  append(options?: AppendOptions): Promise<void>;
}
