import { PantauError } from '#libs/kernel';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import type { ListOptions, StateStore, StateWrite } from './state-store.js';

type StateKey = [namespace: string, key: string];

/** Sorts after every key that begins with the same text. */
const LAST = '\uffff';

/**
 * State in an LMDB environment (one folder, several processes). A commit returns after fsync.
 *
 * The embedded journal lives in the same environment, so that a stage's state and its cursor share one commit.
 */
export class LmdbStateStore implements StateStore {
  readonly #entries: Database<unknown, StateKey>;
  #closed = false;

  private constructor(
    /** Where it lives. */
    readonly folder: string,
    readonly environment: RootDatabase,
  ) {
    this.#entries = environment.openDB<unknown, StateKey>('state', { encoding: 'msgpack' });
  }

  /** @throws PantauError `DATA_DIR_UNUSABLE` when the folder cannot be opened for writing */
  static open(folder: string): LmdbStateStore {
    try {
      // Checked first: lmdb itself does not return when the folder cannot be made.
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.R_OK | constants.W_OK);
      return new LmdbStateStore(
        folder,
        open({
          path: folder,
          maxDbs: 16,
          // A commit waits for fsync inside the transaction: "resolved" then means "on disk" without a second promise,
          // and under group commit it is no slower (npm run bench:journal).
          overlappingSync: false,
        }),
      );
    } catch (error) {
      throw new PantauError('DATA_DIR_UNUSABLE', `cannot open the data folder ${folder}.`, {
        remedy: 'Check that it exists, is writable and has space.',
        cause: error,
      });
    }
  }

  async get<T>(namespace: string, key: string): Promise<T | undefined> {
    this.#assertOpen();
    return this.#entries.get([namespace, key]) as T | undefined;
  }

  async getMany<T>(namespace: string, keys: readonly string[]): Promise<(T | undefined)[]> {
    this.#assertOpen();
    return keys.map((key) => this.#entries.get([namespace, key]) as T | undefined);
  }

  async list<T>(namespace: string, options: ListOptions = {}): Promise<{ key: string; value: T }[]> {
    this.#assertOpen();
    const { prefix = '', from = prefix, to, limit, reverse = false } = options;
    const low: StateKey = [namespace, from > prefix ? from : prefix];
    const high: StateKey = [namespace, to === undefined || to > prefix + LAST ? prefix + LAST : to];
    const entries: { key: string; value: T }[] = [];
    // Walking down, LMDB would include the upper bound and leave out the lower one; both are put right here.
    const range = reverse
      ? { start: high, end: low, reverse: true, inclusiveEnd: true }
      : { start: low, end: high };
    for (const { key, value } of this.#entries.getRange(range)) {
      if (limit !== undefined && entries.length >= limit) break;
      if (key[0] !== namespace || (to !== undefined && key[1] >= to) || key[1] < low[1]) continue;
      entries.push({ key: key[1], value: value as T });
    }
    return entries;
  }

  async write(writes: readonly StateWrite[]): Promise<void> {
    this.#assertOpen();
    await this.environment.transaction(() => this.applyWithinTransaction(writes));
  }

  async putIfAbsent(namespace: string, key: string, value: unknown): Promise<boolean> {
    this.#assertOpen();
    return this.environment.transaction(() => {
      if (this.#entries.doesExist([namespace, key])) return false;
      void this.#entries.put([namespace, key], value);
      return true;
    });
  }

  /** For the journal that shares the environment: writes as part of the transaction that is running. */
  applyWithinTransaction(writes: readonly StateWrite[]): void {
    // Inside a transaction callback lmdb applies puts at once; their promises only repeat the transaction's.
    for (const { namespace, key, value } of writes) {
      if (value === undefined) void this.#entries.remove([namespace, key]);
      else void this.#entries.put([namespace, key], value);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.environment.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('STATE_CLOSED', 'the state store was closed.');
  }
}
