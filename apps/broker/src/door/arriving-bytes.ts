import type { Duplex } from 'node:stream';
import { Quota, Share, type QuotaLimits } from '../quota.js';

/** Of one connection, kept whatever others keep: a CONNECT, or a message, as devices send it. */
const ALWAYS_BYTES = 4_096;

export interface ArrivingLimits {
  /** An IPv4 address or an IPv6 /64 network. */
  readonly perAddress: number;
  readonly total: number;
}

/** Counts what is kept of what connections have begun to say: for their address, then for who they turn out to be. */
export class ArrivingBytes {
  readonly #early: Quota;
  readonly #unfinished: Quota;

  /**
   * @param early - of clients that nobody knows yet
   * @param unfinished - of those that are known
   */
  constructor({ perAddress, total }: ArrivingLimits, unfinished: QuotaLimits) {
    this.#early = new Quota({ perPrincipal: perAddress, total });
    this.#unfinished = new Quota(unfinished);
  }

  /** What is kept of one connection, until it closes. */
  of(network: string, connection: Duplex): Arriving {
    const arriving = new Arriving(this.#early, network, this.#unfinished);
    connection.once('close', () => arriving.end());
    return arriving;
  }
}

export class Arriving extends Share {
  constructor(
    early: Quota,
    network: string,
    private readonly unfinished: Quota,
  ) {
    super(early, network, ALWAYS_BYTES);
  }

  /** From now on it counts for the principal. */
  known(principal: string): void {
    this.move(this.unfinished, principal);
  }
}
