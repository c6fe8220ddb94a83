import { TokenBuckets, type Clock } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { Client, ConnectPacket } from 'aedes';
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { StatePersistence } from '../delivery/persistence/state-persistence.js';
import type { ConnectionOrigin } from '../door/listeners.js';
import type { BrokerMetrics } from '../metrics.js';
import type { MqttPrincipal } from './access.js';
import { connackError, EndedError } from './aedes-client.js';
import {
  DeniedError,
  IDENTIFIER_REJECTED,
  NOT_AUTHORIZED,
  SERVER_UNAVAILABLE,
  type Authenticator,
} from './authenticator.js';
import { InOrder } from './in-order.js';
import type { Limits } from '../limits.js';
import { Quota } from '../quota.js';
import type { Refusals } from '../refusals.js';
import type { ClientSession, ClientSessions } from './sessions.js';
import { HeldFilters } from '../delivery/subscription-bytes.js';
import type { Takeovers } from './takeovers.js';
import type { Targets } from './targets.js';
import { TopicCache } from './topic-cache.js';

/** Refused as MQTT 5 says it: reason code 0x84, unsupported protocol version. */
const MQTT5_REFUSAL = Buffer.from([0x20, 0x03, 0x00, 0x84, 0x00]);

interface HandshakeDependencies {
  readonly sessions: ClientSessions;
  readonly authenticator: Authenticator;
  readonly takeovers: Takeovers;
  readonly targets: Targets;
  readonly persistence: StatePersistence;
  readonly refusals: Refusals;
  readonly metrics: BrokerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The connection that has the client id now. */
  readonly clientOf: (clientId: string) => Client | undefined;
  readonly isStopping: () => boolean;
}

/** From CONNECT to CONNACK: who it is, whether it may, and what its session begins with. */
export class Handshake {
  readonly #topicBytes: Quota;
  readonly #rates: Readonly<Record<MqttPrincipal['kind'], TokenBuckets>>;

