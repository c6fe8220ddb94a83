import type { UtcMillis } from '#libs/kernel';
import type { SeenRow, StateWrite } from '#libs/state';
import type { StreamTypes } from '#libs/streams';
import type { DirectAppends } from './direct-appends.js';
import type { AppendOptions, NameIn, NewEntry } from './new-entry.js';

/** Entries as the engine stores them: made by {@link Journal.encode}, taken by `commit` of the same journal. What is in them is the engine's. */
export interface EncodedEntries {
  /** What they will take. */
  readonly byteLength: number;
}

/** What a consumer reads. */
export interface Entry<T = unknown> extends NewEntry<T> {
  readonly shard: number;
  /** Position within stream and shard, without gaps, from 0. */
  readonly offset: number;
  readonly appendedAt: UtcMillis;
}

export interface CursorPosition {
  readonly cursor: string;
  readonly stream: string;
  readonly shard: number;
  /** The offset to read next. */
  readonly next: number;
}

/** What a stage did with a batch. Durable in the same commit as its cursor, all or nothing. */
export interface Commit {
  readonly cursor: string;
  readonly stream: string;
  readonly shard: number;
  /** The position from which the batch was read; the commit is refused when the cursor stands elsewhere. */
  readonly expected: number;
  readonly next: number;
  readonly state?: readonly StateWrite[];
  readonly append?: readonly StreamAppend[];
}

export interface StreamAppend {
  readonly stream: string;
  /** In the order in which they are to stand. */
  readonly entries: readonly EncodedEntries[];
}

/** First and next offset of a shard of a stream: `first` is the oldest kept, `next` the one to be written. */
export interface Extent {
  readonly first: number;
  readonly next: number;
}

export interface RetentionPolicy {
  /** Entries appended longer ago than this may go. Milliseconds. */
  readonly maxAge?: number;
  /** When a stream holds more bytes than this, its oldest entries may go. */
  readonly maxBytes?: number;
  /**
   * What to do with old entries that a cursor has not read: keep them (`wait`, the default), or drop them and say so
   * (`drop`): the report names the cursor and the count, and that cursor's next read rejects with `CURSOR_LOST_ENTRIES`.
   */
  readonly unread?: 'wait' | 'drop';
}

export interface RetentionReport {
  readonly stream: string;
  readonly shard: number;
  readonly dropped: number;
  /** Entries past the limits that were kept because a cursor had not read them (`wait`). */
  readonly heldBack: number;
  /** Cursors that lost unread entries (`drop`), or that held entries back (`wait`). */
  readonly cursors: readonly { readonly cursor: string; readonly unread: number }[];
}

/**
 * What retention removed from a shard on one day (UTC), so that what is gone by rule can be told from what is missing.
 * Recorded in the transaction that removes it. What was removed before there was this record has none.
 */
export interface Removal {
  readonly stream: string;
  readonly shard: number;
  /** When it last removed something on that day. */
  readonly at: UtcMillis;
  /** Offset of the first removed entry, and of the first that was left: `to - from` entries went. */
  readonly from: number;
  readonly to: number;
  /** When the newest of the removed entries was appended. */
  readonly appendedUntil: UtcMillis;
  /** SHA-256, in hexadecimal, chained over the stored bytes of what was removed on that day, oldest first. */
  readonly digest: string;
}

export interface StreamStats {
  readonly stream: string;
  readonly entries: number;
  readonly bytes: number;
}

export interface JournalSpace {
  /** What can still be written. Infinite when nobody can tell. */
  readonly freeBytes: number;
  /** The reserve: with less than this, appends that yield are refused. */
  readonly minFreeBytes: number;
  /** Whether appends that yield are taken. */
  readonly accepting: boolean;
}

/**
 * The append-only, durable, per-device-ordered log between the stages.
 *
 * Errors: `JOURNAL_CLOSED` after {@link close}; `JOURNAL_FULL` (transient) when there is no space, for appends that
 * yield already when only the reserve is left; `JOURNAL_WRITE_FAILED` (transient) when it could not be written otherwise.
 * After each of them nothing of the append or commit was written.
 *
 * @typeParam Types - the type of the entries of each stream; those of the catalogue by default
 */
