import type { Clock, UtcMillis } from '#libs/kernel';
import type { Limits } from './limits.js';

/**
 * Tells two clients that share one identity from one client that comes back. Each of two would take over the other's
 * connection for ever (MQTT-3.1.4-2); after a few takeovers in a short time the newcomer has to wait, so that one of
 * them works and the operator sees why the other does not.
 */
export class Takeovers {
  readonly #recent = new Map<string, UtcMillis[]>();
  readonly #held = new Map<string, UtcMillis>();

  constructor(
    private readonly limits: Limits['takeovers'],
    private readonly clock: Clock,
  ) {}

  /** A client wants the identity of one that is connected. @returns whether it may have it */
  allows(identity: string): boolean {
    const { count, withinMs, holdMs } = this.limits;
    const now = this.clock.now();
    if ((this.#held.get(identity) ?? 0) > now) return false;
    this.#held.delete(identity);
    const recent = [...(this.#recent.get(identity) ?? []).filter((at) => now - at < withinMs), now];
    if (recent.length <= count) {
      this.#recent.set(identity, recent);
      return true;
    }
    this.#recent.delete(identity);
    this.#held.set(identity, now + holdMs);
    return false;
  }

  /** Nothing is kept of identities that have been quiet. */
  sweep(): void {
    const now = this.clock.now();
    for (const [identity, until] of this.#held) if (until <= now) this.#held.delete(identity);
    for (const [identity, recent] of this.#recent)
      if (now - (recent.at(-1) ?? 0) >= this.limits.withinMs) this.#recent.delete(identity);
  }
}
