import type { Aedes } from 'aedes';
import type { StatePersistence } from './state-persistence.js';

/** Members of Aedes' message queue that its types do not name. */
interface QueueInternals {
  on(topic: string, ...rest: unknown[]): unknown;
  readonly _matcher: { match(topic: string): { readonly size?: number; readonly length?: number } };
}

/** Topics known to have no subscriber. One for each device and kind of message, unless somebody invents topics. */
const MAX_SILENT = 100_000;

/**
 * Knows which topics nobody subscribes to, connected or away. Most uplinks are read from the journal alone, and need not
 * be looked up among the subscriptions again for every message.
 */
export class Audience {
  readonly #queue: QueueInternals;
  readonly #silent = new Set<string>();

  constructor(
    aedes: Aedes,
    private readonly persistence: StatePersistence,
  ) {
    this.#queue = (aedes as unknown as { mq: QueueInternals }).mq;
    const on = this.#queue.on.bind(this.#queue);
    // Aedes adds every subscription here before it answers the SUBSCRIBE. One that goes leaves the others as they are.
    this.#queue.on = (...subscription) => {
      this.changed();
      return on(...subscription);
    };
  }

  /** There may be a new subscriber. */
  changed(): void {
    this.#silent.clear();
  }

  /** Whether a message of this topic has to go to anybody. */
  isListening(topic: string): boolean {
    if (this.#silent.has(topic)) return false;
    const { size, length } = this.#queue._matcher.match(topic);
    if ((size ?? length ?? 0) > 0 || this.persistence.hasSubscriber(topic)) return true;
    if (this.#silent.size >= MAX_SILENT) this.#silent.clear();
    this.#silent.add(topic);
    return false;
  }
}