export interface Journal<Types = StreamTypes> {
  /** Number of shards of every stream; fixed when the journal is made. */
  readonly shards: number;
  /**
   * Brings entries into the form in which a stream stores them. Whoever has many does it as they come: what is encoded
   * takes the garbage collector nothing, however long it waits for its commit.
   *
   * @throws PantauError `JOURNAL_ENTRY_TOO_LARGE`; @throws TypeError when the data is not plain
   */
  encode<S extends NameIn<Types>>(stream: S, entries: readonly NewEntry<Types[S]>[]): EncodedEntries;
  /** Resolves once all entries are on stable storage. */
  append<S extends NameIn<Types>>(
    stream: S,
    entries: readonly NewEntry<Types[S]>[],
    options?: AppendOptions,
  ): Promise<void>;
  /**
   * Appends entries and writes what follows from them in one commit, if each of the rows is still as it was read: as
   * `StateStore.writeIf`, with an append. Not for the streams of intake.
   *
   * @returns whether it was done, and is on stable storage; otherwise nothing was
   */
  appendIf<S extends NameIn<Types>>(
    stream: S,
    entries: readonly NewEntry<Types[S]>[],
    seen: readonly SeenRow[],
    writes: readonly StateWrite[],
  ): Promise<boolean>;
  /** Where the engine offers it. */
  readonly direct?: DirectAppends<Types>;
  /**
   * Entries from `from` on, in order: at most `limit`, fewer where they are large or one cannot be read, none only at the
   * end. For the doors of this library and of the stages; everybody else reads through them (`readPage`).
   *
   * Rejects with `CURSOR_LOST_ENTRIES` when `from` is older than the oldest kept entry, and with an `UnreadableEntry` when
   * the entry at `from` cannot be read; those behind it can be asked for.
   */
  read<S extends NameIn<Types>>(
    stream: S,
    shard: number,
    from: number,
    limit: number,
  ): Promise<Entry<Types[S]>[]>;
  /**
   * The newest `limit` entries before offset `before` (default: the end), newest first; fewer where one cannot be read.
   * Rejects with an `UnreadableEntry` when that is the newest of them.
   */
  readBackwards<S extends NameIn<Types>>(
    stream: S,
    shard: number,
    limit: number,
    before?: number,
  ): Promise<Entry<Types[S]>[]>;
  /**
   * Tells where a shard ends, the offset behind its newest entry: at once, and after every append that is on disk, whoever made it. A read
   * from within the listener sees what it is told of. When the journal is closed, it ends at infinity.
   *
   * @returns what ends it
   */
  watch(stream: NameIn<Types>, shard: number, listener: (end: number) => void): () => void;
  /** Resolves when the shard holds an entry at or after `from`, or when the signal aborts. */
  waitFor(stream: NameIn<Types>, shard: number, from: number, signal: AbortSignal): Promise<void>;
  extent(stream: NameIn<Types>, shard: number): Promise<Extent>;
  /** Where the cursor stands: the offset to read next. One that is new stands at the oldest entry that is kept. */
  position(cursor: string, stream: NameIn<Types>, shard: number): Promise<number>;
  /** Stores a cursor that is new where it stands, so that retention waits for it from then on. @returns where it stands */
  enter(cursor: string, stream: NameIn<Types>, shard: number): Promise<number>;
  /** Moves a cursor together with its effects. Rejects with `CURSOR_CONFLICT` when another process moved it. */
  commit(commit: Commit): Promise<void>;
  /** Every cursor that is stored. */
  cursors(): Promise<CursorPosition[]>;
  /** Moves a cursor back or forward, to replay or to skip. */
  seek(cursor: string, stream: NameIn<Types>, shard: number, next: number): Promise<void>;
  /** Drops what the policy allows, oldest first, and reports what it did and did not. */
  retain(stream: NameIn<Types>, policy: RetentionPolicy): Promise<RetentionReport[]>;
  /** What retention removed of a stream: by shard, and within each in order of time. */
  removals(stream: NameIn<Types>): Promise<Removal[]>;
  stats(): Promise<StreamStats[]>;
  /** At most about a second old. */
  space(): Promise<JournalSpace>;
  close(): Promise<void>;
}

/** Whatever streams, for what treats all alike. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any catalogue will do, and no other type takes them all
export type AnyStreams = any;
export type AnyJournal = Journal<AnyStreams>;
