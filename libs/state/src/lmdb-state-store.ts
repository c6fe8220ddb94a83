import { PantauError } from '#libs/kernel';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import type { ListOptions, StateStore, StateWrite } from './state-store.js';

type StateKey = [namespace: string, key: string];

/** Sorts after every key that begins with the same text. */
const LAST = '\uffff';

const META_PAGES = 2;

/** What lmdb counts, in pages; its own types do not say. */
interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface EnvironmentStats extends TreeStats {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  /** The tree that names the databases. */
  readonly root: TreeStats;
  /** The tree that lists free pages. */
  readonly free: TreeStats;
}

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
          // With it, lmdb makes a promise of its own for each turn that nobody can reach. When the disk is full that
          // promise rejects too, and an unhandled rejection ends the process.
          eventTurnBatching: false,
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

  /**
   * For the journal that shares the environment: a transaction that is on disk when this resolves.
   *
   * @throws the system's error with its numeric `code` when the commit failed; nothing of it was written then, and the
   * environment goes on working once the cause is gone
   */
  async transact<T>(work: () => T): Promise<T> {
    try {
      return await this.environment.transaction(work);
    } catch (error) {
      // lmdb tells the reason by a second promise, which has to be waited for in any case: see eventTurnBatching.
      const { commitError } = error as { commitError?: Promise<never> };
      if (commitError === undefined) throw error;
      return await commitError;
    }
  }

  /**
   * Bytes inside the file that the next writes take again: the file keeps what removed entries occupied and never
   * becomes smaller.
   *
   * @param others - the environment's other databases
   */
  reusableBytes(others: readonly Database[]): number {
    const pages = ({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreeStats): number =>
      treeBranchPageCount + treeLeafPageCount + overflowPages;
    const { root, free, lastPageNumber, pageSize, ...own } = this.#entries.getStats() as EnvironmentStats;
    const trees = [own, root, free, ...others.map((database) => database.getStats() as TreeStats)];
    const used = trees.reduce((sum, tree) => sum + pages(tree), META_PAGES);
    return Math.max(0, lastPageNumber + 1 - used) * pageSize;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.environment.close();
  }

  async #change<T>(work: () => T): Promise<T> {
    try {
      return await this.transact(work);
    } catch (cause) {
      throw new PantauError('JOURNAL_WRITE_FAILED', 'the state could not be written.', {
        remedy: 'Check the space and the health of the disk that holds the data folder.',
        transient: true,
        cause,
      });
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new PantauError('STATE_CLOSED', 'the state store was closed.');
  }
}
