import { PantauError } from '#libs/kernel';
import { hash, verify } from '@node-rs/argon2';
import { availableParallelism } from 'node:os';
import { FairQueue } from '../passwords/fair-queue.js';

/** Argon2id as OWASP recommends it at least: 19 MiB, two passes, one lane; about 10 ms. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Stands in for somebody who does not exist or has no password: it takes as long, and nothing fits it. */
const NOBODY = `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const CONCURRENT = Math.max(1, Math.min(2, availableParallelism() - 1));
const WAITING = 500;
const WAITING_PER_SOURCE = 20;

/** Passwords of people. Sources that ask take turns, and few are computed at a time. */
export class PasswordHashes {
  readonly #queue = new FairQueue({
    concurrent: CONCURRENT,
    waitingPerSource: WAITING_PER_SOURCE,
    waiting: WAITING,
  });

  /** @returns in the PHC string format, with its parameters and salt */
  async hash(password: string): Promise<string> {
    return this.#queue.run('', () => hash(password, COST));
  }

  /**
   * Whether it is the password; false when there is none, after as long.
   *
   * @param mayStart - asked when its turn has come
   * @throws PantauError `OVERLOADED` (transient) when too many wait already, or it may not start
   */
  async verify(
    stored: string | undefined,
    password: string,
    source: string,
    mayStart: () => boolean,
  ): Promise<boolean> {
    const fits = await this.#queue.run(source, () => {
      if (!mayStart())
        throw new PantauError('OVERLOADED', 'too many wrong passwords came from there.', { transient: true });
      return verify(stored ?? NOBODY, password);
    });
    return fits && stored !== undefined;
  }
}
