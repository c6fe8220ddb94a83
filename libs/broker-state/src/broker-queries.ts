import type { StateStore } from '#libs/state';
import type { SetAsideTopic } from '#libs/telemetry';
import { SET_ASIDE_TOPICS } from './namespaces.js';

export interface SetAsideQuery {
  /** Those alone that this device or account published on. */
  readonly sender?: string | undefined;
  /** Only what comes behind this place. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface PlacedTopic {
  /** Sender, and a digest of the topic. */
  readonly key: string;
  readonly value: SetAsideTopic;
}

/** What the broker tells others of what it set aside. */
export interface BrokerQueries {
  /** Topics that are not their sender's, in an order that stays, each with its place in it. */
  setAsideTopics(query: SetAsideQuery): Promise<readonly PlacedTopic[]>;
}

/** Answers from the state store. */
export class LocalBrokerQueries implements BrokerQueries {
  constructor(private readonly state: StateStore) {}

  async setAsideTopics({ sender, after, limit }: SetAsideQuery): Promise<readonly PlacedTopic[]> {
    const found = await this.state.list(SET_ASIDE_TOPICS, {
      ...(sender === undefined ? {} : { prefix: `${sender}/` }),
      ...(after === undefined ? { limit } : { from: after, limit: limit + 1 }),
    });
    return found.filter(({ key }) => key !== after).slice(0, limit);
  }
}
