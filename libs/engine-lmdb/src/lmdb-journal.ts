import { defined, PantauError, shardOf, type Clock } from '#libs/kernel';
import { STREAMS, type StoredForm, type StreamShape, type StreamTypes } from '#libs/streams';
import type { Database } from 'lmdb';
import { join } from 'node:path';
import { countOf } from './blocks/chunk.js';
import { DecodedChunks, Gathering } from './blocks/decoded-chunks.js';
import { DiskSpace, measure, type DiskUsage } from './disk-space.js';
import { DirectBlocks } from './blocks/direct-blocks.js';
import { blocksOf, EncodedBlocks, type EncodedBlock } from './blocks/encoded-block.js';
import { EntryBlock } from './blocks/entry-block.js';
import type {
  AppendOptions,
  Commit,
  CursorPosition,
  DirectAppends,
  EncodedEntries,
  Entry,
  Extent,
  Journal,
  JournalSpace,
  NameIn,
  NewEntry,
  Removal,
  RetentionPolicy,
  RetentionReport,
  StreamStats,
} from '#libs/journal';
import type { SeenRow, StateWrite } from '#libs/state';
import { cursorConflict, lostEntries } from './cursor-errors.js';
import { LmdbEnvironment } from './lmdb-environment.js';
import { journalShards } from './journal-shards.js';
import { assertStorable, type LmdbStateStore } from './lmdb-state-store.js';
import { full, LmdbStreams, type Addressed, type ChunkKey } from './lmdb-streams.js';
import { News } from './news.js';
import { Retention } from './retention.js';

/** What the engine wants to know of a stream, see `StreamDefinition`. */
export interface StreamTraits {
  readonly intake?: true;
  readonly form?: StoredForm<never>;
  readonly shape?: StreamShape;
}

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
  /** What is known of each stream; the catalogue by default. One that is not named is stored and read as it is. */
  readonly streams?: Readonly<Record<string, StreamTraits>>;
}

/** A read ends with the chunk that reaches this: a batch of large messages must fit into memory as well as one of small ones. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

type CursorKey = [cursor: string, stream: string, shard: number];

/**
 * The embedded journal: LMDB, group commit (see {@link LmdbStreams}). An append resolves after the fsync of its
 * transaction. Offsets are read and written inside the transaction, so several processes may append to one journal.
 *
 * LMDB has one writer at a time for each environment. Uplinks have an environment of their own, so that their
 * acknowledgement waits for the disk and never for the commit of a stage (docs/decisions/0008).
 */
export class LmdbJournal<Types = StreamTypes> implements Journal<Types> {
  readonly shards: number;
  readonly direct: DirectAppends<Types>;
  readonly #state: LmdbStateStore;
  readonly #clock: Clock;
  /** Beside state and cursors, in one commit with them. */
  readonly #streams: LmdbStreams;
  readonly #intake: LmdbStreams;
  readonly #retention: Retention;
  readonly #intakeRetention: Retention;
  readonly #intakeNames: ReadonlySet<string>;
  readonly #forms: ReadonlyMap<string, StoredForm>;
  readonly #chunks: DecodedChunks;
  readonly #cursors: Database<number, CursorKey>;
  readonly #news: News;
  readonly #space: DiskSpace;
  #closed = false;

