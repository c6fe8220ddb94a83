import { type Callback } from '../callback.js';
import type { Journal } from '#libs/journal';
import type { Clock } from '#libs/kernel';
import type { Uplink } from '#libs/telemetry';
import type { Client, PublishPacket } from 'aedes';
import type { Audience } from '../delivery/audience.js';
import { TooManyInboundError, type RoutedPersistence, type Routing } from '../delivery/routing.js';
import type { StoredPacket } from '../delivery/persistence/stored-packet.js';
import { KEPT_BYTES, type Truncation } from '../door/frame-guard.js';
import type { BrokerMetrics } from '../metrics.js';
import type { PublishTarget } from '../session/access.js';
import { EndedError, internalsOf } from '../session/aedes-client.js';
import type { Expulsions } from '../session/expulsions.js';
import type { ClientSession, ClientSessions } from '../session/sessions.js';
import type { ForeignTopic, Target, Targets } from '../session/targets.js';
import type { Acknowledgements } from './acknowledgements.js';
import type { ForeignTopics } from './foreign-topics.js';
import { oversizeRejection } from './oversize.js';
import type { UplinkBatcher } from './uplink-batcher.js';

/** Where a message goes that is to be acknowledged and read by nobody: no filter matches a `$` topic but by name. */
const NOBODYS_TOPIC = '$nobody';

/** A message on its way, and who sent it. */
interface Message {
  readonly client: Client;
  readonly session: ClientSession;
  readonly packet: PublishPacket;
  readonly isWill: boolean;
  readonly truncation: Truncation | undefined;
}

/** What a message holds. Its length is that which it was sent with, although only the beginning is kept of one too large. */
interface Payload {
  readonly payload: Buffer;
  readonly payloadBytes: number;
}

interface PublishingDependencies {
  readonly sessions: ClientSessions;
  readonly targets: Targets;
  readonly uplinks: UplinkBatcher;
  readonly foreignTopics: ForeignTopics;
  readonly acknowledgements: Acknowledgements;
  readonly persistence: RoutedPersistence;
  readonly expulsions: Expulsions;
  readonly journal: Journal;
  readonly metrics: BrokerMetrics;
  readonly clock: Clock;
  readonly routing: Routing;
  readonly audience: Audience;
  readonly isStopping: () => boolean;
}

/**
 * What Aedes hands over to be authorised, which it does before PUBACK and PUBREC: the message goes to the journal and to
 * those who shall read it, and is acknowledged when it is durable.
 */
export class Publishing {
  constructor(
    /** Larger payloads are acknowledged and set aside. */
    private readonly maxPayloadBytes: number,
    private readonly broker: PublishingDependencies,
  ) {}

