import type { Entry, Journal } from '#libs/journal';
import type { StreamName } from '#libs/streams';
import type { Millis } from '#libs/kernel';

/** Runs of entries kept of each shard: stages walk side by side, and one that waits for a store is a batch behind. */
const RUNS_KEPT = 2;
/**
 * How long a reader waits for the others before it takes a run that one of them has yet to read away from them. Longer
 * than a batch takes, and short beside what anybody notices of an alert.
 */
const PATIENCE_MS: Millis = 250;

/** Consecutive entries. */
type Run = readonly Entry[];

/** A stage's place in a shard of a stream. */
export interface Reader {
  readonly stream: StreamName;
  readonly shard: number;
}

interface Place extends Reader {
  /** What it has read ends before this offset; undefined while nobody needs to wait for it. */
  next: number | undefined;
}

const ofJournals = new WeakMap<Journal, SharedReads>();

/**
 * Reading a journal together with the other stages of the thread. Decoding an entry costs as much as most stages do with
 * it, so what one stage has read is handed to the others as it is; and one that is ahead lets the others come after, for
 * a moment, instead of leaving each to decode for itself.
 */
export class SharedReads {
  readonly #shards = new Map<string, SharedShard>();

  private constructor(private readonly journal: Journal) {}

  static of(journal: Journal): SharedReads {
    let shared = ofJournals.get(journal);
    if (shared === undefined) ofJournals.set(journal, (shared = new SharedReads(journal)));
    return shared;
  }

  /** Tells that somebody is going to read a shard of a stream. */
  join(stream: StreamName, shard: number): Reader {
    const place: Place = { stream, shard, next: undefined };
    this.#shardOf(place).places.add(place);
    return place;
  }

  leave(reader: Reader): void {
    const shard = this.#shardOf(reader);
    shard.places.delete(reader);
    shard.runs = [];
    shard.moved();
  }

  /** Tells that the reader pauses for longer than a batch takes: nobody waits for it until it reads again. */
  rest(reader: Reader): void {
    (reader as Place).next = undefined;
    this.#shardOf(reader).moved();
  }

  /**
   * As `Journal.read`, but perhaps fewer entries than there are.
   *
   * @returns entries that others may hold too
   */
  async read(reader: Reader, from: number, limit: number): Promise<readonly Entry[]> {
    const { stream, shard } = reader;
    const shared = this.#shardOf(reader);
    (reader as Place).next = from;
    shared.letGo();
    shared.moved();
    // Nothing is kept for a reader who is alone.
    if (shared.places.size < 2) return this.journal.read(stream, shard, from, limit);
    const known = shared.find(from, limit);
    if (known !== undefined) return known;
    await shared.letOthersCome();
    // Another one may have read it meanwhile.
    const found = shared.find(from, limit);
    if (found !== undefined) return found;
    const read = await this.journal.read(stream, shard, from, limit);
    if (read.length > 0) shared.runs = [...shared.runs.slice(1 - RUNS_KEPT), read];
    return read;
  }

  #shardOf({ stream, shard }: Reader): SharedShard {
    const key = `${stream}/${shard}`;
    let shared = this.#shards.get(key);
    if (shared === undefined) this.#shards.set(key, (shared = new SharedShard()));
    return shared;
  }
}

/** What is shared of one shard of a stream. */
class SharedShard {
  readonly places = new Set<Reader>();
  /** The newest last. */
  runs: Run[] = [];
  readonly #waiting = new Set<() => void>();

  find(from: number, limit: number): Run | undefined {
    for (const run of this.runs) {
      const begin = from - (run[0]?.offset ?? Infinity);
      if (begin === 0 && run.length <= limit) return run;
      if (begin >= 0 && begin < run.length) return run.slice(begin, begin + limit);
    }
    return undefined;
  }

  /**
   * Forgets runs that nobody has to read any more, but for the newest, which one that rests may come for: what lives longer
   * than it must, the garbage collector copies.
   */
  letGo(): void {
    const [newest] = this.runs.slice(-1);
    this.runs = this.runs.filter((run) => run === newest || this.#isNeeded(run));
  }

  /** Somebody went on. */
  moved(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when nobody has to read the oldest run any more, or when that takes too long. */
  async letOthersCome(): Promise<void> {
    if (!this.#isOldestNeeded()) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (!this.#isOldestNeeded()) go();
      };
      const timer = setTimeout(go, PATIENCE_MS);
      this.#waiting.add(look);
    });
  }

  /** Whether somebody is at it, or before it. */
  #isNeeded(run: Run): boolean {
    const end = (run[0]?.offset ?? 0) + run.length;
    for (const { next } of this.places as Set<Place>) if (next !== undefined && next < end) return true;
    return false;
  }

  #isOldestNeeded(): boolean {
    if (this.runs.length < RUNS_KEPT) return false;
    const [oldest = []] = this.runs;
    const begin = oldest[0]?.offset ?? 0;
    for (const { next } of this.places as Set<Place>)
      if (next !== undefined && next >= begin && next < begin + oldest.length) return true;
    return false;
  }
}
