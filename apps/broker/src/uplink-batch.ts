import { decodeEntries, EntryBlock } from '#libs/engine-lmdb';
import type { EncodedEntries, NewEntry } from '#libs/journal';
import { shardOf } from '#libs/kernel';
import { UPLINK_FORM, type Uplink } from '#libs/telemetry';
import type { UplinkTemplate } from './uplink-template.js';

export type Done = (error?: Error | null) => void;

/** One message with whom to tell. */
export interface Waiting {
  readonly done: Done;
  /** The connection it came over. */
  readonly sender: object;
  /** Whether the connection is not read until it is called back. */
  readonly blocks: boolean;
}

/** Messages that one connection sent in a row, told together. */
export interface Run {
  readonly sender: object;
  /** In the order of the messages. */
  readonly messageIds: number[];
  /** Of topics and payloads. */
  bytes: number;
}

/** Blocks kept for the next batches, and how large each may be. */
const MAX_SPARE = 32;
const MAX_SPARE_BYTES = 128 * 1024;

/** The messages of one turn of the event loop, encoded, and whom to tell of them, in the order in which they came. */
export class UplinkBatch {
  readonly #blocks: EntryBlock[] = [];
  /** The block that takes the next entry of a shard. */
  readonly #open: EntryBlock[] = [];
  /** Number of the shard of each message. */
  readonly #shards: number[] = [];
  readonly #receipts: (Waiting | Run)[] = [];
  #run: Run | undefined;

  /**
   * @param shards - number of shards of the journal
   * @param spare - blocks to use before new ones are made
   */
  constructor(
    private readonly shards: number,
    private readonly spare: EntryBlock[] = [],
  ) {}

  get blocks(): readonly EncodedEntries[] {
    return this.#blocks;
  }

  get receipts(): readonly (Waiting | Run)[] {
    return this.#receipts;
  }

  /** @throws PantauError `JOURNAL_ENTRY_TOO_LARGE` */
  add(data: Uplink, waiting: Waiting): void {
    const shard = shardOf(data.device, this.shards);
    this.#blockOf(shard).add({ key: data.device, data });
    this.#shards.push(shard);
    this.#receipts.push(waiting);
    this.#run = undefined;
  }

  /** Makes room for a message that is written with a template. */
  addDirect(sender: object, { shard }: UplinkTemplate, messageId: number, bytes: number): EntryBlock {
    this.#shards.push(shard);
    if (this.#run?.sender === sender) {
      this.#run.messageIds.push(messageId);
      this.#run.bytes += bytes;
    } else this.#receipts.push((this.#run = { sender, messageIds: [messageId], bytes }));
    return this.#blockOf(shard);
  }

  /** The entries of all messages, in the order in which they came. */
  entries(): NewEntry<Uplink>[] {
    const byShard = new Map<number, Iterator<NewEntry>>();
    for (const shard of new Set(this.#shards)) {
      const own = this.#blocks.filter((block) => block.shard === shard);
      byShard.set(shard, own.flatMap((block) => decodeEntries(block, UPLINK_FORM)).values());
    }
    return this.#shards.map((shard) => byShard.get(shard)?.next().value as NewEntry<Uplink>);
  }

  /** Gives the blocks back once they are written. The batch is not to be used after that. */
  recycle(): void {
    for (const block of this.#blocks)
      if (this.spare.length < MAX_SPARE && block.buffer.length <= MAX_SPARE_BYTES) this.spare.push(block);
  }

  #blockOf(shard: number): EntryBlock {
    const known = this.#open[shard];
    if (known?.isFull === false) return known;
    const block = this.spare.pop()?.reuse(shard) ?? new EntryBlock(shard, UPLINK_FORM);
    this.#open[shard] = block;
    this.#blocks.push(block);
    return block;
  }
}
