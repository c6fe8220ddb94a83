import { untrack } from 'svelte';
import { clock } from '../core/clock.svelte';
import { problemOf, type Problem } from './problem';

/** Something that changes when all that is shown has to be read again: after a sleep, a lost connection, a new session. */
class Epoch {
  #count = $state(0);
  /** When each was over: until then everything was heard. */
  readonly #ends: number[] = [];
  get count(): number {
    return this.#count;
  }
  next(): void {
    this.#ends.push(clock.told);
    this.#count++;
  }
  /** Until when what was read in one of them is followed. */
  heardUntil(count: number): number {
    return count === this.#count ? clock.told : (this.#ends[count] ?? clock.told);
  }
}
export const epoch = new Epoch();
clock.onWake(() => epoch.next());

/** What could not be read is asked for again after this, also where nobody presses a button. */
const RETRY = 10_000;
/** No answer came, or the server could not give one. */
const isTransient = ({ status }: Problem): boolean => status === 0 || status === 429 || status >= 500;

/** News may come a hundred times a second; nobody reads that fast. */
const PAUSE = 2_000;

/** What was read of the API: the newest answer, since when, and what is wrong if the newest question had none. */
export class Resource<T> {
  #data = $state.raw<T>();
  #readAt = $state<number>();
  #epoch = 0;
  #problem = $state.raw<Problem>();
  #version = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;

  get data(): T | undefined {
    return this.#data;
  }
  get readAt(): number | undefined {
    return this.#readAt;
  }
  /**
   * The instant of which its data tell, where it follows live events: the last word of Pantau, and no later one while the connection is lost or
   * until it is read again.
   */
  get at(): number {
    const { readAt } = this;
    return readAt === undefined ? clock.told : Math.max(readAt, epoch.heardUntil(this.#epoch));
  }
  get problem(): Problem | undefined {
    return this.#problem;
  }
  get version(): number {
    return this.#version;
  }

  /** Reads again now. */
  again(): void {
    this.#version++;
  }

  /** Reads again before long, once for all that ask meanwhile. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.again();
    }, PAUSE);
  }

  got(data: T): void {
    this.#data = data;
    this.#readAt = clock.read();
    this.#epoch = epoch.count;
    this.#problem = undefined;
  }

  /** What events say of its data; since when the rest is known stays. */
  changed(data: T): void {
    this.#data = data;
  }

  failed(error: unknown): Problem {
    return (this.#problem = problemOf(error));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Reads something of the API while the component is there that calls this, and again whenever what `load` reads has changed.
 *
 * @param load - what it reads before its first `await` is followed
 * @param every - milliseconds after which it is read again anyway
 */
export function resource<T>(load: (signal: AbortSignal) => Promise<T>, every?: number): Resource<T> {
  const read = new Resource<T>();
  // Before the component is built: the API answers meanwhile.
  $effect.pre(() => {
    void epoch.count;
    void read.version;
    const gone = new AbortController();
    let retry: ReturnType<typeof setTimeout> | undefined;
    const loading = load(gone.signal);
    untrack(() => {
      loading.then(
        (data) => {
          if (!gone.signal.aborted) read.got(data);
        },
        (error: unknown) => {
          if (gone.signal.aborted) return;
          if (isTransient(read.failed(error))) retry = setTimeout(() => read.again(), RETRY);
        },
      );
    });
    const timer = every === undefined ? undefined : setTimeout(() => read.again(), every);
    return () => {
      gone.abort();
      clearTimeout(timer);
      clearTimeout(retry);
    };
  });
  $effect(() => () => read.stop());
  return read;
}
