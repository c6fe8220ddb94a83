import type { Millis } from '#libs/kernel';
import type { Bell } from './bell.js';

/**
 * What comes alone is handled at once. What comes in a stream costs several times as much alone as together: a batch is a
 * commit, and a request to the store.
 */
export const DEFAULT_GATHER_MS: Millis = 200;
/**
 * Batches of a stream in a tick: one for what came too late for the last tick, one for what comes in this one. With a single one, whoever
 * was late once would stay late by a tick.
 */
export const TURNS = 2;

/** Does not jump when the clock is set, and is the same in all threads. */
const steady = (): Millis => performance.timeOrigin + performance.now();

/** Ticks at the same instants in all threads: what gathers until one is handled together, and so is what comes of it. */
export class Ticks {
  readonly #waiting = new Set<Bell>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly every: Millis,
    private readonly now: () => Millis = steady,
  ) {}

  /** Number of the last tick. */
  get last(): number {
    return Math.floor(this.now() / this.every);
  }

  /** Rings the bell at the next tick. */
  ringAtNext(bell: Bell): void {
    this.#waiting.add(bell);
    this.#timer ??= this.#timerUntil(this.last + 1);
  }

  /** A timer may ring before its time by this clock. It is set again then. */
  #timerUntil(tick: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.#timer = this.last < tick ? this.#timerUntil(tick) : undefined;
        if (this.#timer === undefined) this.#ringAll();
      },
      // It counts whole milliseconds: without one more, most would have to be set twice.
      tick * this.every - this.now() + 1,
    );
  }

  #ringAll(): void {
    const bells = [...this.#waiting];
    this.#waiting.clear();
    for (const bell of bells) bell.ring();
  }

  /** Nobody is rung any more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

/** How many batches may still be handled before the next tick. */
export class Turns {
  #tick = -1;
  #taken = 0;

  constructor(
    private readonly ticks: Ticks,
    private readonly perTick: number,
  ) {}

  get isLeft(): boolean {
    return this.#tick < this.ticks.last || this.#taken < this.perTick;
  }

  take(): void {
    const { last } = this.ticks;
    this.#taken = this.#tick < last ? 1 : this.#taken + 1;
    this.#tick = last;
  }
}
