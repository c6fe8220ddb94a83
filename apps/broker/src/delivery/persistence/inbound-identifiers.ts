import type { StateStore, StateWrite } from '#libs/state';
import { INCOMING } from '../../namespaces.js';
import type { Quota } from '../../quota.js';
import type { IdentifierRecord } from './records.js';
import { keyOf, plain, unsent, type Plan, type StoredPacket } from './stored-packet.js';

/**
 * The packet identifiers of QoS 2 messages between PUBREC and PUBREL, over connections and restarts, so that a message
 * that is sent again is known. The messages themselves are in the journal, in queues or retained, and are not kept here.
 */
export class InboundIdentifiers {
  readonly #received = new Map<string, { readonly owner: string; readonly ids: Set<number> }>();

  constructor(
    private readonly state: StateStore,
    private readonly quota: Quota,
  ) {}

  async load(): Promise<void> {
    for (const { value } of await this.state.list(INCOMING))
      this.#add(value.client, value.owner ?? '', value.packet.messageId ?? 0);
  }

  clients(): Iterable<string> {
    return this.#received.keys();
  }

  hasAny(client: string): boolean {
    return this.#received.has(client);
  }

  has(client: string, messageId: number): boolean {
    return this.#received.get(client)?.ids.has(messageId) === true;
  }

  /**
   * Notes an identifier; it is known from now on, also while it is on its way to the disk.
   *
   * @returns undefined when the owner, or all together, have as many as may be
   */
  plan(client: string, owner: string, messageId: number, packet?: StoredPacket): Plan | undefined {
    if (!this.quota.fits(owner, 1)) return undefined;
    const value: IdentifierRecord = {
      client,
      owner,
      packet: packet === undefined ? { messageId } : { ...plain(unsent(packet)), messageId },
    };
    this.#add(client, owner, messageId);
    return {
      writes: [INCOMING.put(key(client, messageId), value)],
      commit: () => undefined,
      rollback: () => this.#take(client, messageId),
    };
  }

  /** What was kept of the message; undefined when the identifier is not known. */
  async packet(client: string, messageId: number): Promise<Partial<StoredPacket> | undefined> {
    if (!this.has(client, messageId)) return undefined;
    return (await this.state.get(INCOMING, key(client, messageId)))?.packet;
  }

  /** @returns whether it was known */
  async remove(client: string, messageId: number): Promise<boolean> {
    if (!this.#take(client, messageId)) return false;
    await this.state.write([INCOMING.remove(key(client, messageId))]);
    return true;
  }

  /** Forgets those of a client. @returns what to write */
  clear(client: string): StateWrite[] {
    const received = this.#received.get(client);
    if (received === undefined) return [];
    this.#received.delete(client);
    this.quota.add(received.owner, -received.ids.size);
    return Array.from(received.ids, (messageId) => INCOMING.remove(key(client, messageId)));
  }

  #take(client: string, messageId: number): boolean {
    const received = this.#received.get(client);
    if (received?.ids.delete(messageId) !== true) return false;
    if (received.ids.size === 0) this.#received.delete(client);
    this.quota.add(received.owner, -1);
    return true;
  }

  #add(client: string, owner: string, messageId: number): void {
    let received = this.#received.get(client);
    if (received === undefined) this.#received.set(client, (received = { owner, ids: new Set() }));
    if (received.ids.has(messageId)) return;
    received.ids.add(messageId);
    this.quota.add(received.owner, 1);
  }
}

function key(client: string, messageId: number): string {
  return `${keyOf(client)}/${messageId}`;
}
