import { PantauError, type Clock } from '#libs/kernel';
import type { Database } from 'lmdb';
import { randomInt } from 'node:crypto';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { countOf, encodeChunk, MAX_CHUNK_BYTES, MAX_CHUNK_ENTRIES } from './blocks/chunk.js';
import type { DiskSpace } from './disk-space.js';
import type { EncodedBlock } from './blocks/encoded-block.js';
import type { LmdbEnvironment } from './lmdb-environment.js';
import type { Extent } from '#libs/journal';

type ShardKey = [stream: string, shard: number];
export type ChunkKey = [stream: string, shard: number, firstOffset: number];

/** Extent of a shard of a stream, and the bytes that it holds. */
export interface Head extends Extent {
  readonly bytes: number;
}

/** Entries of one shard of a stream that go into the transaction that is being put together. */
export interface Addressed extends EncodedBlock {
  readonly stream: string;
}
type Outgoing = Map<
  string,
  { readonly stream: string; readonly shard: number; readonly pieces: EncodedBlock[] }
>;

type Add = (entries: readonly Addressed[]) => void;

/** The offset behind the newest entry, by {@link shardKey}. */
type Ends = Map<string, number>;

/** A piece of work for the next transaction. */
interface Operation {
  readonly weight: number;
  /** New input, see `AppendOptions`. */
  readonly yields: boolean;
  /** Whether `apply` adds entries and does nothing else. */
  readonly onlyAdds: boolean;
  /** Runs inside the transaction and must not throw after its first write. */
  apply(add: Add): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What is known of the streams: as it is in the database as long as that has the same revision. */
interface Known {
  /** A random number that every transaction draws anew; two that follow each other would not tell who drew the second. */
  revision: number;
  /** Those that were written since somebody else did. */
  readonly heads: Map<string, Head>;
  /** Whether nobody else wrote between the last two transactions. */
  isAlone: boolean;
}

/** Work whose outcome is not known yet. */
interface Begun {
  readonly operations: readonly Operation[];
  readonly weight: number;
  /** Entries that were handed to lmdb: whether they are on disk, otherwise nothing is; undefined: to be looked at in its turn. */
  readonly added: Promise<boolean> | undefined;
  /** The shards of streams that get entries, and where they end with them. */
  readonly written: Ends;
}

const EMPTY: Head = { first: 0, next: 0, bytes: 0 };
const REVISION = 'revision';
const MAX_REVISION = 2 ** 48 - 1;
/** Entries under way, so that one fsync does not grow without bound under load. */
const MAX_TRANSACTION_ENTRIES = 8_192;

/**
 * The streams that one LMDB environment holds, with group commit: all work that arrives while one transaction is being
 * synced goes into the next one together, so the cost of fsync is shared.
 *
 * A transaction that looks something up runs on this thread, in turns with lmdb's: it begins when this thread has time
 * for it, and so does its end. Under load a turn is long. Entries that are only added need no look-up as long as nobody
 * else writes: their offsets follow from what this process wrote last. They are handed to lmdb's thread at once, whatever
 * is under way there, on the condition that the streams are as this process left them (docs/decisions/0008).
 */
export class LmdbStreams {
  readonly chunks: Database<Buffer, ChunkKey>;
  readonly #heads: Database<Head, ShardKey>;
  readonly #revisions: Database<number, string>;
  #known: Known | undefined;
  #queue: Operation[] = [];
  /** In its order. */
  readonly #begun: Begun[] = [];
  #running: Promise<void> | undefined;

  /** @param onWritten - told when a transaction is on disk, with the new ends of whatever got entries by it */
  constructor(
    readonly environment: LmdbEnvironment,
    private readonly clock: Clock,
    private readonly space: DiskSpace,
    private readonly onWritten: (ends: ReadonlyMap<string, number>) => void,
  ) {
    this.chunks = environment.database('journal', 'binary');
    this.#heads = environment.database('journal-heads', 'msgpack');
    this.#revisions = environment.database('journal-revision', 'msgpack', { useVersions: true });
  }

  head(stream: string, shard: number): Head {
    return this.#heads.get([stream, shard]) ?? EMPTY;
  }

  /** Another number after every transaction. */
  revision(): number | undefined {
    return this.#revisions.get(REVISION);
  }

