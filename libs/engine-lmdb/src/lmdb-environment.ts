import { PantauError } from '#libs/kernel';
import { accessSync, constants } from 'node:fs';
import { open, type Database, type Key, type RootDatabase } from 'lmdb';
import { makeFolder } from '#libs/platform';
import { OpeningLock } from './opening-lock.js';

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

/** An LMDB environment: one folder, one writer at a time, several processes. A commit returns after fsync. */
export class LmdbEnvironment {
  readonly #databases: Database<never, never>[] = [];

  private constructor(
    /** Where it lives. */
    readonly folder: string,
    readonly root: RootDatabase,
    private readonly opening: OpeningLock,
  ) {}

  /**
   * This thread waits while others that have it open end their commits.
   *
   * @throws PantauError `DATA_DIR_UNUSABLE` when the folder cannot be opened for writing, `DATA_DIR_BUSY` when somebody's
   * commit does not end
   */
  static open(folder: string): LmdbEnvironment {
    try {
      // Checked first: lmdb itself does not return when the folder cannot be made.
      makeFolder(folder);
      accessSync(folder, constants.R_OK | constants.W_OK);
      const { lock, environment } = OpeningLock.open(folder, () =>
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
      return new LmdbEnvironment(folder, environment, lock);
    } catch (error) {
      if (error instanceof PantauError) throw error;
      throw new PantauError('DATA_DIR_UNUSABLE', `cannot open the data folder ${folder}.`, {
        remedy: 'Check that it exists, is writable and has space.',
        cause: error,
      });
    }
  }

  /**
   * A transaction that is on disk when this resolves.
   *
   * @throws the system's error with its numeric `code` when the commit failed; nothing of it was written then, and the
   * environment goes on working once the cause is gone
   */
  async transact<T>(work: () => T): Promise<T> {
    return this.opening.commit(() => withReason(this.root.transaction(work)));
  }

  /**
   * Writes what `work` puts if the record stands at this version, and it is on disk when this resolves. Unlike
   * {@link transact} it never waits for this thread: lmdb's own compares and writes while this one goes on.
   *
   * @param work - puts, and reads nothing of the transaction
   * @returns whether it did; otherwise nothing was written
   * @throws as {@link transact}
   */
  async writeIf<K extends Key>(
    records: Database<unknown, K>,
    key: K,
    version: number,
    work: () => void,
  ): Promise<boolean> {
    return this.opening.commit(() => withReason(records.ifVersion(key, version, work)));
  }

  /** Opens a database of the environment, or makes it. With versions each record has one, to be given with each put. */
  database<V, K extends Key>(
    name: string,
    encoding: 'msgpack' | 'binary',
    { useVersions = false } = {},
  ): Database<V, K> {
    const database = this.opening.commitNow(() => this.root.openDB<V, K>(name, { encoding, useVersions }));
    this.#databases.push(database as unknown as Database<never, never>);
    return database;
  }

  /**
   * Bytes inside the file that the next writes take again: the file keeps what removed entries occupied and never
   * becomes smaller.
   */
  reusableBytes(): number {
    const stats = this.#databases.map((database) => database.getStats() as EnvironmentStats);
    const [any] = stats;
    if (any === undefined) return 0;
    const used = [any.root, any.free, ...stats].reduce(
      (pages, { treeBranchPageCount, treeLeafPageCount, overflowPages }) =>
        pages + treeBranchPageCount + treeLeafPageCount + overflowPages,
      META_PAGES,
    );
    return Math.max(0, any.lastPageNumber + 1 - used) * any.pageSize;
  }

  /** A read otherwise sees the snapshot of the beginning of this turn of the event loop. */
  refresh(): void {
    this.root.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.root.close();
    await this.opening.close();
  }
}

async function withReason<T>(commit: Promise<T>): Promise<T> {
  try {
    return await commit;
  } catch (error) {
    // lmdb tells the reason by a second promise, which has to be waited for in any case: see eventTurnBatching.
    const { commitError } = error as { commitError?: Promise<never> };
    if (commitError === undefined) throw error;
    return await commitError;
  }
}
