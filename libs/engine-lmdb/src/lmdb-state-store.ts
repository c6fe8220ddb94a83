import { messageOf, PantauError } from '#libs/kernel';
import type { Database } from 'lmdb';
import { LmdbEnvironment } from './lmdb-environment.js';
import type {
  ListOptions,
  Namespace,
  SeenRow,
  StateStore,
  StateWrite,
  UnreadableListener,
} from '#libs/state';
import { isDeepStrictEqual } from 'node:util';
import { valueFault } from './state-value.js';

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
  /** Values that cannot be read and were told of. */
  readonly #told = new Set<string>();
  #closed = false;

  private constructor(
    readonly environment: LmdbEnvironment,
    private readonly onUnreadable: UnreadableListener,
  ) {
    this.#entries = environment.database('state', 'msgpack');
  }

  /**
   * @param onUnreadable - told once of each value that is passed over because it cannot be read; a warning of the process
   * when not given
   * @throws PantauError `DATA_DIR_UNUSABLE` when the folder cannot be opened for writing
   */
  static open(folder: string, onUnreadable: UnreadableListener = warnOfUnreadable): LmdbStateStore {
    return new LmdbStateStore(LmdbEnvironment.open(folder), onUnreadable);
  }

  async get<T>(namespace: Namespace<T>, key: string): Promise<T | undefined> {
    this.#beginRead();
    return this.#valueOf(namespace, key);
  }

  async getMany<T>(namespace: Namespace<T>, keys: readonly string[]): Promise<(T | undefined)[]> {
    this.#beginRead();
    return keys.map((key) => this.#valueOf(namespace, key));
  }

  async list<T>(namespace: Namespace<T>, options: ListOptions = {}): Promise<{ key: string; value: T }[]> {
    this.#beginRead();
    const { prefix = '', from = prefix, to, limit, reverse = false } = options;
    const name = namespace.name;
    const low: StateKey = [name, from > prefix ? from : prefix];
    const high: StateKey = [name, to === undefined || to > prefix + LAST ? prefix + LAST : to];
    const entries: { key: string; value: T }[] = [];
    // Walking down, LMDB would include the upper bound and leave out the lower one; both are put right here.
    const range = reverse
      ? { start: high, end: low, reverse: true, inclusiveEnd: true }
      : { start: low, end: high };
    // By keys: a range that decodes as it goes ends at the first value that cannot be decoded.
    for (const key of this.#entries.getKeys(range)) {
      if (limit !== undefined && entries.length >= limit) break;
      if (key[0] !== name || (to !== undefined && key[1] >= to) || key[1] < low[1]) continue;
      const value = this.#valueOf(namespace, key[1]);
      if (value !== undefined) entries.push({ key: key[1], value });
    }
    return entries;
  }

  async write(writes: readonly StateWrite[]): Promise<void> {
    this.#assertOpen();
    for (const write of writes) assertStorable(write);
    await this.#change(() => this.applyWithinTransaction(writes));
  }

  async putIfAbsent<T>(namespace: Namespace<T>, key: string, value: NoInfer<T>): Promise<boolean> {
    this.#assertOpen();
    assertStorable(namespace.put(key, value));
    return this.#change(() => {
      if (this.#entries.doesExist([namespace.name, key])) return false;
      void this.#entries.put([namespace.name, key], value);
      return true;
    });
  }

  async writeIf(seen: readonly SeenRow[], writes: readonly StateWrite[]): Promise<boolean> {
    this.#assertOpen();
    for (const write of writes) assertStorable(write);
    return this.#change(() => {
      if (!this.holdsWithinTransaction(seen)) return false;
      this.applyWithinTransaction(writes);
      return true;
    });
  }

  /** For the journal that shares the environment: whether rows are as they were read. */
  holdsWithinTransaction(seen: readonly SeenRow[]): boolean {
    return seen.every(({ namespace, key, value }) => isDeepStrictEqual(this.#valueOf(namespace, key), value));
  }

  /**
   * For the journal that shares the environment: writes as part of the transaction that is running. Values have passed
   * {@link assertStorable} before it began: one that cannot be encoded would leave half of the others written.
   */
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

  /** One that cannot be read is as good as absent, or what its namespace says instead: one bad row takes down neither a route nor a stage. */
  #valueOf<T>(namespace: Namespace<T>, key: string): T | undefined {
    let fault: unknown;
    try {
      const value = this.#entries.get([namespace.name, key]);
      if (value === undefined) return undefined;
      fault = valueFault(value) ?? namespace.shapeFault(value);
      if (fault === undefined) return value as T;
    } catch (error) {
      fault = error;
    }
    const name = `${namespace.name}/${key}`;
    if (!this.#told.has(name)) this.onUnreadable(namespace.name, key, fault);
    this.#told.add(name);
    return namespace.definition.unreadable;
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

/** A warning of the process. */
export function warnOfUnreadable(namespace: string, key: string, cause: unknown): void {
  const why = typeof cause === 'string' ? cause : messageOf(cause);
  process.emitWarning(`${namespace}/${key} cannot be read and is passed over: ${why}`, {
    code: 'STATE_UNREADABLE',
  });
}

/** @throws PantauError `STATE_VALUE_INVALID` */
export function assertStorable({ namespace, key, value }: StateWrite): void {
  const fault = valueFault(value);
  if (fault === undefined) return;
  throw new PantauError('STATE_VALUE_INVALID', `${namespace}/${key} cannot be stored: ${fault}.`);
}
