const TICK = 1_000;
/** A tick that comes so late was no tick: the machine slept. */
const SLEPT = 20_000;

/** The time of now, which ages follow. The one clock of the page. */
class Clock {
  #now = $state(Date.now());
  readonly #woken = new Set<() => void>();

  get now(): number {
    return this.#now;
  }

  /** Calls back when the machine or the tab has slept: what is shown may be old. */
  onWake(callback: () => void): () => void {
    this.#woken.add(callback);
    return () => this.#woken.delete(callback);
  }

  start(): () => void {
    const timer = setInterval(() => {
      const now = Date.now();
      const slept = now - this.#now > SLEPT;
      this.#now = now;
      if (slept) for (const callback of this.#woken) callback();
    }, TICK);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
