import type { BatchOrigin } from '#libs/journal-transport-state';
import type { Entry, EncodedEntries, Journal, NameIn, NewEntry, StreamAppend } from '#libs/journal';
import type { StreamTypes } from '#libs/streams';
import { PantauError } from '#libs/kernel';
import { BaseRpcContext } from '@nestjs/microservices';
import type { StageState } from './stage-state.js';

/** The payload of an `@FromStream('stream')` handler: consecutive entries of one shard. */
export type Batch<T> = readonly Entry<T>[];

/** Which batch it is. */
export interface BatchPlace extends BatchOrigin {
  /** Offset of its first entry. */
  readonly first: number;
}

/**
 * What an `@InPieces('stream')` handler makes of one batch, which comes piece by piece: what it needs from one to the next is its
 * own. One commit for all of them.
 */
export interface Pieces<T> {
  /** Takes the next entries of the batch. */
  add(piece: Batch<T>): void | Promise<void>;
  /** The last piece was there; the commit follows. */
  end(): void | Promise<void>;
}

/** The `@Ctx()` of a handler: where the batch comes from, and what shall be committed together with it. */
export class BatchContext<Types = StreamTypes> extends BaseRpcContext<[BatchPlace]> {
  readonly #appends = new Map<string, EncodedEntries[]>();
  #bytes = 0;

  constructor(
    readonly origin: BatchPlace,
    /** What the stage remembers. */
    readonly state: StageState,
    private readonly journal: Pick<Journal<Types>, 'encode'>,
    /** What the stage may append to; anything by default. */
    private readonly appendable?: readonly NameIn<Types>[],
  ) {
    super([origin]);
  }

  /**
   * Appends to a stream in the same commit as the cursor; nothing is appended when the handler fails. The entries are
   * encoded at once, so nothing of them is kept.
   */
  append<S extends NameIn<Types>>(stream: S, entries: readonly NewEntry<Types[S]>[]): void {
    if (entries.length === 0) return;
    const encoded = this.journal.encode(stream, entries);
    this.#bytes += encoded.byteLength;
    const before = this.#appends.get(stream);
    if (before !== undefined) {
      before.push(encoded);
      return;
    }
    if (this.appendable?.includes(stream) === false)
      throw new PantauError(
        'USAGE',
        `stage ${this.origin.stage} does not declare that it appends to ${stream}.`,
      );
    this.#appends.set(stream, [encoded]);
  }

  /** Of what was appended. */
  get bytes(): number {
    return this.#bytes;
  }

  appends(): readonly StreamAppend[] {
    return Array.from(this.#appends, ([stream, entries]) => ({ stream, entries }));
  }
}
