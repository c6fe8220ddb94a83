import { PantauError, shardOf, type Clock } from '#libs/kernel';
import type { LmdbStateStore } from '#libs/state';
import type { Database, RootDatabase } from 'lmdb';
import { statfs } from 'node:fs/promises';
import { BroadcastChannel } from 'node:worker_threads';
import { decodeChunk, encodeChunk, encodeEntry, readChunkHeader } from './chunk.js';
import { DiskSpace, type DiskUsage } from './disk-space.js';
import type {
  AppendOptions,
  Commit,
  CursorPosition,
  Entry,
  Extent,
  Journal,
  JournalSpace,
  NewEntry,
  RetentionPolicy,
  RetentionReport,
  StreamStats,
} from './journal.js';

export interface LmdbJournalOptions {
  /** The journal lives in this store's environment, so that state and cursor share one commit. */
  readonly state: LmdbStateStore;
  readonly clock: Clock;
  /** For a new journal; an existing one keeps its number. */
  readonly shards?: number;
  /** Bytes of the file system that new input leaves alone; by default 512 MiB, at most a tenth of the file system. */
  readonly minFree?: number | undefined;
  /** Free and total bytes of the file system; asked of the system by default. */
  readonly measureDisk?: () => Promise<Omit<DiskUsage, 'reusableBytes'>>;
}

const DEFAULT_SHARDS = 4;
/** Entries stored under one key. Large enough to amortise the B-tree, small enough that reading from its middle is cheap. */
const MAX_CHUNK_ENTRIES = 256;
/** A chunk ends with the entry that reaches this. */
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** Larger entries are refused: a chunk is read and decoded as a whole. */
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;
/** Entries committed in one transaction, so that one fsync does not grow without bound under load. */
const MAX_TRANSACTION_ENTRIES = 8_192;
/** A read ends with the chunk that reaches this: a batch of large messages must fit into memory as well as one of small ones. */
const MAX_READ_BYTES = 16 * 1024 * 1024;
/** Decoded chunks kept, because several stages read the same chunk at nearly the same time. */
const DECODED_CHUNKS = 64;
/** How often other processes' appends are looked for while somebody waits. Appends of this process, in any thread, wake at once. */
const OTHER_PROCESS_POLL_MS = 25;

type ShardKey = [stream: string, shard: number];
type ChunkKey = [stream: string, shard: number, firstOffset: number];
type CursorKey = [cursor: string, stream: string, shard: number];

interface Head extends Extent {
  readonly bytes: number;
}

const EMPTY_HEAD: Head = { first: 0, next: 0, bytes: 0 };

/** Entries of one shard of a stream, encoded, that go into the transaction that is being put together. */
type Outgoing = Map<string, { readonly stream: string; readonly shard: number; readonly entries: Buffer[] }>;

interface EncodedAppend {
  readonly stream: string;
  readonly shard: number;
  readonly entry: Buffer;
}

