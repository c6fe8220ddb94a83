import type { Millis } from '#libs/kernel';
import { shardKey } from './lmdb-streams.js';
import { ThreadNews } from './thread-news.js';

/**
 * Between two looks for appends of other processes while somebody listens; of appends of this process, in any thread, all hear at once. A
 * look that finds something is followed by quick ones, and each that finds nothing by one that is twice as late: a process that is alone
 * does not pay for others, and beside others that append it hears of them almost at once.
 */
const QUICKEST_LOOK: Millis = 25;
const CALMEST_LOOK: Millis = 400;

/** What a {@link News} looks at. */
export interface Looked {
  /** Makes what others wrote visible. */
  refresh(): void;
  /** Another one after every append. */
  revision(): string;
  /** The offset behind the newest entry. */
  end(stream: string, shard: number): number;
}

type Listener = (end: number) => void;

/** A shard of a stream to which somebody listens. */
interface Heard {
  readonly stream: string;
  readonly shard: number;
  /** As it was told last. */
  end: number;
  readonly listeners: Set<Listener>;
}

/** Tells of new entries: of appends of this thread, of this process's other threads and of other processes. */
export class News {
  readonly #heard = new Map<string, Heard>();
  /** Whom a signal stops: one listener for all of them, since whoever follows many shards waits with one signal. */
  readonly #bySignal = new WeakMap<AbortSignal, Set<() => void>>();
  readonly #threads: ThreadNews;
  #look: NodeJS.Timeout | undefined;
  #lookAfter = QUICKEST_LOOK;
  #revision: string | undefined;

  /** @param folder - of the journal */
  constructor(
    folder: string,
    private readonly looked: Looked,
  ) {
    this.#threads = new ThreadNews(folder, (ends) => this.#hear(ends));
  }

  /** @param ends - of the shards of streams, see {@link shardKey}, that got entries by an append of this thread */
  tell(ends: ReadonlyMap<string, number>): void {
    this.#threads.tell(ends);
    this.#hear(ends);
  }

  /** See `Journal.watch`. */
  watch(stream: string, shard: number, listener: Listener): () => void {
    const heard = this.#listen(stream, shard, listener);
    listener(heard.end);
    return () => this.#leave(heard, listener);
  }

  /** Resolves when the shard holds an entry at or after `from`, or when the signal aborts. */
  async wait(stream: string, shard: number, from: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const stopped = this.#stoppedBy(signal);
      const done = (): void => {
        stopped.delete(done);
        this.#leave(heard, listener);
        resolve();
      };
      const listener = (end: number): void => {
        if (end > from) done();
      };
      stopped.add(done);
      const heard = this.#listen(stream, shard, listener);
      listener(heard.end);
    });
  }

  #listen(stream: string, shard: number, listener: Listener): Heard {
    const key = shardKey(stream, shard);
    let heard = this.#heard.get(key);
    if (heard === undefined) {
      this.looked.refresh();
      heard = { stream, shard, end: this.looked.end(stream, shard), listeners: new Set() };
      this.#heard.set(key, heard);
      this.#threads.listen(stream);
    }
    heard.listeners.add(listener);
    this.#lookLater();
    return heard;
  }

  #leave(heard: Heard, listener: Listener): void {
    heard.listeners.delete(listener);
    const key = shardKey(heard.stream, heard.shard);
    if (heard.listeners.size === 0 && this.#heard.get(key) === heard) this.#heard.delete(key);
  }

  #stoppedBy(signal: AbortSignal): Set<() => void> {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) return known;
    const stopped = new Set<() => void>();
    this.#bySignal.set(signal, stopped);
    signal.addEventListener('abort', () => {
      for (const stop of [...stopped]) stop();
    });
    return stopped;
  }

  /** Whoever listens is told that there is something: that the journal was closed. */
  end(): void {
    clearTimeout(this.#look);
    this.#threads.flush();
    for (const { listeners } of [...this.#heard.values()])
      for (const listener of [...listeners]) listener(Infinity);
    this.#heard.clear();
  }

  /** Of nothing that happens from now on anybody is told. */
  close(): void {
    this.#threads.close();
  }

  #lookLater(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      const found = this.#lookAtAll();
      this.#lookAfter = found ? QUICKEST_LOOK : Math.min(2 * this.#lookAfter, CALMEST_LOOK);
      if (this.#heard.size > 0) this.#lookLater();
    }, this.#lookAfter).unref();
  }

  #calmDown(): void {
    if (this.#lookAfter === CALMEST_LOOK) return;
    this.#lookAfter = CALMEST_LOOK;
    clearTimeout(this.#look);
    this.#look = undefined;
    this.#lookLater();
  }

  /** @returns whether there was something that nobody had told of */
  #lookAtAll(): boolean {
    this.looked.refresh();
    const revision = this.looked.revision();
    if (revision === this.#revision) return false;
    this.#revision = revision;
    let found = false;
    for (const heard of [...this.#heard.values()])
      found = inform(heard, this.looked.end(heard.stream, heard.shard)) || found;
    return found;
  }

  #hear(ends: ReadonlyMap<string, number>): void {
    const news: [Heard, number][] = [];
    for (const [key, end] of ends) {
      const heard = this.#heard.get(key);
      if (heard === undefined) continue;
      // A look came before the thread that tells, and took its append for one of another process.
      if (end <= heard.end) this.#calmDown();
      else news.push([heard, end]);
    }
    if (news.length === 0) return;
    this.looked.refresh();
    for (const [heard, end] of news) inform(heard, end);
  }
}

/** @returns whether it was new */
function inform(heard: Heard, end: number): boolean {
  if (end <= heard.end) return false;
  heard.end = end;
  for (const listener of [...heard.listeners]) listener(end);
  return true;
}