  authorize(client: Client | null, packet: PublishPacket, done: Callback): void {
    const { sessions, metrics, targets } = this.broker;
    const session = client === null ? undefined : sessions.of(client);
    if (client === null || session === undefined) {
      done(new EndedError('no session'));
      return;
    }
    const isWill = packet === internalsOf(client).will;
    // When Pantau itself stops, it closes every connection; their wills would tell of deaths that did not happen. And nobody
    // speaks with an access that was taken back.
    if (isWill && (this.broker.isStopping() || session.isRevoked)) {
      done(new EndedError('stopping'));
      return;
    }
    // Asked for now, while the messages still come in the order in which they were cut.
    const truncation = isWill ? undefined : session.guard.takeTruncation(session.publishes++);
    if (!isWill) metrics.publishes.inc({ qos: packet.qos });
    const settle = isWill ? (answer: () => void) => answer() : session.order.place();
    const message: Message = { client, session, packet, isWill, truncation };
    const proceed = (target: Target): void => {
      const ended = (error?: Error | null): void => this.#ended(message, error, settle, done);
      this.#throttled(message, () =>
        this.#take(message, target, (error) => {
          if (error == null) this.#route(message, target, ended);
          else ended(error);
        }),
      );
    };
    const target = targets.of(session, packet.topic);
    if (target instanceof Promise)
      target.then(proceed, (error: unknown) => settle(() => done(error as Error)));
    else proceed(target);
  }

  #ended(
    { client, session, isWill }: Message,
    error: Error | null | undefined,
    settle: (answer: () => void) => void,
    done: Callback,
  ): void {
    const answer = (): void => {
      if (!isWill) session.settled++;
      this.broker.acknowledgements.flushOne(client.conn);
      done(error == null ? null : new EndedError('the message could not be taken', { cause: error }));
    };
    // What is refused while others wait for space must not wait with them.
    if (error != null && this.broker.uplinks.isHolding) answer();
    else settle(answer);
  }

  /** Runs the step when the sender's rate allows it; Aedes reads nothing more from that client meanwhile. */
  #throttled({ session: { rate, waiting }, isWill }: Message, step: () => void): void {
    const now = this.broker.clock.now();
    const wait = isWill ? 0 : rate.take(now);
    if (wait === 0 && waiting.length === 0) {
      step();
      return;
    }
    this.broker.metrics.throttled.inc();
    // One line for all: timers of their own could overtake each other, and a message that need not wait the waiting ones.
    waiting.push({ dueAt: now + wait, step });
    if (waiting.length === 1) this.#release(waiting);
  }

  #release(waiting: ClientSession['waiting']): void {
    const [next] = waiting;
    if (next === undefined) return;
    setTimeout(() => {
      waiting.shift();
      next.step();
      this.#release(waiting);
    }, next.dueAt - this.broker.clock.now());
  }

  #take(message: Message, target: Target, done: Callback): void {
    const { session, packet, isWill, truncation } = message;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const payloadBytes = payload.length + (truncation === undefined ? 0 : truncation.bytes - KEPT_BYTES);
    if (target !== 'routed' && 'reason' in target) {
      this.#takeForeign(message, target, { payload, payloadBytes }, done);
      return;
    }
    if (payloadBytes > this.maxPayloadBytes) {
      // It must not reach a subscriber or a retained topic in this state: what is routed is an empty message.
      packet.payload = Buffer.alloc(0);
      packet.retain = false;
      this.#refuseOversize(message, target, { payload, payloadBytes }).then(() => done(null), done);
      return;
    }
    if (target === 'routed' || this.#isKnown(message)) {
      done(null);
      return;
    }
    const { site, device, kind } = target;
    const data: Uplink = {
      site,
      device,
      kind,
      topic: packet.topic,
      payload,
      receivedAt: this.broker.clock.now(),
      qos: packet.qos,
      messageId: packet.qos === 0 ? undefined : packet.messageId,
      // Aedes leaves it out of a will.
      dup: !isWill && packet.dup,
      session: session.id,
      will: isWill,
    };
    this.broker.uplinks.add(data, done, message.client);
  }

  /** Whether it is a QoS 2 message that is sent again before its PUBREL: it is in the journal already. */
  #isKnown({ client, packet, isWill }: Message): boolean {
    return (
      packet.qos === 2 && !isWill && this.broker.persistence.inbound.has(client.id, packet.messageId ?? 0)
    );
  }

  /** A message on a topic that is not its sender's is acknowledged and delivered to nobody. */
  #takeForeign(
    message: Message,
    { reason, detail, unknownName, isLoud }: ForeignTopic,
    { payload, payloadBytes }: Payload,
    done: Callback,
  ): void {
    const { client, packet } = message;
    const { principal } = message.session;
    const { topic, retain } = packet;
    packet.topic = NOBODYS_TOPIC;
    packet.payload = Buffer.alloc(0);
    packet.retain = false;
    if (this.#isKnown(message)) {
      done(null);
      return;
    }
    const site = principal.kind === 'device' ? principal.site : undefined;
    this.broker.foreignTopics.add(
      { reason, detail, unknownName, sender: principal.id, site, topic, payload, payloadBytes, retain },
      (error) => {
        if (error != null || !isLoud) {
          done(error);
          return;
        }
        this.broker.sessions.setEndCause(client, 'expelled');
        done(new EndedError('not a topic of this client'));
      },
    );
  }

  async #refuseOversize(
    { session, packet: { topic } }: Message,
    target: PublishTarget | 'routed',
    { payload, payloadBytes }: Payload,
  ): Promise<void> {
    const { principal } = session;
    const about =
      target === 'routed' ? { device: principal.id } : { device: target.device, site: target.site };
    this.broker.metrics.refusals.inc({ reason: 'payload_too_large' });
    const receivedAt = this.broker.clock.now();
    const { maxPayloadBytes } = this;
    const data = oversizeRejection({ ...about, topic, payload, receivedAt, payloadBytes, maxPayloadBytes });
    await this.broker.journal.append('rejected', [{ key: about.device, data }], { yields: true });
  }

  /** Writes a message down for those who shall read it, before it is acknowledged. */
  #route({ client, session, packet, isWill }: Message, target: Target, done: Callback): void {
    const { routing, audience, expulsions } = this.broker;
    const connection = isWill ? packet : client;
    const isHeard = target === 'routed' || audience.isListening(packet.topic);
    if (!(isHeard || routing.isNeeded(packet, connection))) {
      done(null);
      return;
    }
    const clientId = isWill ? undefined : client.id;
    const sender = { connection, clientId, owner: session.principal.id };
    routing.add(packet as StoredPacket, sender, (error) => {
      if (error instanceof TooManyInboundError)
        expulsions.limitExceeded(client, `inboundQos2: ${error.message}`);
      done(error);
    });
  }
}