/** A piece of work for the next transaction. `apply` runs inside it and must not throw after its first write. */
interface Operation {
  readonly weight: number;
  /** New input, see {@link AppendOptions}. */
  readonly yields: boolean;
  apply(outgoing: Outgoing): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Waiter {
  readonly stream: string;
  readonly shard: number;
  readonly from: number;
  wake(): void;
}

/**
 * The embedded journal: LMDB, group commit. All appends and commits that arrive while one transaction is being
 * synced go into the next one together, so the cost of fsync is shared; an append resolves after the fsync of its
 * transaction. Offsets are read and written inside the transaction, so several processes may append to one journal.
 */
export class LmdbJournal implements Journal {
  readonly shards: number;
  readonly #env: RootDatabase;
  readonly #state: LmdbStateStore;
  readonly #clock: Clock;
  readonly #chunks: Database<Buffer, ChunkKey>;
  readonly #heads: Database<Head, ShardKey>;
  readonly #cursors: Database<number, CursorKey>;
  readonly #decoded = new Map<string, Entry[]>();
  readonly #waiters = new Set<Waiter>();
  /** Tells the journals of this process's other threads that there is something new. */
  readonly #news: BroadcastChannel;
  readonly #space: DiskSpace;
  #queue: Operation[] = [];
  #committing: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: LmdbJournalOptions, shards: number) {
    const { state, clock, minFree, measureDisk = () => measure(state.folder) } = options;
    this.#state = state;
    this.#env = state.environment;
    this.#clock = clock;
    this.shards = shards;
    this.#chunks = this.#env.openDB<Buffer, ChunkKey>('journal', { encoding: 'binary' });
    this.#heads = this.#env.openDB<Head, ShardKey>('journal-heads', { encoding: 'msgpack' });
    this.#cursors = this.#env.openDB<number, CursorKey>('journal-cursors', { encoding: 'msgpack' });
    this.#news = new BroadcastChannel(`pantau-journal ${state.folder}`);
    this.#news.onmessage = () => this.#wakeWaiters();
    this.#news.unref();
    this.#space = new DiskSpace({
      minFree,
      measure: async () => ({
        // First, because the environment may be closed when the system has answered.
        reusableBytes: state.reusableBytes([this.#chunks, this.#heads, this.#cursors]),
        ...(await measureDisk()),
      }),
    });
  }

  static async open(options: LmdbJournalOptions): Promise<LmdbJournal> {
    const wanted = options.shards ?? DEFAULT_SHARDS;
    if (!Number.isInteger(wanted) || wanted < 1 || wanted > 256) {
      throw new PantauError('CONFIG_INVALID', `the journal has 1 to 256 shards, not ${wanted}.`);
    }
    await options.state.putIfAbsent('journal', 'shards', wanted);
    const shards = (await options.state.get<number>('journal', 'shards')) ?? wanted;
    const journal = new LmdbJournal(options, shards);
    // Known before the first append, which does not wait to be told.
    await journal.#space.look();
    return journal;
  }