  private constructor(options: LmdbJournalOptions, shards: number) {
    const { state, clock, minFree, streams = STREAMS } = options;
    const { environment } = state;
    const { measureDisk = () => measure(environment.folder) } = options;
    this.#state = state;
    this.#clock = clock;
    this.shards = shards;
    const traits = new Map<string, StreamTraits>(Object.entries(streams));
    this.#forms = each(traits, ({ form }) => form as StoredForm | undefined);
    this.#chunks = new DecodedChunks(
      this.#forms,
      each(traits, ({ shape }) => shape),
    );
    this.#cursors = environment.database('journal-cursors', 'msgpack');
    this.#news = new News(environment.folder, {
      refresh: () => {
        for (const { environment: each } of [this.#streams, this.#intake]) each.refresh();
      },
      revision: () => `${this.#streams.revision()} ${this.#intake.revision()}`,
      end: (stream, shard) => this.#head(stream, shard).next,
    });
    this.#space = new DiskSpace({
      minFree,
      measure: async () => ({
        // First, because the environments may be closed when the system has answered.
        reusableBytes: environment.reusableBytes() + this.#intake.environment.reusableBytes(),
        ...(await measureDisk()),
      }),
    });
    const streamsOf = (of: LmdbEnvironment): LmdbStreams =>
      new LmdbStreams(of, clock, this.#space, (ends) => this.#news.tell(ends));
    this.#streams = streamsOf(environment);
    // A journal in which they lie beside the others already keeps them there.
    const settled = new Set(Array.from(this.#streams.heads(), ({ stream }) => stream));
    const intake = each(traits, (stream) => stream.intake);
    this.#intakeNames = new Set([...intake.keys()].filter((name) => !settled.has(name)));
    this.#intake = streamsOf(LmdbEnvironment.open(join(environment.folder, 'intake')));
    const retentionOf = (streams: LmdbStreams): Retention =>
      new Retention(streams, (stream, shard, firstOffset) => this.#chunks.forget(stream, shard, firstOffset));
    this.#retention = retentionOf(this.#streams);
    this.#intakeRetention = retentionOf(this.#intake);
    this.direct = new DirectBlocks(shards, this.#forms, async (stream, blocks, appending) => {
      this.#admit(appending);
      await this.#store(stream, blocks, appending);
    });
  }

  static async open<Types = StreamTypes>(options: LmdbJournalOptions): Promise<LmdbJournal<Types>> {
    const shards = await journalShards(options.state, options.shards);
    const journal = new LmdbJournal<Types>(options, shards);
    // Known before the first append, which does not wait to be told.
    await journal.#space.look();
    return journal;
  }

  encode(stream: string, entries: readonly NewEntry[]): EncodedEntries {
    const form = this.#forms.get(stream);
    const blocks: EntryBlock[] = [];
    const open = new Map<number, EntryBlock>();
    for (const entry of entries) {
      const shard = shardOf(entry.key, this.shards);
      let block = open.get(shard);
      if (block === undefined || block.isFull) {
        block = new EntryBlock(shard, form);
        open.set(shard, block);
        blocks.push(block);
      }
      block.add(entry);
    }
    return new EncodedBlocks(blocks);
  }

  async append(stream: string, entries: readonly NewEntry[], options?: AppendOptions): Promise<void> {
    this.#admit(options);
    await this.#store(stream, blocksOf(this.encode(stream, entries)), options);
  }

  async appendIf(
    stream: string,
    entries: readonly NewEntry[],
    seen: readonly SeenRow[],
    writes: readonly StateWrite[],
  ): Promise<boolean> {
    this.#admit();
    const outgoing = this.#beside(stream, [this.encode(stream, entries)]);
    for (const write of writes) assertStorable(write);
    return this.#streams.enqueue(countOf(outgoing) + writes.length, (add) => {
      if (!this.#state.holdsWithinTransaction(seen)) return false;
      this.#state.applyWithinTransaction(writes);
      add(outgoing);
      return true;
    });
  }

  async read<S extends NameIn<Types>>(
    stream: S,
    shard: number,
    from: number,
    limit: number,
  ): Promise<Entry<Types[S]>[]> {
    this.#assertOpen();
    const { first, next } = this.#head(stream, shard);
    if (from < first) throw lostEntries(stream, shard, from, first);
    if (from >= next || limit < 1) return [];
    const gathering = new Gathering(stream, shard, from, limit);
    let bytes = 0;
    for (const [chunkFirst, chunk] of this.#of(stream).chunksFrom(stream, shard, from)) {
      bytes += chunk.length;
      if (!this.#chunks.giveTo(gathering, chunkFirst, chunk) || bytes >= MAX_READ_BYTES) break;
    }
    return gathering.result();
  }

  async readBackwards<S extends NameIn<Types>>(
    stream: S,
    shard: number,
    limit: number,
    before = Infinity,
  ): Promise<Entry<Types[S]>[]> {
    this.#assertOpen();
    const { first, next } = this.#head(stream, shard);
    const newest = Math.min(before, next) - 1;
    if (newest < first || limit < 1) return [];
    const gathering = new Gathering(stream, shard, newest, limit, true);
    const range = {
      start: [stream, shard, newest] as ChunkKey,
      end: [stream, shard, -1] as ChunkKey,
      reverse: true,
    };
    for (const { key, value } of this.#of(stream).chunks.getRange(range))
      if (!this.#chunks.giveTo(gathering, key[2], value)) break;
    return gathering.result();
  }

  watch(stream: string, shard: number, listener: (end: number) => void): () => void {
    this.#assertOpen();
    return this.#news.watch(stream, shard, listener);
  }

  async waitFor(stream: string, shard: number, from: number, signal: AbortSignal): Promise<void> {
    this.#assertOpen();
    if (!signal.aborted) await this.#news.wait(stream, shard, from, signal);
  }

  async extent(stream: string, shard: number): Promise<Extent> {
    this.#assertOpen();
    const { first, next } = this.#head(stream, shard);
    return { first, next };
  }

  async position(cursor: string, stream: string, shard: number): Promise<number> {
    this.#assertOpen();
    return this.#position(cursor, stream, shard);
  }

  async enter(cursor: string, stream: string, shard: number): Promise<number> {
    this.#assertOpen();
    const key: CursorKey = [cursor, stream, shard];
    return (
      this.#cursors.get(key) ??
      this.#streams.enqueue(1, () => {
        const next = this.#position(...key);
        void this.#cursors.put(key, next);
        return next;
      })
    );
  }

  async commit(commit: Commit): Promise<void> {
    const { cursor, stream, shard, expected, next, state = [], append = [] } = commit;
    this.#assertOpen();
    const outgoing = append.flatMap((part) => this.#beside(part.stream, part.entries));
    for (const write of state) assertStorable(write);
    const conflict = await this.#streams.enqueue(countOf(outgoing) + state.length, (add) => {
      const stands = this.#position(cursor, stream, shard);
      if (stands !== expected) return stands;
      this.#state.applyWithinTransaction(state);
      add(outgoing);
      void this.#cursors.put([cursor, stream, shard], next);
      return undefined;
    });
    if (conflict !== undefined) throw cursorConflict(cursor, `${stream}/${shard}`, conflict, expected);
  }

  async cursors(): Promise<CursorPosition[]> {
    this.#assertOpen();
    return this.#cursorPositions();
  }

  async seek(cursor: string, stream: string, shard: number, next: number): Promise<void> {
    this.#assertOpen();
    await this.#streams.enqueue(1, () => void this.#cursors.put([cursor, stream, shard], next));
  }

  async retain(stream: string, policy: RetentionPolicy): Promise<RetentionReport[]> {
    this.#assertOpen();
    const reports: RetentionReport[] = [];
    for (let shard = 0; shard < this.shards; shard++) {
      const apply = (): RetentionReport =>
        this.#retentionOf(stream).apply(stream, shard, policy, this.#cursorPositions(), this.#clock.now());
      reports.push(await this.#of(stream).enqueue(1, apply));
    }
    return reports;
  }

  async removals(stream: string): Promise<Removal[]> {
    this.#assertOpen();
    return this.#retentionOf(stream).removals(stream);
  }

  async stats(): Promise<StreamStats[]> {
    this.#assertOpen();
    const streams = new Map<string, { entries: number; bytes: number }>();
    for (const { stream, first, next, bytes } of [...this.#streams.heads(), ...this.#intake.heads()]) {
      const sum = streams.get(stream) ?? { entries: 0, bytes: 0 };
      streams.set(stream, { entries: sum.entries + next - first, bytes: sum.bytes + bytes });
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
    this.#news.end();
    await Promise.all([this.#streams.idle(), this.#intake.idle()]);
    this.#news.close();
    await this.#intake.environment.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('JOURNAL_CLOSED', 'the journal was closed.');
  }

  #of(stream: string): LmdbStreams {
    return this.#intakeNames.has(stream) ? this.#intake : this.#streams;
  }

  #retentionOf(stream: string): Retention {
    return this.#intakeNames.has(stream) ? this.#intakeRetention : this.#retention;
  }

  #position(...key: CursorKey): number {
    return this.#cursors.get(key) ?? this.#head(key[1], key[2]).first;
  }

  #cursorPositions(): CursorPosition[] {
    return Array.from(this.#cursors.getRange(), ({ key: [cursor, stream, shard], value }) => ({
      cursor,
      stream,
      shard,
      next: value,
    }));
  }

  #head(stream: string, shard: number): Extent {
    return this.#of(stream).head(stream, shard);
  }

  /** @throws PantauError `JOURNAL_CLOSED`; `JOURNAL_FULL` when it yields and only the reserve is left */
  #admit({ yields = false }: AppendOptions = {}): void {
    this.#assertOpen();
    if (yields && !this.#space.accepts()) throw full();
  }

  async #store(
    stream: string,
    blocks: readonly EncodedBlock[],
    { yields = false }: AppendOptions = {},
  ): Promise<void> {
    await this.#of(stream).append(this.#outgoing(stream, blocks), yields);
  }

  /** What lies beside the state, in one commit with it. */
  #beside(stream: string, entries: readonly EncodedEntries[]): Addressed[] {
    if (this.#intakeNames.has(stream))
      throw new PantauError('USAGE', `${stream} takes no entries of a stage.`);
    return this.#outgoing(stream, entries.flatMap(blocksOf));
  }

  #outgoing(stream: string, blocks: readonly EncodedBlock[]): Addressed[] {
    this.#space.handIn(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
    return blocks.map(({ shard, count, bytes, withRoom }) => ({
      stream,
      shard,
      count,
      bytes,
      ...defined({ withRoom }),
    }));
  }
}

/** What the streams have that have it. */
function each<T>(
  streams: ReadonlyMap<string, StreamTraits>,
  of: (traits: StreamTraits) => T | undefined,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [name, traits] of streams) {
    const value = of(traits);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