  constructor(
    private readonly limits: Limits,
    private readonly broker: HandshakeDependencies,
  ) {
    this.#topicBytes = new Quota(limits.bounds.topicCacheBytes);
    this.#rates = {
      device: new TokenBuckets(limits.messagesPerDevice),
      account: new TokenBuckets(limits.messagesPerAccount),
    };
  }

  /** What can be refused before it is known who it is. */
  preConnect(
    client: Client,
    packet: ConnectPacket,
    done: (error: Error | null, success: boolean) => void,
  ): void {
    const { sessions, refusals } = this.broker;
    const arrival = sessions.arrivalOf(client);
    arrival?.origin.ticket.arrived();
    if (arrival === undefined || this.broker.isStopping()) {
      done(new EndedError('stopping'), false);
      return;
    }
    if (packet.protocolVersion === 5) {
      const remedy =
        'set the client to MQTT 3.1.1, or connect it to a broker that Pantau bridges (mqtt.bridge)';
      refusals.add({ reason: 'protocol_version', detail: `an MQTT 5 CONNECT; ${remedy}` });
      (client.conn as Duplex).end(MQTT5_REFUSAL);
      done(new EndedError('MQTT 5'), false);
      return;
    }
    // [MQTT-3.1.3-8] Without an id there is no session to keep. Aedes would invent one.
    if (packet.clientId === '' && !packet.clean) {
      (client.conn as Duplex).end(Buffer.from([0x20, 2, 0, IDENTIFIER_REJECTED]));
      done(connackError(IDENTIFIER_REJECTED, 'empty client id with clean session off'), false);
      return;
    }
    // [MQTT-3.3.2-2] for what the broker will publish; Aedes looks at it only when the client is gone.
    if (packet.will !== undefined && !isTopicName(packet.will.topic)) {
      done(new Error('Invalid will topic'), false);
      return;
    }
    arrival.willTopic = packet.will?.topic;
    const { minKeepAliveMs, maxKeepAliveMs } = this.limits;
    const wanted = (packet.keepalive ?? 0) * 1_000;
    // A server may end a silent connection whatever the client asks for (MQTT 3.1.1, 3.1.2.10).
    arrival.keepAliveMs =
      wanted === 0 ? maxKeepAliveMs : Math.min(maxKeepAliveMs, Math.max(minKeepAliveMs, wanted));
    packet.keepalive = arrival.keepAliveMs / 1_000;
    done(null, true);
  }

  /** Begins the session. @throws an error with the `returnCode` of the CONNACK */
  async authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<void> {
    const { sessions, authenticator, refusals, logger, metrics } = this.broker;
    const arrival = sessions.arrivalOf(client);
    if (arrival === undefined) throw connackError(SERVER_UNAVAILABLE, 'no arrival');
    const { origin } = arrival;
    let principal: MqttPrincipal;
    try {
      principal = await authenticator.authenticate(
        { clientId: client.id, username, password: password?.toString() },
        origin,
      );
      await this.#assertWill(principal, arrival.willTopic);
      this.#assertOwner(client, principal, origin);
    } catch (error) {
      if (!(error instanceof DeniedError)) {
        logger.error({ err: error }, 'a client could not be authenticated');
        throw connackError(SERVER_UNAVAILABLE, 'not now');
      }
      const { reason, detail, claimed, returnCode } = error;
      refusals.add({
        reason,
        detail: `${detail} (from ${origin.address})`,
        ...(claimed === undefined ? {} : { device: claimed.id }),
        ...(claimed?.site === undefined ? {} : { site: claimed.site }),
        ...(claimed?.topic === undefined ? {} : { topic: claimed.topic.slice(0, 200) }),
      });
      // The client learns the return code and nothing else.
      throw connackError(returnCode, 'refused');
    }
    metrics.connects.inc({ listener: origin.listener });
    const session: ClientSession = {
      id: randomUUID(),
      principal,
      origin,
      guard: arrival.guard,
      silenceMs: arrival.keepAliveMs * 1.5,
      targets: new TopicCache(principal.id, this.#topicBytes),
      routes: new TopicCache(principal.id, this.#topicBytes),
      waiting: [],
      filters: new HeldFilters(this.broker.persistence.subscriptions.bytes, principal.id),
      rate: this.#rates[principal.kind].of(principal.id, this.broker.clock.now()),
      publishes: 0,
      settled: 0,
      direct: 0,
      // Messages that were taken past Aedes are older than those that it has.
      order: new InOrder(() => session.direct > 0),
      endCause: 'lost',
      isRevoked: false,
    };
    sessions.began(client, session);
  }

  /** A will on somebody else's topic is refused while the client can still hear of it. */
  async #assertWill(principal: MqttPrincipal, topic: string | undefined): Promise<void> {
    if (topic === undefined) return;
    const refusal = await this.broker.targets.refusalOfWill(principal, topic);
    if (refusal === undefined) return;
    const { id } = principal;
    const claimed = { id, ...(principal.kind === 'device' ? { site: principal.site } : {}), topic };
    throw new DeniedError(refusal.reason, `the last will: ${refusal.detail}`, NOT_AUTHORIZED, claimed);
  }

  /** An older connection of the same client is closed by Aedes next, unless two clients fight over the identity. */
  #assertOwner(client: Client, { kind, id }: MqttPrincipal, { address }: ConnectionOrigin): void {
    const { sessions, takeovers, persistence } = this.broker;
    const owner = persistence.ownerOf(client.id) ?? id;
    const older = this.broker.clientOf(client.id);
    const olderOwner = older === undefined ? id : (sessions.ownerOf(older) ?? id);
    if (owner !== id || olderOwner !== id)
      throw new DeniedError('bad_credentials', `the client id is another account's`, IDENTIFIER_REJECTED, {
        id,
      });
    if (older === undefined) return;
    if (kind === 'device' && !takeovers.allows(id)) {
      const detail = 'two clients with this identity keep taking over each other; the newcomer has to wait';
      throw new DeniedError('duplicate_identity', detail, SERVER_UNAVAILABLE, { id });
    }
    sessions.setEndCause(older, 'takeover');
    const isSameAddress = sessions.of(older)?.origin.address === address;
    if (kind === 'device') takeovers.begin(id, older.conn, isSameAddress);
  }
}

function isTopicName(topic: string): boolean {
  return topic !== '' && !/[+#\0]/.test(topic);
}