  async append(
    stream: string,
    entries: readonly NewEntry[],
    { yields = false }: AppendOptions = {},
  ): Promise<void> {
    this.#assertOpen();
    if (yields && !this.#space.accepts()) throw full();
    const encoded = this.#encode(stream, entries);
    await this.#enqueue(encoded.length, (outgoing) => add(outgoing, encoded), yields);
  }

  async read<T>(stream: string, shard: number, from: number, limit: number): Promise<Entry<T>[]> {
    this.#assertOpen();
    const { first, next } = this.#head(stream, shard);
    if (from < first) throw lostEntries(stream, shard, from, first);
    const entries: Entry[] = [];
    if (from >= next) return [];
    let bytes = 0;
    for (const [chunkFirst, chunk] of this.#chunksFrom(stream, shard, from)) {
      bytes += chunk.length;
      for (const entry of this.#decode(stream, shard, chunkFirst, chunk)) {
        if (entry.offset < from) continue;
        if (entries.length >= limit) return entries as Entry<T>[];
        entries.push(entry);
      }
      if (entries.length >= limit || bytes >= MAX_READ_BYTES) break;
    }
    return entries as Entry<T>[];
  }

  async readBackwards<T>(
    stream: string,
    shard: number,
    limit: number,
    before = Infinity,
  ): Promise<Entry<T>[]> {
    this.#assertOpen();
    const entries: Entry[] = [];
    const end = Math.min(before, Number.MAX_SAFE_INTEGER);
    const range = {
      start: [stream, shard, end] as ChunkKey,
      end: [stream, shard, -1] as ChunkKey,
      reverse: true,
    };
    for (const { key, value } of this.#chunks.getRange(range)) {
      for (const entry of this.#decode(stream, shard, key[2], value).toReversed()) {
        if (entry.offset >= before) continue;
        if (entries.length >= limit) return entries as Entry<T>[];
        entries.push(entry);
      }
      if (entries.length >= limit) break;
    }
    return entries as Entry<T>[];
  }

  async waitFor(stream: string, shard: number, from: number, signal: AbortSignal): Promise<void> {
    this.#assertOpen();
    if (signal.aborted || this.#head(stream, shard).next > from) return;
    await new Promise<void>((resolve) => {
      const waiter: Waiter = {
        stream,
        shard,
        from,
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      const onAbort = (): void => waiter.wake();
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort);
      this.#poll ??= setInterval(() => this.#wakeWaiters(), OTHER_PROCESS_POLL_MS).unref();
    });
  }

  async extent(stream: string, shard: number): Promise<Extent> {
    this.#assertOpen();
    const { first, next } = this.#head(stream, shard);
    return { first, next };
  }

  async position(cursor: string, stream: string, shard: number): Promise<number> {
    this.#assertOpen();
    return this.#cursors.get([cursor, stream, shard]) ?? 0;
  }

  async commit(commit: Commit): Promise<void> {
    const { cursor, stream, shard, expected, next, state = [], append = [] } = commit;
    const encoded = append.flatMap((part) => this.#encode(part.stream, part.entries));
    const conflict = await this.#enqueue(encoded.length + state.length, (outgoing) => {
      const stands = this.#cursors.get([cursor, stream, shard]) ?? 0;
      if (stands !== expected) return stands;
      this.#state.applyWithinTransaction(state);
      add(outgoing, encoded);
      void this.#cursors.put([cursor, stream, shard], next);
      return undefined;
    });
    if (conflict !== undefined) {
      throw new PantauError(
        'CURSOR_CONFLICT',
        `cursor ${cursor} of ${stream}/${shard} stands at ${conflict as number}, not ${expected}.`,
        {
          remedy: 'Another process runs this stage on this shard; run one of them.',
          transient: true,
        },
      );
    }
  }

  async cursors(): Promise<CursorPosition[]> {
    this.#assertOpen();
    return Array.from(this.#cursors.getRange(), ({ key: [cursor, stream, shard], value }) => ({
      cursor,
      stream,
      shard,
      next: value,
    }));
  }

  async seek(cursor: string, stream: string, shard: number, next: number): Promise<void> {
    await this.#enqueue(1, () => void this.#cursors.put([cursor, stream, shard], next));
  }

  async retain(stream: string, policy: RetentionPolicy): Promise<RetentionReport[]> {
    const reports: RetentionReport[] = [];
    for (let shard = 0; shard < this.shards; shard++) {
      reports.push(
        (await this.#enqueue(1, () => this.#applyRetention(stream, shard, policy))) as RetentionReport,
      );
    }
    return reports;
  }

  async stats(): Promise<StreamStats[]> {
    this.#assertOpen();
    const streams = new Map<string, { entries: number; bytes: number }>();
    for (const { key, value } of this.#heads.getRange()) {
      const sum = streams.get(key[0]) ?? { entries: 0, bytes: 0 };
      streams.set(key[0], {
        entries: sum.entries + value.next - value.first,
        bytes: sum.bytes + value.bytes,
      });
    }
    return Array.from(streams, ([stream, sum]) => ({ stream, ...sum }));
  }

  async space(): Promise<JournalSpace> {
    this.#assertOpen();
    return this.#space.report();
  }

  /** Finishes what was handed in, then refuses more. The state store stays open; its owner closes it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#poll);
    for (const waiter of [...this.#waiters]) waiter.wake();
    await this.#committing;
    this.#news.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('JOURNAL_CLOSED', 'the journal was closed.');
  }

  #head(stream: string, shard: number): Head {
    return this.#heads.get([stream, shard]) ?? EMPTY_HEAD;
  }

  /** Encodes before anything is queued, so that data that cannot be written fails its caller alone. */
  #encode(stream: string, entries: readonly NewEntry[]): EncodedAppend[] {
    let bytes = 0;
    const encoded = entries.map((newEntry) => {
      const entry = encodeEntry(newEntry);
      bytes += entry.length;
      if (entry.length > MAX_ENTRY_BYTES) {
        throw new PantauError(
          'JOURNAL_ENTRY_TOO_LARGE',
          `an entry of ${stream} has ${entry.length} bytes; at most ${MAX_ENTRY_BYTES}.`,
        );
      }
      return { stream, shard: shardOf(newEntry.key, this.shards), entry };
    });
    this.#space.handIn(bytes);
    return encoded;
  }

  async #enqueue(weight: number, apply: (outgoing: Outgoing) => unknown, yields = false): Promise<unknown> {
    this.#assertOpen();
    return new Promise((resolve, reject) => {
      this.#queue.push({ weight, yields, apply, resolve, reject });
      this.#committing ??= this.#commitQueue();
    });
  }

  async #commitQueue(): Promise<void> {
    // Whatever else this turn of the event loop brings joins the first transaction.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      try {
        const results = await this.#state.transact(() => {
          const outgoing: Outgoing = new Map();
          const values = batch.map((operation) => operation.apply(outgoing));
          this.#write(outgoing);
          return values;
        });
        batch.forEach((operation, i) => operation.resolve(results[i]));
        this.#space.written();
        this.#news.postMessage(null);
      } catch (cause) {
        await this.#fail(batch, cause);
      }
      this.#wakeWaiters();
    }
    this.#committing = undefined;
  }

  async #fail(batch: readonly Operation[], cause: unknown): Promise<void> {
    const isFull = await this.#space.failed((cause as { code?: unknown }).code);
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

  #takeBatch(): Operation[] {
    let weight = 0;
    let count = 0;
    while (count < this.#queue.length && weight < MAX_TRANSACTION_ENTRIES)
      weight += this.#queue[count++]?.weight ?? 0;
    return this.#queue.splice(0, count);
  }

  /** Inside a transaction: gives the entries their offsets and stores them. */
  #write(outgoing: Outgoing): void {
    const appendedAt = this.#clock.now();
    for (const { stream, shard, entries } of outgoing.values()) {
      const head = this.#head(stream, shard);
      let { next, bytes } = head;
      for (const slice of sliced(entries)) {
        const chunk = encodeChunk(slice, appendedAt);
        void this.#chunks.put([stream, shard, next], chunk);
        next += slice.length;
        bytes += chunk.length;
      }
      void this.#heads.put([stream, shard], { first: head.first, next, bytes });
    }
  }

  /** Inside a transaction. */
  #applyRetention(stream: string, shard: number, policy: RetentionPolicy): RetentionReport {
    const { maxAge = Infinity, maxBytes = Infinity, unread = 'wait' } = policy;
    const readers = Array.from(this.#cursors.getRange(), ({ key, value }) => ({ key, next: value })).filter(
      ({ key }) => key[1] === stream && key[2] === shard,
    );
    const slowest = Math.min(...readers.map(({ next }) => next));
    const oldest = this.#clock.now() - maxAge;
    const { next, ...head } = this.#head(stream, shard);
    let { first, bytes } = head;
    let droppedBytes = 0;
    let dropped = 0;
    let heldBack = 0;
    for (const { key, value } of this.#chunks.getRange({
      start: [stream, shard, 0],
      end: [stream, shard, next],
    })) {
      const { appendedAt, count } = readChunkHeader(value);
      if (appendedAt >= oldest && bytes <= maxBytes) break;
      const end = key[2] + count;
      if (heldBack > 0 || (end > slowest && unread === 'wait')) {
        // Counted as if it went, so that the report tells how much is past the limits.
        heldBack += count;
        bytes -= value.length;
        continue;
      }
      void this.#chunks.remove(key);
      this.#decoded.delete(decodedKey(stream, shard, key[2]));
      dropped += count;
      droppedBytes += value.length;
      first = end;
      bytes -= value.length;
    }
    if (dropped > 0) void this.#heads.put([stream, shard], { first, next, bytes: head.bytes - droppedBytes });
    const past = first + heldBack;
    return {
      stream,
      shard,
      dropped,
      heldBack,
      cursors: readers
        .filter((reader) => reader.next < past)
        .map(({ key, next }) => ({ cursor: key[0], unread: past - next })),
    };
  }

  *#chunksFrom(stream: string, shard: number, from: number): Generator<[number, Buffer]> {
    // The chunk that holds `from` is the last one that begins at or before it.
    const range = {
      start: [stream, shard, from] as ChunkKey,
      end: [stream, shard, -1] as ChunkKey,
      reverse: true,
      limit: 1,
    };
    const [holder] = Array.from(this.#chunks.getKeys(range));
    const start: ChunkKey = holder ?? [stream, shard, from];
    for (const { key, value } of this.#chunks.getRange({ start, end: [stream, shard, Infinity] }))
      yield [key[2], value];
  }

  #decode(stream: string, shard: number, firstOffset: number, chunk: Buffer): Entry[] {
    const key = decodedKey(stream, shard, firstOffset);
    const known = this.#decoded.get(key);
    if (known !== undefined) return known;
    let entries: Entry[];
    try {
      entries = decodeChunk(chunk, shard, firstOffset);
    } catch (cause) {
      throw new PantauError(
        'JOURNAL_CORRUPT',
        `stream ${stream}, shard ${shard}, offset ${firstOffset} cannot be read.`,
        {
          remedy: 'Restore the data folder from a backup, or move the cursors past this offset.',
          cause,
        },
      );
    }
    this.#decoded.set(key, entries);
    if (this.#decoded.size > DECODED_CHUNKS) {
      for (const oldest of this.#decoded.keys()) {
        this.#decoded.delete(oldest);
        break;
      }
    }
    return entries;
  }

  #wakeWaiters(): void {
    // A read otherwise sees the snapshot of the beginning of this turn of the event loop.
    this.#env.resetReadTxn();
    for (const waiter of [...this.#waiters]) {
      if (this.#head(waiter.stream, waiter.shard).next > waiter.from) waiter.wake();
    }
    if (this.#waiters.size === 0) {
      clearInterval(this.#poll);
      this.#poll = undefined;
    }
  }
}

function add(outgoing: Outgoing, appends: readonly EncodedAppend[]): void {
  for (const { stream, shard, entry } of appends) {
    const key = `${stream}/${shard}`;
    const target = outgoing.get(key);
    if (target === undefined) outgoing.set(key, { stream, shard, entries: [entry] });
    else target.entries.push(entry);
  }
}

/** Entries in pieces of a chunk's size. */
function* sliced(entries: readonly Buffer[]): Generator<readonly Buffer[]> {
  let from = 0;
  let bytes = 0;
  for (const [i, entry] of entries.entries()) {
    bytes += entry.length;
    if (i + 1 - from < MAX_CHUNK_ENTRIES && bytes < MAX_CHUNK_BYTES) continue;
    yield entries.slice(from, i + 1);
    from = i + 1;
    bytes = 0;
  }
  if (from < entries.length) yield entries.slice(from);
}

async function measure(folder: string): Promise<Omit<DiskUsage, 'reusableBytes'>> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function full(cause?: unknown): PantauError {
  return new PantauError('JOURNAL_FULL', 'the disk of the journal has no space for new input.', {
    remedy:
      'Free space on the disk of the data folder, or keep streams for a shorter time (journal.retention).',
    transient: true,
    cause,
  });
}

function decodedKey(stream: string, shard: number, firstOffset: number): string {
  return `${stream}/${shard}/${firstOffset}`;
}

function lostEntries(stream: string, shard: number, from: number, first: number): PantauError {
  return new PantauError(
    'CURSOR_LOST_ENTRIES',
    `${stream}/${shard} begins at ${first}; ${first - from} entries from ${from} are gone.`,
    {
      remedy: 'Retention dropped them. Continue at the beginning of the stream, and keep it longer.',
    },
  );
}
