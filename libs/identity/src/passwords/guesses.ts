import { TokenBuckets, type Clock, type Millis, type Rate, type UtcMillis } from '#libs/kernel';
import { createHash } from 'node:crypto';
import { networkOf } from './network-of.js';

interface Guessing {
  failures: number;
  blockedUntil: UtcMillis;
}

/** Wrong passwords for one name from one address before it has to wait. */
const FREE_FAILURES = 5;
const FIRST_WAIT: Millis = 1_000;
const LONGEST_WAIT: Millis = 300_000;
const MAX_GUESSERS = 50_000;

/** Counts wrong passwords, and says who has to wait before another one is looked at. */
export class Guesses {
  readonly #guessers = new Map<string, Guessing>();
  readonly #failures: TokenBuckets;

  /** @param perAddress - wrong passwords of an address, whatever the names */
  constructor(
    perAddress: Rate,
    private readonly clock: Clock,
  ) {
    this.#failures = new TokenBuckets(perAddress);
  }

  /** Whether this address may have a password for this name looked at. */
  mayTry(address: string, name: string): boolean {
    return (this.#guessers.get(guesser(address, name))?.blockedUntil ?? 0) <= this.clock.now();
  }

  /**
   * Whether this address may have a password verified that is not known to be right. Only wrong ones count, see
   * {@link failed}: thousands of devices behind one address may all come back after a power cut.
   */
  mayGuess(address: string): boolean {
    const now = this.clock.now();
    return this.#failures.of(networkOf(address), now).has(now);
  }

  /** A password was wrong. */
  failed(address: string, name: string): void {
    const now = this.clock.now();
    this.#failures.of(networkOf(address), now).tryTake(now);
    const key = guesser(address, name);
    const guessing = this.#guessers.get(key) ?? { failures: 0, blockedUntil: 0 };
    guessing.failures++;
    const beyond = guessing.failures - FREE_FAILURES;
    if (beyond >= 0)
      guessing.blockedUntil = now + Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(beyond, 20));
    // The newest are last; the oldest are forgotten.
    this.#guessers.delete(key);
    this.#guessers.set(key, guessing);
    for (const oldest of this.#guessers.keys()) {
      if (this.#guessers.size <= MAX_GUESSERS) break;
      this.#guessers.delete(oldest);
    }
  }

  succeeded(address: string, name: string): void {
    this.#guessers.delete(guesser(address, name));
  }
}

/** Of one size, whatever the name is. */
function guesser(address: string, name: string): string {
  return createHash('sha256')
    .update(`${networkOf(address)} ${name}`)
    .digest('base64');
}
