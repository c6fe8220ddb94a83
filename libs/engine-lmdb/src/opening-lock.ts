import { PantauError } from '#libs/kernel';
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { open, type RootDatabase, type Transaction } from 'lmdb';
import { makeFolder } from '#libs/platform';

/** Beside the environment's own files. */
const FOLDER = 'opening';
/** A commit takes milliseconds; who stands still for a minute is halted. */
const LOOK_AGAIN_MS = 1;
const LOOKS = 60_000;
/** What a killed process of another container left, if it had this one's number: LMDB takes it for this one's. */
const LOOKS_AT_OWN = 5_000;

/**
 * Keeps commits away while a process opens an environment. LMDB itself does not (ITS#9496, still so in the version that
 * lmdb carries): who opens reads which transaction was the last, and writes that down for all processes. A transaction
 * that is committed between the two is overwritten by the next one, and the tree is broken.
 *
 * A commit holds the lock shared, who opens holds it exclusively. It is an environment of its own that is never written,
 * so opening that one is harmless, and what a killed process held is let go by LMDB: a commit is a reader of it, who
 * opens is its writer. Either announces itself first and looks for the other after that: a commit by its place in the
 * table of readers, who opens by a file.
 */
export class OpeningLock {
  /** Of this thread: who has an environment open already opens it without LMDB's asking again. */
  static readonly #held = new Map<string, OpeningLock>();

  #holders = 0;
  #commits = 0;
  #waiting = 0;
  #turn = Promise.resolve();
  #announced: Transaction | undefined;
  #isClosed = false;
  readonly #opening: string;

  private constructor(
    private readonly folder: string,
    private readonly root: RootDatabase,
  ) {
    this.#opening = join(folder, FOLDER, 'now');
  }

  /**
   * Opens an environment while nobody commits to it. This thread waits for those that are under way.
   *
   * @throws PantauError `DATA_DIR_BUSY` when one does not come to its end
   */
  static open<T>(folder: string, openEnvironment: () => T): { lock: OpeningLock; environment: T } {
    const path = resolve(folder);
    const held = this.#held.get(path);
    const lock = held ?? new OpeningLock(path, openRoot(join(path, FOLDER)));
    let environment: T;
    try {
      environment = held === undefined ? lock.#alone(openEnvironment) : openEnvironment();
    } catch (error) {
      if (held === undefined) void lock.root.close();
      throw error;
    }
    this.#held.set(path, lock);
    lock.#holders++;
    return { lock, environment };
  }

  /** Runs a commit, at once when nobody is opening. Those that waited go on in their order, before any that came later. */
  async commit<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting > 0 || !this.#enter()) {
      this.#waiting++;
      this.#turn = this.#enterAfter(this.#turn);
      try {
        await this.#turn;
      } finally {
        this.#waiting--;
      }
    }
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** As {@link commit}, of work that is over when it returns. */
  commitNow<T>(work: () => T): T {
    while (!this.#enter()) this.root.transactionSync(() => rmSync(this.#opening, { force: true }));
    try {
      return work();
    } finally {
      this.#leave();
    }
  }

  async close(): Promise<void> {
    if (--this.#holders > 0) return;
    OpeningLock.#held.delete(this.folder);
    this.#isClosed = true;
    await this.root.close();
  }

  async #enterAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => undefined);
    // The writer's place is free when the opening is over, or whoever was at it is dead: then its file is nobody's.
    while (!this.#enter()) await this.root.transaction(() => rmSync(this.#opening, { force: true }));
  }

  #enter(): boolean {
    this.#announced ??= this.root.useReadTransaction();
    const isFree = !existsSync(this.#opening);
    if (isFree) this.#commits++;
    else this.#fallSilent();
    return isFree;
  }

  #leave(): void {
    this.#commits--;
    this.#fallSilent();
  }

  #fallSilent(): void {
    if (this.#commits > 0 || this.#isClosed) return;
    this.#announced?.done();
    this.#announced = undefined;
    this.root.resetReadTxn();
  }

  #alone<T>(openEnvironment: () => T): T {
    return this.root.transactionSync(() => {
      closeSync(openSync(this.#opening, 'w'));
      try {
        for (let looks = 1; ; looks++) {
          const committing = this.#committing(looks > LOOKS_AT_OWN);
          if (committing === undefined) break;
          if (looks >= LOOKS)
            throw new PantauError(
              'DATA_DIR_BUSY',
              `process ${committing} is writing to ${this.folder} and does not come to an end.`,
              { remedy: 'See whether it is halted: let it go on, or end it.' },
            );
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
        }
        return openEnvironment();
      } finally {
        rmSync(this.#opening, { force: true });
      }
    });
  }

  /** The process of any commit that is under way. */
  #committing(passOwn: boolean): string | undefined {
    this.root.readerCheck();
    // A head, and then a line for each reader: its process, its thread, and what it reads, or "-".
    const [, ...readers] = this.root.readerList().trimEnd().split('\n');
    for (const reader of readers) {
      const [id, , transaction] = reader.trim().split(/\s+/);
      if (transaction === undefined || transaction === '-') continue;
      if (!passOwn || id !== String(process.pid)) return id;
    }
    return undefined;
  }
}

function openRoot(path: string): RootDatabase {
  makeFolder(path);
  return open({ path, overlappingSync: false, eventTurnBatching: false });
}
