import { PantauError } from '#libs/kernel';
import type { Database } from 'lmdb';
import { LmdbEnvironment } from './lmdb-environment.js';
import type { ListOptions, StateStore, StateWrite } from '#libs/state';

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

  private constructor(readonly environment: LmdbEnvironment) {
    this.#entries = environment.database('state', 'msgpack');
  }

  /** @throws PantauError `DATA_DIR_UNUSABLE` when the folder cannot be opened for writing */
  static open(folder: string): LmdbStateStore {
    return new LmdbStateStore(LmdbEnvironment.open(folder));
  }

  async get<T>(namespace: string, key: string): Promise<T | undefined> {
    this.#beginRead();
    return this.#entries.get([namespace, key]) as T | undefined;
  }

  async getMany<T>(namespace: string, keys: readonly string[]): Promise<(T | undefined)[]> {
    this.#beginRead();
    return keys.map((key) => this.#entries.get([namespace, key]) as T | undefined);
  }

  async list<T>(namespace: string, options: ListOptions = {}): Promise<{ key: string; value: T }[]> {
    this.#beginRead();
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
    await this.#change(() => this.applyWithinTransaction(writes));
  }

  async putIfAbsent(namespace: string, key: string, value: unknown): Promise<boolean> {
    this.#assertOpen();
    return this.#change(() => {
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

  async #change<T>(work: () => T): Promise<T> {
    try {
      return await this.environment.transact(work);
    } catch (cause) {
      throw new PantauError('JOURNAL_WRITE_FAILED', 'the state could not be written.', {
        remedy: 'Check the space and the health of the disk that holds the data folder.',
        transient: true,
        cause,
      });
    }
  }

  /** What is read is what is durable now, whichever thread wrote it: a password that was just issued works at once. */
  #beginRead(): void {
    this.#assertOpen();
    this.environment.refresh();
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('STATE_CLOSED', 'the state store was closed.');
  }
}
