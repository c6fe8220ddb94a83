import type { Duplex } from 'node:stream';
import { Quota } from './quota.js';

/** Of one connection, counted for nobody: a CONNECT as devices send it. So a flood keeps out none that shares its address. */
export const FREE_BYTES = 4_096;
/** What a client may have sent before it is known: its CONNECT and what it does not wait for the CONNACK with. */
const MAX_EARLY_BYTES = 131_072;

export interface ArrivingLimits {
  /** An IPv4 address or an IPv6 /64 network. */
  readonly perAddress: number;
  readonly total: number;
}

/** Counts bytes that are kept for a client that nobody knows yet, or that has not sent the rest of its frame. */
export class ArrivingBytes {
  readonly #quota: Quota;

  constructor({ perAddress, total }: ArrivingLimits) {
    this.#quota = new Quota({ perPrincipal: perAddress, total });
  }

  /**
   * Those of one connection, until it closes.
   *
   * @param max - of this connection
   * @param free - of them, counted for nobody
   */
  of(network: string, connection: Duplex, max = MAX_EARLY_BYTES, free = FREE_BYTES): Arriving {
    const arriving = new Arriving(network, this.#quota, max, free);
    connection.once('close', () => arriving.end());
    return arriving;
  }
}

export class Arriving {
  #bytes = 0;
  #isOver = false;

  constructor(
    private readonly network: string,
    private readonly quota: Quota,
    private readonly max: number,
    private readonly free: number,
  ) {}

  /** More has come. @returns whether it may be kept */
  add(bytes: number): boolean {
    if (this.#isOver) return true;
    const before = this.#counted;
    this.#bytes += bytes;
    const more = this.#counted - before;
    const fits = this.#bytes <= this.max && (more === 0 || this.quota.fits(this.network, more));
    this.quota.add(this.network, more);
    return fits;
  }

  /** What came before is kept no more. */
  clear(): void {
    this.quota.add(this.network, -this.#counted);
    this.#bytes = 0;
  }

  /** Nothing more is counted. */
  end(): void {
    if (this.#isOver) return;
    this.clear();
    this.#isOver = true;
  }

  get #counted(): number {
    return Math.max(0, this.#bytes - this.free);
  }
}
