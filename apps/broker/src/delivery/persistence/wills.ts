import { Quota, type QuotaLimits } from '../../quota.js';
import { sizeOf, type StoredPacket } from './stored-packet.js';

/** The last wills of those who are connected. They are in memory alone: after a crash nobody can tell who is dead. */
export class Wills {
  readonly #wills = new Map<string, { readonly packet: StoredPacket; readonly owner: string }>();
  readonly #bytes: Quota;

  constructor(limits: QuotaLimits) {
    this.#bytes = new Quota(limits);
  }

  /** In place of the one that there is. @returns whether there is room for it */
  put(client: string, owner: string, packet: StoredPacket): boolean {
    this.take(client);
    const bytes = sizeOf(packet);
    if (!this.#bytes.fits(owner, bytes)) return false;
    this.#bytes.add(owner, bytes);
    this.#wills.set(client, { packet, owner });
    return true;
  }

  get(client: string): StoredPacket | undefined {
    return this.#wills.get(client)?.packet;
  }

  take(client: string): StoredPacket | undefined {
    const will = this.#wills.get(client);
    if (will === undefined) return undefined;
    this.#wills.delete(client);
    this.#bytes.add(will.owner, -sizeOf(will.packet));
    return will.packet;
  }

  all(): StoredPacket[] {
    return Array.from(this.#wills.values(), ({ packet }) => packet);
  }
}
