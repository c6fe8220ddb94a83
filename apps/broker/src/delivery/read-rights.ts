import type { Client } from 'aedes';
import { mayRead, maySubscribe } from '../session/access.js';
import type { Expulsions } from '../session/expulsions.js';
import type { ClientSessions } from '../session/sessions.js';
import type { Downlinks } from './downlinks.js';
import type { StatePersistence } from './persistence/state-persistence.js';
import type { StoredPacket } from './persistence/stored-packet.js';

/** What a connection may read: looked at when it subscribes, and again at each delivery. */
export class ReadRights {
  constructor(
    private readonly subscriptionsPerClient: number,
    private readonly broker: {
      readonly sessions: ClientSessions;
      readonly persistence: StatePersistence;
      readonly expulsions: Expulsions;
      readonly downlinks: Pick<Downlinks, 'isAlive' | 'sending'>;
    },
  ) {}

  /** Refusals are written down. */
  maySubscribe(client: Client, filter: string): boolean {
    const { sessions, persistence, expulsions } = this.broker;
    const session = sessions.of(client);
    if (session === undefined) return false;
    const { filters, principal } = session;
    // Counted here: Aedes adds those of a kept session later, all of one SUBSCRIBE together.
    if (!filters.has(filter) && filters.size >= this.subscriptionsPerClient) {
      expulsions.refuse(
        principal,
        'limit_exceeded',
        `subscriptionsPerClient: ${this.subscriptionsPerClient}`,
      );
      return false;
    }
    if (!client.clean && !persistence.mayKeepSession(client.id, principal.id)) {
      expulsions.refuse(principal, 'limit_exceeded', 'sessions: too many kept sessions');
      return false;
    }
    const isKept = client.clean || persistence.subscriptions.fits(client.id, principal.id, filter);
    if (!isKept || !filters.fits(filter)) {
      expulsions.refuse(principal, 'limit_exceeded', 'subscriptionBytes: too many or too long filters');
      return false;
    }
    if (maySubscribe(principal, filter)) {
      filters.add(filter);
      return true;
    }
    const detail = 'a filter that it may not read';
    expulsions.refuse(principal, 'subscription_not_allowed', detail, filter.slice(0, 200));
    return false;
  }

  /** The second look, at delivery: rights may have changed since the subscription, and a command may have expired. */
  mayForward(client: Client, packet: Pick<StoredPacket, 'topic' | 'qos' | 'messageId'>): boolean {
    const { sessions, downlinks } = this.broker;
    const session = sessions.of(client);
    if (session === undefined || !mayRead(session.principal, packet.topic)) return false;
    if (packet.qos === 0 || !packet.topic.includes('/cmd/') || !packet.topic.startsWith('pantau/'))
      return true;
    if (!downlinks.isAlive(packet.topic)) return session.principal.kind === 'account';
    if (packet.messageId !== undefined) downlinks.sending(client, packet.topic, packet.messageId);
    return true;
  }
}
