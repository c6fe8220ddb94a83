import { isTransient, PantauError, type Clock } from '#libs/kernel';
import type { StoredUser } from '../namespaces.js';
import { Guesses } from '../passwords/guesses.js';
import { networkOf } from '../passwords/network-of.js';
import type { SecondFactor } from './second-factor.js';
import type { Users } from './users.js';

/** Wrong ones of one address, whatever the names. */
const FAILURES_PER_ADDRESS = { perSecond: 0.5, burst: 60 };

/**
 * Looks at the passwords of people. Whoever guesses is slowed down by name and address together, so that nobody can keep
 * somebody else out; the time of an answer does not tell who exists.
 */
export class SignIn {
  readonly #guesses: Guesses;

  constructor(
    private readonly users: Users,
    private readonly secondFactor: SecondFactor,
    clock: Clock,
  ) {
    this.#guesses = new Guesses(FAILURES_PER_ADDRESS, clock);
  }

  /**
   * @param code - of the second factor; who has one needs it
   * @throws PantauError `SIGN_IN_REFUSED`, the same whatever is wrong with name or password; `SECOND_FACTOR_NEEDED`;
   * `OVERLOADED` when it was not looked at
   */
  async verify(name: string, password: string, address: string, code?: string): Promise<StoredUser> {
    const user = await this.verifyPassword(name, password, address);
    try {
      await this.secondFactor.verify(user, code);
    } catch (error) {
      if (code !== undefined) this.#guesses.failed(address, name);
      throw error;
    }
    this.#guesses.succeeded(address, name);
    return user;
  }

  /** Of somebody who is signed in already. @throws PantauError as {@link verify} */
  async verifyPassword(name: string, password: string, address: string): Promise<StoredUser> {
    if (!this.#guesses.mayTry(address, name)) throw wait();
    const mayStart = (): boolean => this.#guesses.mayGuess(address);
    if (!mayStart()) throw wait();
    const user = await this.users.find(name);
    const fits = await this.#fits(user, password, address, mayStart);
    if (!fits || user === undefined || user.disabled) {
      this.#guesses.failed(address, name);
      throw new PantauError('SIGN_IN_REFUSED', 'name or password are wrong.', {
        remedy: 'Try again, or ask an administrator for a new link.',
      });
    }
    return user;
  }

  async #fits(
    user: StoredUser | undefined,
    password: string,
    address: string,
    mayStart: () => boolean,
  ): Promise<boolean> {
    try {
      return await this.users.hashes.verify(user?.password, password, networkOf(address), mayStart);
    } catch (error) {
      if (isTransient(error)) throw wait();
      throw error;
    }
  }
}

function wait(): PantauError {
  return new PantauError('OVERLOADED', 'too many wrong passwords; this one was not looked at.', {
    remedy: 'Wait a little and try again.',
    transient: true,
  });
}
