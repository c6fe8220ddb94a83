import { PantauError } from '#libs/kernel';

/** Runs few things at a time, and lets the sources of those that wait take turns, so that a flood of one delays itself. */
export class FairQueue {
  /** By source, the one whose turn it is first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #count = 0;
  #running = 0;

  constructor(
    private readonly limits: {
      readonly concurrent: number;
      readonly waitingPerSource: number;
      readonly waiting: number;
    },
  ) {}

  /** @throws PantauError `OVERLOADED` (transient) when too many wait already */
  async run<T>(source: string, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limits.concurrent) await this.#turn(source);
    else this.#running++;
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over, so that nobody who comes now gets in between.
      if (!this.#handOver()) this.#running--;
    }
  }

  async #turn(source: string): Promise<void> {
    const { waiting, waitingPerSource } = this.limits;
    const own = this.#waiting.get(source) ?? [];
    if (this.#count >= waiting || own.length >= waitingPerSource)
      throw new PantauError('OVERLOADED', 'too many passwords wait to be verified.', { transient: true });
    this.#waiting.set(source, own);
    this.#count++;
    await new Promise<void>((resolve) => own.push(resolve));
  }

  #handOver(): boolean {
    const [next] = this.#waiting;
    if (next === undefined) return false;
    const [source, own] = next;
    const begin = own.shift();
    this.#waiting.delete(source);
    if (own.length > 0) this.#waiting.set(source, own);
    this.#count--;
    begin?.();
    return true;
  }
}