  *heads(): Generator<Head & { readonly stream: string }> {
    for (const { key, value } of this.#heads.getRange()) yield { stream: key[0], ...value };
  }

  /** Inside a transaction. */
  putHead(stream: string, shard: number, head: Head): void {
    this.#known?.heads.set(shardKey(stream, shard), head);
    void this.#heads.put([stream, shard], head);
  }

  /** Chunks from the one that holds the offset, with the offset of their first entry. */
  *chunksFrom(stream: string, shard: number, from: number): Generator<[number, Buffer]> {
    // The chunk that holds `from` is the last one that begins at or before it.
    const range = {
      start: [stream, shard, from] as ChunkKey,
      end: [stream, shard, -1] as ChunkKey,
      reverse: true,
      limit: 1,
    };
    const [holder] = Array.from(this.chunks.getKeys(range));
    const start: ChunkKey = holder ?? [stream, shard, from];
    for (const { key, value } of this.chunks.getRange({ start, end: [stream, shard, Infinity] }))
      yield [key[2], value];
  }

  /** Resolves with what `apply` returned once its transaction is on disk. */
  async enqueue<T>(weight: number, apply: (add: Add) => T): Promise<T> {
    return this.#enqueue({ weight, apply, yields: false, onlyAdds: false }) as Promise<T>;
  }

  /** Resolves when the entries are on disk. */
  async append(entries: readonly Addressed[], yields: boolean): Promise<void> {
    await this.#enqueue({ weight: countOf(entries), apply: (add) => add(entries), yields, onlyAdds: true });
  }

  /** Resolves when everything that was handed in is done with. */
  async idle(): Promise<void> {
    // What was handed in in this turn of the event loop begins at its end.
    while (this.#queue.length > 0 || this.#running !== undefined) await (this.#running ?? turnOfTheLoop());
  }

  async #enqueue(operation: Omit<Operation, 'resolve' | 'reject'>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Whatever else this turn of the event loop brings joins it. Input goes first: a device waits for it.
      if (this.#queue.length === 0)
        if (operation.onlyAdds) queueMicrotask(() => this.#begin());
        else setImmediate(() => this.#begin());
      this.#queue.push({ ...operation, resolve, reject });
    });
  }

  /** Begins what can be: anything when nothing is under way, and what needs no look behind what needed none. */
  #begin(): void {
    while (this.#queue.length > 0 && weightOf(this.#begun) < MAX_TRANSACTION_ENTRIES) {
      const operations = this.#nextOperations();
      const isLooking = this.#begun.some(({ added }) => added === undefined);
      const written: Ends = new Map();
      const added = isLooking ? undefined : this.#addUnseen(operations, written);
      if (added === undefined && this.#begun.length > 0) return;
      this.#queue.splice(0, operations.length);
      this.#begun.push({ operations, weight: weightOf(operations), added, written });
    }
    if (this.#begun.length > 0) this.#running ??= this.#finish();
  }

  /** Tells of what was begun, in its order. */
  async #finish(): Promise<void> {
    for (let begun = this.#begun[0]; begun !== undefined; begun = this.#begun[0]) {
      const { operations, added, written } = begun;
      try {
        const results = (await added) === true ? [] : await this.#transact(operations, written);
        operations.forEach((operation, i) => operation.resolve(results[i]));
        this.space.written();
      } catch (cause) {
        this.#known = undefined;
        await this.#takeBack();
        written.clear();
        await this.#fail(operations, cause);
      }
      this.#begun.shift();
      this.#begin();
      if (written.size > 0) this.onWritten(written);
    }
    this.#running = undefined;
  }

  /** @returns undefined when the streams have to be looked at */
  #addUnseen(operations: readonly Operation[], written: Ends): Promise<boolean> | undefined {
    const known = this.#known;
    if (known?.isAlone !== true || !operations.every(({ onlyAdds }) => onlyAdds)) return undefined;
    const outgoing: Outgoing = new Map();
    for (const operation of operations) operation.apply((entries) => collect(outgoing, entries));
    if (![...outgoing.keys()].every((shard) => known.heads.has(shard))) return undefined;
    const { revision } = known;
    const write = (): void => this.#write(known, outgoing, written);
    const added = this.environment.writeIf(this.#revisions, REVISION, revision, write);
    // What follows was numbered on from it.
    added.then(
      (isWritten) => {
        if (!isWritten && this.#known === known) this.#known = undefined;
      },
      () => undefined,
    );
    return added;
  }

  /** @returns what each piece of work returned */
  async #transact(batch: readonly Operation[], written: Ends): Promise<unknown[]> {
    return this.environment.transact(() => {
      const revision = this.#revisions.get(REVISION) ?? 0;
      const isAlone = this.#known?.revision === revision;
      const known = isAlone && this.#known ? this.#known : { revision, heads: new Map(), isAlone };
      known.isAlone = isAlone;
      this.#known = known;
      const outgoing: Outgoing = new Map();
      const values = batch.map((operation) => operation.apply((entries) => collect(outgoing, entries)));
      this.#write(known, outgoing, written);
      return values;
    });
  }

  async #fail(batch: readonly Operation[], cause: unknown): Promise<void> {
    const isFull = await this.space.failed((cause as { code?: unknown }).code);
    const error = isFull
      ? full(cause)
      : new PantauError('JOURNAL_WRITE_FAILED', 'the journal could not be written.', {
          remedy: 'Check the health of the disk that holds the data folder.',
          transient: true,
          cause,
        });
    for (const operation of batch) operation.reject(error);
    if (!isFull) return;
    // Input that queued up behind it goes too: a smaller message might still fit and would overtake an older one.
    const waiting = this.#queue;
    this.#queue = waiting.filter(({ yields }) => !yields);
    for (const operation of waiting) if (operation.yields) operation.reject(error);
  }

  /** Queues again what was begun behind the first. It was numbered on from that, so nothing of it was written. */
  async #takeBack(): Promise<void> {
    const behind = this.#begun.splice(1);
    await Promise.allSettled(behind.flatMap(({ added }) => added ?? []));
    this.#queue.unshift(...behind.flatMap(({ operations }) => operations));
  }

