import { isTransient, type Clock, type Rate } from '#libs/kernel';
import type { DeviceCredentials } from '../device-credentials.js';
import { DeviceTokens } from '../device-tokens.js';
import { Guesses } from './guesses.js';
import { networkOf } from './network-of.js';

/**
 * What came of looking at a password. With the last three it was not looked at: too many wrong ones came for this name from
 * this address, or from this address, or too many passwords wait to be computed.
 */
export type PasswordVerdict = 'right' | 'wrong' | 'name_waits' | 'address_waits' | 'queue_full';

export interface DevicePasswordsDependencies {
  readonly credentials: DeviceCredentials;
  readonly tokens: DeviceTokens;
  readonly clock: Clock;
}

/**
 * Looks at passwords and short-lived tokens of devices and service accounts, in the same way at every door. Whoever guesses
 * is slowed down, by name and by address, and keeps out nobody who knows.
 */
export class DevicePasswords {
  readonly #guesses: Guesses;

  /** @param failuresPerAddress - wrong passwords of an address (an IPv6 network is one) */
  constructor(
    private readonly pantau: DevicePasswordsDependencies,
    failuresPerAddress: Rate,
  ) {
    this.#guesses = new Guesses(failuresPerAddress, pantau.clock);
  }

  /**
   * @param name - of a form that a device or an account can have
   * @param password - none is a wrong one
   * @param isSomebody - whether the name is registered; asked after the password was looked at, so that the time of the
   * answer does not tell. The right password of nobody counts as a wrong one.
   */
  async check(
    name: string,
    password: string | undefined,
    address: string,
    isSomebody: () => Promise<boolean>,
  ): Promise<PasswordVerdict> {
    const verdict = password === undefined ? 'wrong' : await this.#verdict(name, password, address);
    if (verdict === 'right' && (await isSomebody())) {
      this.#guesses.succeeded(address, name);
      return 'right';
    }
    if (verdict !== 'right' && verdict !== 'wrong') return verdict;
    this.#guesses.failed(address, name);
    return 'wrong';
  }

  async #verdict(name: string, password: string, address: string): Promise<PasswordVerdict> {
    return (await this.#isKnown(name, password)) ? 'right' : this.#verify(name, password, address);
  }

  /** Whether it is right at no cost. Asked before any limit: whoever guesses shall not keep out who knows. */
  async #isKnown(name: string, password: string): Promise<boolean> {
    const { credentials, tokens } = this.pantau;
    return DeviceTokens.looksLike(password)
      ? tokens.verify(name, password)
      : credentials.isKnown(name, password);
  }

  async #verify(name: string, password: string, address: string): Promise<PasswordVerdict> {
    if (!this.#guesses.mayTry(address, name)) return 'name_waits';
    if (DeviceTokens.looksLike(password)) return 'wrong';
    const mayGuess = (): boolean => this.#guesses.mayGuess(address);
    if (!mayGuess()) return 'address_waits';
    try {
      const isRight = await this.pantau.credentials.verify(name, password, networkOf(address), mayGuess);
      return isRight ? 'right' : 'wrong';
    } catch (error) {
      if (!isTransient(error)) throw error;
      return mayGuess() ? 'queue_full' : 'address_waits';
    }
  }
}
