import { isTransient, PantauError, type Clock } from '#libs/kernel';
import type { StoredUser } from '../namespaces.js';
import { Guesses } from '../passwords/guesses.js';
import { networkOf } from '../passwords/network-of.js';
import type { SecondFactor } from './second-factor.js';
import type { Users } from './users.js';

/** Wrong ones of one network, whatever the names: many people may be behind one address, and each has a few of his own before. */
const FAILURES_PER_NETWORK = { perSecond: 2, burst: 600 };

/**
 * Looks at the passwords of people. Whoever guesses is slowed down by name and network together, and a browser in which the
 * person has signed in before is counted apart, so that nobody can keep somebody else out; the time of an answer does not tell who exists.
 */
export class SignIn {
  readonly #guesses: Guesses;

  constructor(
    private readonly users: Users,
    private readonly secondFactor: SecondFactor,
    clock: Clock,
  ) {
    this.#guesses = new Guesses(FAILURES_PER_NETWORK, clock);
  }

  /**
   * @param code - of the second factor; who has one needs it
   * @param browser - what a browser keeps in which somebody signed in before
   * @throws PantauError `SIGN_IN_REFUSED`, the same whatever is wrong with name or password; `SECOND_FACTOR_NEEDED`;
   * `OVERLOADED` when it was not looked at
   */
  async verify(
    name: string,
    password: string,
    address: string,
    code?: string,
    browser?: string,
  ): Promise<StoredUser> {
    const source = await this.#sourceOf(name, address, browser);
    const user = await this.#verifyPassword(name, password, source);
    try {
      await this.secondFactor.verify(user, code);
    } catch (error) {
      if (code !== undefined) this.#guesses.failed(source, name);
      throw error;
    }
    this.#guesses.succeeded(source, name);
    return user;
  }

  /** Of somebody who is signed in already. @throws PantauError as {@link verify} */
  async verifyPassword(
    name: string,
    password: string,
    address: string,
    browser?: string,
  ): Promise<StoredUser> {
    return this.#verifyPassword(name, password, await this.#sourceOf(name, address, browser));
  }

  /** With whose wrong passwords this one is counted: those of the browser, or of the network. */
  async #sourceOf(name: string, address: string, browser: string | undefined): Promise<string> {
    const id = await this.users.browsers.idOf(name, browser);
    return id === undefined ? networkOf(address) : `browser ${id}`;
  }

  async #verifyPassword(name: string, password: string, source: string): Promise<StoredUser> {
    if (!this.#guesses.mayTry(source, name)) throw wait();
    const mayStart = (): boolean => this.#guesses.mayGuess(source);
    if (!mayStart()) throw wait();
    const user = await this.users.find(name);
    const fits = await this.#fits(user, password, source, mayStart);
    if (!fits || user === undefined || user.disabled) {
      this.#guesses.failed(source, name);
      throw new PantauError('SIGN_IN_REFUSED', 'name or password are wrong.', {
        remedy: 'Try again, or ask an administrator for a new link.',
      });
    }
    return user;
  }

  async #fits(
    user: StoredUser | undefined,
    password: string,
    source: string,
    mayStart: () => boolean,
  ): Promise<boolean> {
    try {
      return await this.users.hashes.verify(user?.password, password, source, mayStart);
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
