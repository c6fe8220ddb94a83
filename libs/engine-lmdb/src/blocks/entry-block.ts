import type { NewEntry } from '#libs/journal';
import { PantauError } from '#libs/kernel';
import type { StoredForm } from '#libs/streams';
import { encodeEntry, HEADER_BYTES, MAX_CHUNK_BYTES, MAX_CHUNK_ENTRIES } from './chunk.js';
import type { EncodedBlock } from './encoded-block.js';

/** Larger entries are refused: a chunk is read and decoded as a whole. */
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;
const FIRST_BYTES = 1_024;

/**
 * Collects the entries of one shard in the form in which they are stored, so that thousands of small ones are a few
 * large objects and not thousands of small ones. Its memory is what is written: it is not to be changed before that.
 */
export class EntryBlock implements EncodedBlock {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = HEADER_BYTES;
  #count = 0;

  /**
   * @param shard - of all its entries
   * @param form - of the stream that they are for
   */
  constructor(
    public shard: number,
    private readonly form?: StoredForm,
  ) {}

  get count(): number {
    return this.#count;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(HEADER_BYTES, this.#length);
  }

  get withRoom(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Where {@link reserve} makes room; another one after the next call. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Empties it for the entries of another shard; what {@link bytes} returned before is overwritten. */
  reuse(shard: number): this {
    this.shard = shard;
    this.#length = HEADER_BYTES;
    this.#count = 0;
    return this;
  }

  /** Whether the next entry has to go into another block. */
  get isFull(): boolean {
    return this.#count >= MAX_CHUNK_ENTRIES || this.#length >= MAX_CHUNK_BYTES;
  }

  /** @throws PantauError `JOURNAL_ENTRY_TOO_LARGE`; @throws TypeError when the data is not plain */
  add(entry: NewEntry): void {
    const encoded = encodeEntry(entry, this.form);
    if (encoded.length > MAX_ENTRY_BYTES) {
      throw new PantauError(
        'JOURNAL_ENTRY_TOO_LARGE',
        `an entry of ${entry.key} has ${encoded.length} bytes; at most ${MAX_ENTRY_BYTES}.`,
      );
    }
    const at = this.reserve(encoded.length);
    encoded.copy(this.#buffer, at);
  }

  /**
   * Room for an entry that its producer writes into {@link buffer} itself: standard MessagePack, `[key, data]`, the
   * data in the form of the stream.
   *
   * @returns where it begins
   */
  reserve(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.#length = needed;
    this.#count++;
    return at;
  }
}
