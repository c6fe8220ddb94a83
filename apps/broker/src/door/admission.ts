import { networkOf } from '#libs/identity';
import { TokenBuckets, type Clock } from '#libs/kernel';
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

/** Decides at the door who may connect, by address, before a byte is parsed. */
export class Admission {
  readonly #addresses = new Map<string, AddressCount>();
  readonly #connects: TokenBuckets;
  readonly #arriving: ArrivingBytes;
  #open = 0;
  #pending = 0;

  constructor(
    private readonly limits: Limits,
    private readonly clock: Clock,
  ) {
    this.#connects = new TokenBuckets(limits.connectsPerAddress);
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
}
