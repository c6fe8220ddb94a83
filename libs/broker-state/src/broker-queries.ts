import type { StateStore } from '#libs/state';
import type { SetAsideTopic } from '#libs/telemetry';
import { SET_ASIDE_TOPICS } from './namespaces.js';

/** What the broker tells others of what it set aside. */
export interface BrokerQueries {
  /** Topics that are not their sender's. @param sender - those alone that this device or account published on */
  setAsideTopics(sender?: string): Promise<readonly SetAsideTopic[]>;
}

/** Answers from the state store. */
export class LocalBrokerQueries implements BrokerQueries {
  constructor(private readonly state: StateStore) {}

  async setAsideTopics(sender?: string): Promise<readonly SetAsideTopic[]> {
    const options = sender === undefined ? {} : { prefix: `${sender}/` };
    return (await this.state.list(SET_ASIDE_TOPICS, options)).map(({ value }) => value);
  }
}