  #nextOperations(): Operation[] {
    let weight = 0;
    let count = 0;
    while (count < this.#queue.length && weight < MAX_TRANSACTION_ENTRIES)
      weight += this.#queue[count++]?.weight ?? 0;
    return this.#queue.slice(0, count);
  }

  /** Gives the entries their offsets, stores them and draws a new revision. */
  #write(known: Known, outgoing: Outgoing, written: Ends): void {
    const appendedAt = this.clock.now();
    for (const [key, { stream, shard, pieces }] of outgoing) {
      const head = known.heads.get(key) ?? this.head(stream, shard);
      let { next, bytes } = head;
      for (const slice of sliced(pieces)) {
        const chunk = encodeChunk(slice, appendedAt);
        void this.chunks.put([stream, shard, next], chunk);
        next += countOf(slice);
        bytes += chunk.length;
      }
      this.putHead(stream, shard, { first: head.first, next, bytes });
      written.set(key, next);
    }
    known.revision = randomInt(1, MAX_REVISION);
    void this.#revisions.put(REVISION, known.revision, known.revision);
  }
}

/** The disk has no space. */
export function full(cause?: unknown): PantauError {
  return new PantauError('JOURNAL_FULL', 'the disk of the journal has no space for new input.', {
    remedy:
      'Free space on the disk of the data folder, or keep streams for a shorter time (journal.retention).',
    transient: true,
    cause,
  });
}

function collect(outgoing: Outgoing, entries: readonly Addressed[]): void {
  for (const piece of entries) {
    const key = shardKey(piece.stream, piece.shard);
    const target = outgoing.get(key);
    if (target === undefined)
      outgoing.set(key, { stream: piece.stream, shard: piece.shard, pieces: [piece] });
    else target.pieces.push(piece);
  }
}

function weightOf(work: readonly { readonly weight: number }[]): number {
  return work.reduce((sum, { weight }) => sum + weight, 0);
}

/** A shard of a stream. */
export function shardKey(stream: string, shard: number): string {
  return `${stream}/${shard}`;
}

/** The stream of a {@link shardKey}. */
export function streamOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}

/** The pieces in groups of a chunk's size. */
function* sliced(pieces: readonly EncodedBlock[]): Generator<readonly EncodedBlock[]> {
  let from = 0;
  let count = 0;
  let bytes = 0;
  for (const [i, piece] of pieces.entries()) {
    if (i > from && (count + piece.count > MAX_CHUNK_ENTRIES || bytes >= MAX_CHUNK_BYTES)) {
      yield pieces.slice(from, i);
      from = i;
      count = 0;
      bytes = 0;
    }
    count += piece.count;
    bytes += piece.bytes.length;
  }
  if (from < pieces.length) yield pieces.slice(from);
}
