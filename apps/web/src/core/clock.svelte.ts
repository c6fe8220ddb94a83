const TICK = 1_000;
/** A tick that comes so late was no tick: the machine slept. */
const SLEPT = 20_000;
/** The clock of a browser that is wrong by less is right: answers say the time in whole seconds, and take a moment. */
const RIGHT_WITHIN = 3_000;

/** The time, as Pantau says it where the browser's own clock is wrong. The one clock of the page. */
class Clock {
  #offset = 0;
  #ticked = Date.now();
  #now = $state(Date.now());
  #told = $state(Date.now());
  readonly #woken = new Set<() => void>();

  /** The time of now, which ages follow. */
  get now(): number {
    return this.#now;
  }

  /**
   * When something was last heard of Pantau. What is concluded from nothing having come (a device is silent, an alert goes on) follows this and not
   * `now`: who hears nothing knows nothing.
   */
  get told(): number {
    return this.#told;
  }

  /** The time of now, once: who asks is not told when it goes on. */
  read(): number {
    return Date.now() + this.#offset;
  }

  /** Pantau says what time it is. */
  set(time: number): void {
    const offset = time - Date.now();
    if (Number.isNaN(time) || Math.abs(offset - this.#offset) < RIGHT_WITHIN) return;
    this.#told += offset - this.#offset;
    this.#offset = offset;
    this.#now = this.read();
  }

  /** What happens is heard up to now. */
  heard(): void {
    const now = this.read();
    if (Math.abs(now - this.#told) >= TICK) this.#told = now;
  }

  /** Calls back when the machine or the tab has slept: what is shown may be old. */
  onWake(callback: () => void): () => void {
    this.#woken.add(callback);
    return () => this.#woken.delete(callback);
  }

  start(): () => void {
    const timer = setInterval(() => {
      const own = Date.now();
      const slept = own - this.#ticked > SLEPT;
      this.#ticked = own;
      this.#now = this.read();
      if (slept) for (const callback of this.#woken) callback();
    }, TICK);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
