import type { StateStore } from '#libs/state';
import { filterMatches } from '#libs/telemetry';
import { RETAINED } from '../../namespaces.js';
import type { Quota } from '../../quota.js';
import { keyOf, sizeOf, type Plan, type StoredPacket } from './stored-packet.js';

export interface RetainedStoreOptions {
  readonly state: StateStore;
  readonly maxBytes: Quota;
  readonly maxMessages: Quota;
  /** A message was not retained, because its owner or all together have as much as may be. */
  readonly onRefused: (owner: string, topic: string) => void;
}

/** What is known of a retained message without reading it. */
interface Kept {
  readonly owner: string;
  readonly bytes: number;
}

/** Topics that are looked through at a time for a filter with wildcards, so that nobody waits for one that is new. */
const LOOKED_THROUGH = 1_000;

/**
 * The retained messages: on disk, with an index in memory. A message can be read by everybody once it is durable, and
 * not before.
 */
export class RetainedStore {
  /** What can be read, in the order in which the topics came. */
  readonly #kept = new Map<string, Kept>();
  /** What will be there when everything on its way to the disk has arrived. */
  readonly #planned = new Map<string, Kept>();
  /** Figures of this run, below `$SYS`; the next one has its own. */
  readonly #own = new Map<string, StoredPacket>();

  constructor(private readonly options: RetainedStoreOptions) {}

  async load(): Promise<void> {
    for (const { value } of await this.options.state.list(RETAINED)) {
      const kept = { owner: value.owner ?? '', bytes: sizeOf(value) };
      this.#kept.set(value.topic, kept);
      this.#count(value.topic, kept);
    }
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Retains a message in place of the one that its topic has; an empty one only takes that away [MQTT-3.3.1-10]. */
  plan(packet: StoredPacket, owner = ''): Plan | undefined {
    const { topic } = packet;
    if (topic.startsWith('$')) {
      this.#own.set(topic, { ...packet });
      return undefined;
    }
    const before = this.#planned.get(topic);
    const kept = (packet.payload?.length ?? 0) === 0 ? undefined : { owner, bytes: sizeOf(packet) };
    this.#count(topic, undefined);
    const { maxBytes, maxMessages, onRefused } = this.options;
    const fits = kept === undefined || (maxMessages.fits(owner, 1) && maxBytes.fits(owner, kept.bytes));
    const next = fits ? kept : undefined;
    if (!fits) onRefused(owner, topic);
    this.#count(topic, next);
    // What the topic had is not true any more, whether there is room for the new one or not.
    if (next === undefined && before === undefined) return undefined;
    const key = keyOf(topic);
    return {
      writes: [next === undefined ? RETAINED.remove(key) : RETAINED.put(key, { ...data(packet), owner })],
      commit: () => {
        if (next === undefined) this.#kept.delete(topic);
        else this.#kept.set(topic, next);
      },
      rollback: () => {
        if (this.#planned.get(topic) === next) this.#count(topic, this.#kept.get(topic));
      },
    };
  }

  /** Topics with a retained message that match, looked for as they are asked for; one that goes meanwhile is left out. */
  *topics(filter: string): Generator<string | undefined, undefined> {
    if (!/[+#]/.test(filter)) {
      if (this.#kept.has(filter) || this.#own.has(filter)) yield filter;
      return undefined;
    }
    let looked = 0;
    for (const index of [this.#own, this.#kept])
      for (const topic of index.keys()) {
        if (filterMatches(filter, topic)) yield topic;
        // Not the turn to look on for ever.
        else if (++looked % LOOKED_THROUGH === 0) yield undefined;
      }
    return undefined;
  }

  /** The messages themselves, as they are now; of topics that have none any more undefined. */
  async read(topics: readonly string[]): Promise<(StoredPacket | undefined)[]> {
    const stored = await this.options.state.getMany(RETAINED, topics.map(keyOf));
    return topics.map((topic, i) => {
      const own = this.#own.get(topic);
      if (own !== undefined) return { ...own };
      if (stored[i] === undefined) return undefined;
      const packet: StoredPacket & { owner?: unknown } = { ...stored[i] };
      delete packet.owner;
      // The store's buffers belong to the store.
      if (Buffer.isBuffer(packet.payload)) packet.payload = Buffer.from(packet.payload);
      return packet;
    });
  }

  clear(): void {
    this.#kept.clear();
    this.#own.clear();
  }

  #count(topic: string, next: Kept | undefined): void {
    const { maxBytes, maxMessages } = this.options;
    const before = this.#planned.get(topic);
    if (before !== undefined) {
      maxBytes.add(before.owner, -before.bytes);
      maxMessages.add(before.owner, -1);
    }
    if (next === undefined) this.#planned.delete(topic);
    else {
      maxBytes.add(next.owner, next.bytes);
      maxMessages.add(next.owner, 1);
      this.#planned.set(topic, next);
    }
  }
}

/** Of a packet what can be stored: Aedes hangs callbacks on its packets. */
function data(packet: StoredPacket): StoredPacket {
  return Object.fromEntries(
    Object.entries(packet).filter(
      ([name, value]) =>
        name !== 'messageId' &&
        (Buffer.isBuffer(value) || ['string', 'number', 'boolean'].includes(typeof value)),
    ),
  ) as unknown as StoredPacket;
}
