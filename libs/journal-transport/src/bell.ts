import type { Millis } from '#libs/kernel';

/** Wakes who waits for it. What rings while nobody waits wakes who waits next. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async rung(): Promise<void> {
    if (!this.#isRung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    this.#isRung = false;
  }
}

/**
 * Ticks at the same instants in all threads, however many wait for one: what rests until then is handled together, and what a thread
 * hands on at a tick finds the next one rested.
 */
export class Ticks {
  readonly #waiting = new Set<Bell>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly every: Millis) {}

  /** Number of the last tick. */
  get last(): number {
    return Math.floor(this.#now / this.every);
  }

  /** Rings the bell at the next tick. */
  ringAtNext(bell: Bell): void {
    this.#waiting.add(bell);
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        const bells = [...this.#waiting];
        this.#waiting.clear();
        for (const each of bells) each.ring();
      },
      // A timer may be early by a part of a millisecond.
      this.every - (this.#now % this.every) + 1,
    );
  }

  /** Nobody is rung any more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  /** Does not jump when the clock is set. */
  get #now(): Millis {
    return performance.timeOrigin + performance.now();
  }
}
