import type { Aedes } from 'aedes';
import type { StatePersistence } from './persistence/state-persistence.js';

/** Members of Aedes' message queue that its types do not name. */
interface QueueInternals {
  on(topic: string, ...rest: unknown[]): unknown;
  readonly _matcher: { match(topic: string): { readonly size?: number; readonly length?: number } };
}

/**
 * Knows which topics nobody subscribes to, connected or away. Most uplinks are read from the journal alone, and need not
 * be looked up among the subscriptions again for every message: see {@link changes}.
 */
export class Audience {
  readonly #queue: QueueInternals;
  #changes = 0;

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

  /** Grows when there may be a new subscriber: until then a topic that nobody subscribed to has nobody. */
  get changes(): number {
    return this.#changes;
  }

  /** There may be a new subscriber. */
  changed(): void {
    this.#changes++;
  }

  /** Whether a message of this topic has to go to anybody. */
  isListening(topic: string): boolean {
    const { size, length } = this.#queue._matcher.match(topic);
    return (size ?? length ?? 0) > 0 || this.persistence.hasSubscriber(topic);
  }
}
