import { shardOf } from '#libs/kernel';
import type { AppendOptions, DirectAppends, DirectBatch, NameIn, NewEntry } from '#libs/journal';
import type { StoredForm, StreamTypes } from '#libs/streams';
import { decodeEntries } from './chunk.js';
import type { EncodedBlock } from './encoded-block.js';
import { EntryBlock } from './entry-block.js';

type AppendBlocks = (
  stream: string,
  blocks: readonly EncodedBlock[],
  options: AppendOptions | undefined,
) => Promise<void>;

/** Blocks of a stream kept for the next batches, and how large each may be. */
const MAX_SPARE = 32;
const MAX_SPARE_BYTES = 128 * 1024;

/** Producers write into the blocks of which chunks are made. */
export class DirectBlocks<Types = StreamTypes> implements DirectAppends<Types> {
  readonly #spare = new Map<string, EntryBlock[]>();

  /**
   * @param shards - number of shards of the journal
   * @param forms - of the streams that have one
   */
  constructor(
    private readonly shards: number,
    private readonly forms: ReadonlyMap<string, StoredForm>,
    private readonly append: AppendBlocks,
  ) {}

  begin<S extends NameIn<Types>>(stream: S): DirectBatch<Types[S]> {
    let spare = this.#spare.get(stream);
    if (spare === undefined) this.#spare.set(stream, (spare = []));
    return new BlockBatch<Types[S]>(this.shards, this.forms.get(stream), spare, (blocks, options) =>
      this.append(stream, blocks, options),
    );
  }
}

class BlockBatch<T> implements DirectBatch<T> {
  readonly #blocks: EntryBlock[] = [];
  /** The block that takes the next entry of a shard. */
  readonly #open: EntryBlock[] = [];
  /** Of each entry. */
  readonly #shards: number[] = [];
  #reserved: EntryBlock | undefined;

  constructor(
    private readonly shards: number,
    private readonly form: StoredForm | undefined,
    private readonly spare: EntryBlock[],
    private readonly appendBlocks: (
      blocks: readonly EncodedBlock[],
      options: AppendOptions | undefined,
    ) => Promise<void>,
  ) {}

  get buffer(): Buffer {
    if (this.#reserved === undefined) throw new TypeError('no room was made');
    return this.#reserved.buffer;
  }

  add(entry: NewEntry<T>): void {
    const shard = shardOf(entry.key, this.shards);
    this.#blockOf(shard).add(entry);
    this.#shards.push(shard);
  }

  reserve(shard: number, bytes: number): number {
    const block = this.#blockOf(shard);
    this.#reserved = block;
    this.#shards.push(shard);
    return block.reserve(bytes);
  }

  entries(): NewEntry<T>[] {
    const byShard = new Map<number, Iterator<NewEntry>>();
    for (const shard of new Set(this.#shards)) {
      const own = this.#blocks.filter((block) => block.shard === shard);
      byShard.set(shard, own.flatMap((block) => decodeEntries(block, this.form)).values());
    }
    return this.#shards.map((shard) => byShard.get(shard)?.next().value as NewEntry<T>);
  }

  async append(options?: AppendOptions): Promise<void> {
    // One is empty whose only entry was too large.
    await this.appendBlocks(
      this.#blocks.filter(({ count }) => count > 0),
      options,
    );
    for (const block of this.#blocks)
      if (this.spare.length < MAX_SPARE && block.buffer.length <= MAX_SPARE_BYTES) this.spare.push(block);
  }

  #blockOf(shard: number): EntryBlock {
    const known = this.#open[shard];
    if (known?.isFull === false) return known;
    const block = this.spare.pop()?.reuse(shard) ?? new EntryBlock(shard, this.form);
    this.#open[shard] = block;
    this.#blocks.push(block);
    return block;
  }
}
