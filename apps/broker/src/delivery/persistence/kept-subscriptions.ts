import QlobberSub from 'qlobber/aedes/qlobber-sub.js';
import { Quota, Share, type QuotaLimits } from '../../quota.js';
import type { Qos } from './stored-packet.js';
import { ALWAYS_FILTER_BYTES, filterBytes } from '../subscription-bytes.js';

export interface SubscriptionOptions {
  readonly qos: Qos;
  readonly rh?: number | undefined;
  readonly rap?: boolean | undefined;
  readonly nl?: boolean | undefined;
  readonly subscriptionIdentifier?: number | undefined;
}
export interface StoredSubscription extends SubscriptionOptions {
  readonly topic: string;
}
export interface MatchedSubscription extends StoredSubscription {
  readonly clientId: string;
}

const TRIE = { wildcard_one: '+', wildcard_some: '#', separator: '/' };

/** The subscriptions of the sessions that are kept, found by client and by topic, and what they take of the bound. */
export class KeptSubscriptions {
  /** Also of what clients hold while they are connected. */
  readonly bytes: Quota;
  readonly #byClient = new Map<string, { filters: Map<string, SubscriptionOptions>; share: Share }>();
  readonly #trie = new QlobberSub(TRIE) as Trie;

  constructor(limits: QuotaLimits) {
    this.bytes = new Quota(limits);
  }

  get count(): number {
    return this.#trie.subscriptionsCount;
  }

  get clientsCount(): number {
    return this.#byClient.size;
  }

  has(client: string): boolean {
    return this.#byClient.has(client);
  }

  of(client: string): StoredSubscription[] {
    const filters = this.#byClient.get(client)?.filters ?? [];
    return Array.from(filters, ([topic, options]) => ({ topic, ...options }));
  }

  /** Those of QoS 1 and 2. */
  match(topic: string): MatchedSubscription[] {
    return this.#trie.match(topic);
  }

  /** Who subscribes to exactly this filter. */
  holders(filter: string): string[] {
    return Array.from(this.#byClient)
      .filter(([, { filters }]) => filters.has(filter))
      .map(([client]) => client);
  }

  /** Whether there is room for the filter. */
  fits(client: string, owner: string, filter: string): boolean {
    const known = this.#byClient.get(client);
    if (known?.filters.has(filter) === true) return true;
    return (known?.share ?? this.#shareOf(owner)).fits(filterBytes(filter));
  }

  /** Counts it, whether it fits or not. */
  add(client: string, owner: string, topic: string, options: SubscriptionOptions): void {
    let known = this.#byClient.get(client);
    if (known === undefined)
      this.#byClient.set(client, (known = { filters: new Map(), share: this.#shareOf(owner) }));
    const { filters, share } = known;
    const before = filters.get(topic);
    if (before === undefined) share.set(share.amount + filterBytes(topic));
    if (options.qos > 0) this.#trie.add(topic, { clientId: client, topic, ...options });
    else if (before !== undefined && before.qos > 0) this.#trie.remove(topic, { clientId: client, topic });
    filters.set(topic, options);
  }

  remove(client: string, topics: Iterable<string>): void {
    const known = this.#byClient.get(client);
    if (known === undefined) return;
    const { filters, share } = known;
    for (const topic of topics) {
      const options = filters.get(topic);
      if (options === undefined) continue;
      if (options.qos > 0) this.#trie.remove(topic, { clientId: client, topic });
      filters.delete(topic);
      share.set(share.amount - filterBytes(topic));
    }
    if (filters.size === 0) this.#byClient.delete(client);
  }

  /** Forgets all of a client. */
  clear(client: string): void {
    this.remove(client, [...(this.#byClient.get(client)?.filters.keys() ?? [])]);
  }

  #shareOf(owner: string): Share {
    return new Share(this.bytes, owner, ALWAYS_FILTER_BYTES);
  }
}

interface Trie {
  readonly subscriptionsCount: number;
  add(topic: string, subscription: MatchedSubscription): void;
  remove(topic: string, subscription: { readonly clientId: string; readonly topic: string }): void;
  match(topic: string): MatchedSubscription[];
}
