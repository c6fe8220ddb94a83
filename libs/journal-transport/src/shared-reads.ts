import type { Entry, Journal } from '#libs/journal';

/** Runs of entries kept of each shard: stages walk side by side, and one that waits for a store is a batch behind. */
const RUNS_KEPT = 2;

/** Consecutive entries. */
type Run = readonly Entry[];

const ofJournals = new WeakMap<Journal, SharedReads>();

/**
 * Reading a journal together with the other stages of the thread. Decoding an entry costs as much as most stages do with
 * it, so what one stage has read is handed to the others as it is.
 */
export class SharedReads {
  readonly #readers = new Map<string, number>();
  /** By stream and shard, the newest last. */
  readonly #runs = new Map<string, Run[]>();

  private constructor(private readonly journal: Journal) {}

  static of(journal: Journal): SharedReads {
    let shared = ofJournals.get(journal);
    if (shared === undefined) ofJournals.set(journal, (shared = new SharedReads(journal)));
    return shared;
  }

  /** Tells that somebody is going to read a shard of a stream. */
  join(stream: string, shard: number): void {
    const key = keyOf(stream, shard);
    this.#readers.set(key, (this.#readers.get(key) ?? 0) + 1);
  }

  leave(stream: string, shard: number): void {
    const key = keyOf(stream, shard);
    this.#readers.set(key, (this.#readers.get(key) ?? 0) - 1);
    this.#runs.delete(key);
  }

  /**
   * As {@link Journal.read}, but perhaps fewer entries than there are.
   *
   * @returns entries that others may hold too
   */
  async read(stream: string, shard: number, from: number, limit: number): Promise<readonly Entry[]> {
    const key = keyOf(stream, shard);
    // Nothing is kept for a reader who is alone.
    if ((this.#readers.get(key) ?? 0) < 2) return this.journal.read(stream, shard, from, limit);
    const runs = this.#runs.get(key) ?? [];
    for (const run of runs) {
      const begin = from - (run[0]?.offset ?? Infinity);
      if (begin === 0 && run.length <= limit) return run;
      if (begin >= 0 && begin < run.length) return run.slice(begin, begin + limit);
    }
    const read = await this.journal.read(stream, shard, from, limit);
    if (read.length > 0) this.#runs.set(key, [...runs.slice(1 - RUNS_KEPT), read]);
    return read;
  }
}

function keyOf(stream: string, shard: number): string {
  return `${stream}/${shard}`;
}
