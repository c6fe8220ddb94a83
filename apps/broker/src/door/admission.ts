import { TokenBuckets, type Clock, type Millis, type UtcMillis } from '#libs/kernel';
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { ArrivingBytes, type Arriving } from './arriving-bytes.js';
import type { Limits } from '../limits.js';

/** A place for a connection. */
export interface Ticket {
  /** The client has sent its CONNECT. */
  arrived(): void;
  release(): void;
}

interface AddressCount {
  open: number;
  pending: number;
}

interface Guessing {
  failures: number;
  blockedUntil: UtcMillis;
}

/** Wrong passwords for one name from one address before it has to wait. */
const FREE_FAILURES = 5;
const FIRST_WAIT: Millis = 1_000;
const LONGEST_WAIT: Millis = 300_000;
const MAX_GUESSERS = 50_000;

/** Decides at the door who may connect, by address, before a byte is parsed; and slows down guessing of passwords. */
export class Admission {
  readonly #addresses = new Map<string, AddressCount>();
  readonly #guessers = new Map<string, Guessing>();
  readonly #connects: TokenBuckets;
  readonly #failures: TokenBuckets;
  readonly #arriving: ArrivingBytes;
  #open = 0;
  #pending = 0;

  constructor(
    private readonly limits: Limits,
    private readonly clock: Clock,
  ) {
    this.#connects = new TokenBuckets(limits.connectsPerAddress);
    this.#failures = new TokenBuckets(limits.authFailuresPerAddress);
    this.#arriving = new ArrivingBytes(limits.bounds.arrivingBytes, limits.bounds.unfinishedBytes);
  }

  get open(): number {
    return this.#open;
  }

  /** @returns a place, or which limit is reached */
  admit(address: string): Ticket | string {
    const { connections, connectionsPerAddress, pending, pendingPerAddress } = this.limits;
    const network = networkOf(address);
    const count = this.#addresses.get(network) ?? { open: 0, pending: 0 };
    if (this.#open >= connections) return 'connections';
    if (count.open >= connectionsPerAddress) return 'connectionsPerAddress';
    if (count.pending >= pendingPerAddress) return 'pendingPerAddress';
    if (this.#pending >= pending) return 'pending';
    const now = this.clock.now();
    if (!this.#connects.of(network, now).tryTake(now)) return 'connectsPerAddress';
    this.#addresses.set(network, count);
    this.#open++;
    count.open++;
    count.pending++;
    this.#pending++;
    let isPending = true;
    let isOpen = true;
    const arrived = (): void => {
      if (!isPending) return;
      isPending = false;
      count.pending--;
      this.#pending--;
    };
    return {
      arrived,
      release: () => {
        if (!isOpen) return;
        isOpen = false;
        arrived();
        this.#open--;
        count.open--;
        if (count.open === 0) this.#addresses.delete(network);
      },
    };
  }

  /** Counts what is kept for a connection that has not said all. */
  arriving(address: string, connection: Duplex): Arriving {
    return this.#arriving.of(networkOf(address), connection);
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

/** Somebody with one IPv6 address usually has 2^64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('%')[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return `${[...front, ...zeros, ...back]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
