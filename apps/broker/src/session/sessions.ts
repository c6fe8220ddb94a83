import type { Millis, TokenBucket, UtcMillis } from '#libs/kernel';
import type { PresenceCause } from '#libs/telemetry';
import type { Client } from 'aedes';
import type { Delivery } from '../delivery/delivery.js';
import type { FrameGuard } from '../door/frame-guard.js';
import type { InboundFlow } from '../door/inbound-flow.js';
import type { ConnectionOrigin } from '../door/listeners.js';
import type { UplinkTemplate } from '../intake/uplink-template.js';
import type { MqttPrincipal, PublishTarget } from './access.js';
import type { InOrder } from './in-order.js';
import type { HeldFilters } from '../delivery/subscription-bytes.js';
import type { TopicCache } from './topic-cache.js';

/** What is known of a connection before it has a session. */
export interface Arrival {
  readonly origin: ConnectionOrigin;
  readonly guard: FrameGuard;
  readonly delivery: Delivery;
  readonly flow: InboundFlow;
  keepAliveMs: Millis;
  willTopic: string | undefined;
}

/** One connection of a device or account, from CONNECT to the end. */
export interface ClientSession {
  readonly id: string;
  readonly principal: MqttPrincipal;
  readonly origin: ConnectionOrigin;
  readonly silenceMs: Millis;
  /** What it may write to, once it has written there. */
  readonly targets: TopicCache<PublishTarget | 'routed'>;
  /** Of those the ones whose messages may go past Aedes. */
  readonly routes: TopicCache<DirectRoute>;
  readonly guard: FrameGuard;
  readonly rate: TokenBucket;
  /** Messages that came faster than the rate allows, in their order, with the time when each may go on. */
  readonly waiting: { readonly dueAt: UtcMillis; readonly step: () => void }[];
  /** Filters that it holds, those included that Aedes is about to add. */
  readonly filters: HeldFilters;
  /** PUBLISH packets that Aedes handed over to be authorised. */
  publishes: number;
  /** Those of them that are done with. */
  settled: number;
  /** Messages taken past Aedes that are not durable yet. */
  direct: number;
  /** Brings the answers to the messages that Aedes has into the order of the messages. */
  readonly order: InOrder;
  endCause: PresenceCause;
  isRevoked: boolean;
}

/** The short way of the messages of one topic. */
export interface DirectRoute {
  readonly template: UplinkTemplate;
  /** The state of the audience in which nobody listened; see `Audience.changes`. */
  silentAt: number;
}

/** Every connection, from the first byte to the end. */
export class ClientSessions {
  readonly #arrivals = new WeakMap<Client, Arrival>();
  readonly #sessions = new WeakMap<Client, ClientSession>();

  arrived(client: Client, arrival: Arrival): void {
    this.#arrivals.set(client, arrival);
  }

  arrivalOf(client: Client): Arrival | undefined {
    return this.#arrivals.get(client);
  }

  began(client: Client, session: ClientSession): void {
    this.#sessions.set(client, session);
  }

  of(client: Client): ClientSession | undefined {
    return this.#sessions.get(client);
  }

  /** The device or account that the connection belongs to. @param client - Aedes' object, where its types say less */
  ownerOf(client: object): string | undefined {
    return this.#sessions.get(client as Client)?.principal.id;
  }

  /** The first cause counts. */
  setEndCause(client: Client, cause: PresenceCause): void {
    const session = this.#sessions.get(client);
    if (session !== undefined && session.endCause === 'lost') session.endCause = cause;
  }
}
