import type { Namespace, SeenRow, StateWrite } from './namespace.js';

export interface ListOptions {
  /** Only keys that begin with this text. */
  readonly prefix?: string;
  /** Only keys at or after this one. */
  readonly from?: string;
  /** Only keys before this one. */
  readonly to?: string;
  readonly limit?: number;
  /** Descending order of keys. */
  readonly reverse?: boolean;
}

/** Told of a value, or of a part of one, that cannot be read and is passed over. */
export type UnreadableListener = (namespace: string, key: string, cause: unknown) => void;

/**
 * Durable key-value state: registry, credentials, snapshots of stages. Values are plain data. Keys are ordered by code unit
 * within a namespace. A value that cannot be read, or has not the shape that its namespace declares, counts as absent, or as what
 * the namespace declares in its place.
 *
 * Every method rejects with `STATE_CLOSED` after {@link close}.
 */
export interface StateStore {
  get<T>(namespace: Namespace<T>, key: string): Promise<T | undefined>;
  /** Values in the order of the keys; undefined where a key has none. */
  getMany<T>(namespace: Namespace<T>, keys: readonly string[]): Promise<(T | undefined)[]>;
  /** Entries in key order. */
  list<T>(namespace: Namespace<T>, options?: ListOptions): Promise<{ key: string; value: T }[]>;
  /** All or nothing; resolves when durable. */
  write(writes: readonly StateWrite[]): Promise<void>;
  /** Puts the value when the key has none. @returns whether it was put */
  putIfAbsent<T>(namespace: Namespace<T>, key: string, value: NoInfer<T>): Promise<boolean>;
  /**
   * Writes what was decided by rows that were read, if each of them is still as it was: of several who decide by the same rows
   * at the same time, in whatever process, one writes. {@link changeRow} reads and decides again.
   *
   * @returns whether it was written; otherwise nothing was
   */
  writeIf(seen: readonly SeenRow[], writes: readonly StateWrite[]): Promise<boolean>;
  close(): Promise<void>;
}
