import type { Millis } from '#libs/kernel';
import { BroadcastChannel } from 'node:worker_threads';
import { shardKey } from './lmdb-streams.js';

/**
 * Between two looks for appends of other processes while somebody waits; appends of this process, in any thread, wake at once. A look that
 * finds something is followed by quick ones, and each that finds nothing by one that is twice as late: a process that is alone does not
 * pay for others, and beside others that append it hears of them almost at once.
 */
const QUICKEST_LOOK: Millis = 25;
const CALMEST_LOOK: Millis = 400;

/** Who waits for entries of one shard of a stream. */
interface Waiter {
  /** Whether there are any by now. */
  isDone(): boolean;
  wake(): void;
}

/** Those who wait for something new, woken by appends of this thread, of this process's other threads and of other processes. */
export class Waiters {
  /** By shard of a stream. */
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Whom a signal stops: one listener for all of them, since whoever follows many shards waits with one signal. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<Waiter>>();
  /** Tells the journals of this process's other threads which shards of streams have something new. */
  readonly #news: BroadcastChannel;
  #look: NodeJS.Timeout | undefined;
  #lookAfter = QUICKEST_LOOK;

  /**
   * @param folder - of the journal
   * @param refresh - makes what others wrote visible
   */
  constructor(
    folder: string,
    private readonly refresh: () => void,
  ) {
    this.#news = new BroadcastChannel(`pantau-journal ${folder}`);
    this.#news.onmessage = ({ data }) => this.#wake(data as ReadonlySet<string>);
    this.#news.unref();
  }

  /** @param shards - of streams, see {@link shardKey}, that got entries by an append of this thread */
  tell(shards: ReadonlySet<string>): void {
    this.#news.postMessage(shards);
    this.#wake(shards);
  }

  /** Resolves when it is done, or when the signal aborts. */
  async wait(stream: string, shard: number, isDone: () => boolean, signal: AbortSignal): Promise<void> {
    const key = shardKey(stream, shard);
    await new Promise<void>((resolve) => {
      const waiters = this.#waiters.get(key) ?? new Set();
      this.#waiters.set(key, waiters);
      const stopped = this.#stoppedBy(signal);
      const waiter: Waiter = {
        isDone,
        wake: () => {
          stopped.delete(waiter);
          waiters.delete(waiter);
          resolve();
        },
      };
      waiters.add(waiter);
      stopped.add(waiter);
      this.#lookLater();
    });
  }

  #stoppedBy(signal: AbortSignal): Set<Waiter> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const stopped = new Set<Waiter>();
    this.#bySignal.set(signal, stopped);
    signal.addEventListener('abort', () => {
      for (const waiter of [...stopped]) waiter.wake();
    });
    return stopped;
  }

  /** Nobody waits any more. */
  end(): void {
    clearTimeout(this.#look);
    for (const waiters of this.#waiters.values()) for (const waiter of [...waiters]) waiter.wake();
  }

  /** Of nothing that happens from now on anybody is told. */
  close(): void {
    this.#news.close();
  }

  #lookLater(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      const found = this.#wake(this.#waiters.keys());
      this.#lookAfter = found ? QUICKEST_LOOK : Math.min(2 * this.#lookAfter, CALMEST_LOOK);
      if (this.#hasWaiters()) this.#lookLater();
    }, this.#lookAfter).unref();
  }

  /** @param shards - of streams, that may have something new. @returns whether somebody waited for it */
  #wake(shards: Iterable<string>): boolean {
    const waiting = Array.from(shards, (shard) => [...(this.#waiters.get(shard) ?? [])]).flat();
    if (waiting.length > 0) this.refresh();
    const done = waiting.filter((waiter) => waiter.isDone());
    for (const waiter of done) waiter.wake();
    return done.length > 0;
  }

  #hasWaiters(): boolean {
    for (const { size } of this.#waiters.values()) if (size > 0) return true;
    return false;
  }
}
