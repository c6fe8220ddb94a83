import type { Clock, UtcMillis } from '#libs/kernel';
import type { Duplex } from 'node:stream';
import type { Limits } from '../limits.js';

/** How long the other end of a connection has for saying that it heard of its end. */
const ANSWER_TIME = 5_000;
/** A takeover from the address of the older connection: half a proof. */
const SAME_ADDRESS = 0.5;

interface Takeover {
  readonly at: UtcMillis;
  readonly weight: number;
}

/**
 * Tells two clients that share one identity from one client that comes back. Each of two would take over the other's
 * connection for ever (MQTT-3.1.4-2); after a few takeovers in a short time the newcomer has to wait, so that one of
 * them works and the operator sees why the other does not.
 *
 * A takeover counts when the older connection was alive: its other end answers the close (TCP FIN, or the close of TLS or
 * WebSocket). A device on a bad link left a half-open connection behind, and nobody answers. From one address it counts
 * half, since a balancer or a translator of addresses answers for a device that is gone.
 */
export class Takeovers {
  readonly #recent = new Map<string, Takeover[]>();
  readonly #held = new Map<string, UtcMillis>();

  constructor(
    private readonly limits: Limits['takeovers'],
    private readonly clock: Clock,
  ) {}

  /** A client wants the identity of one that is connected. @returns whether it may have it */
  allows(identity: string): boolean {
    const { count, holdMs } = this.limits;
    const now = this.clock.now();
    if ((this.#held.get(identity) ?? 0) > now) return false;
    this.#held.delete(identity);
    const recent = this.#recentOf(identity);
    if (recent.reduce((sum, { weight }) => sum + weight, 0) < count) return true;
    this.#recent.delete(identity);
    this.#held.set(identity, now + holdMs);
    return false;
  }

  /** A client takes the identity over, and the older connection is about to be destroyed: listens whether it was alive. */
  begin(identity: string, older: Duplex, isSameAddress: boolean): void {
    whetherAnswered(older, () => {
      const takeover = { at: this.clock.now(), weight: isSameAddress ? SAME_ADDRESS : 1 };
      this.#recent.set(identity, [...this.#recentOf(identity), takeover]);
    });
  }

  /** Nothing is kept of identities that have been quiet. */
  sweep(): void {
    const now = this.clock.now();
    for (const [identity, until] of this.#held) if (until <= now) this.#held.delete(identity);
    for (const identity of this.#recent.keys())
      if (this.#recentOf(identity).length === 0) this.#recent.delete(identity);
  }

  #recentOf(identity: string): readonly Takeover[] {
    const from = this.clock.now() - this.limits.withinMs;
    return (this.#recent.get(identity) ?? []).filter(({ at }) => at > from);
  }
}

/**
 * Makes the next `destroy` of a connection a close that waits for the answer of the other end. What still comes is thrown
 * away; the connection keeps its place at the door until then.
 */
function whetherAnswered(connection: Duplex, onAnswered: () => void): void {
  const destroy = connection.destroy.bind(connection);
  connection.destroy = () => {
    connection.destroy = destroy;
    const timer = setTimeout(() => destroy(), ANSWER_TIME).unref();
    connection.once('end', () => {
      onAnswered();
      destroy();
    });
    connection.once('error', () => destroy());
    connection.once('close', () => clearTimeout(timer));
    connection.end();
    connection.resume();
    return connection;
  };
}
