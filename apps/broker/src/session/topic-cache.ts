import type { Quota } from '../quota.js';

/** What an entry costs beside the name of its topic. */
const ENTRY_BYTES = 512;
/** A topic that is longer is looked up each time. */
const MAX_TOPIC_LENGTH = 1_024;
/** Entries that a session may have in any case: the topics of a device. */
const ALWAYS = 8;

/** What is known of the topics that one session writes to. Of topics without end the oldest are forgotten. */
export class TopicCache<V> {
  readonly #entries = new Map<string, V>();
  #isClosed = false;

  constructor(
    private readonly owner: string,
    /** In bytes. */
    private readonly quota: Quota,
  ) {}

  get(topic: string): V | undefined {
    return this.#entries.get(topic);
  }

  set(topic: string, value: V): void {
    if (this.#isClosed || topic.length > MAX_TOPIC_LENGTH) return;
    if (!this.#entries.has(topic)) {
      const bytes = topic.length + ENTRY_BYTES;
      for (const oldest of this.#entries.keys()) {
        if (this.#entries.size < ALWAYS || this.quota.fits(this.owner, bytes)) break;
        this.#forget(oldest);
      }
      this.quota.add(this.owner, bytes);
    }
    this.#entries.set(topic, value);
  }

  /** What was known may be wrong now. */
  clear(): void {
    for (const topic of this.#entries.keys()) this.#forget(topic);
  }

  /** The session is over. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  #forget(topic: string): void {
    this.#entries.delete(topic);
    this.quota.add(this.owner, -topic.length - ENTRY_BYTES);
  }
}
