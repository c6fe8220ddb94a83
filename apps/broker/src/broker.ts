import type { Accounts, DeviceCredentials, DeviceTokens, Registry } from '#libs/identity';
import { follow, type Journal } from '#libs/journal';
import {
  HOUR,
  shardOf,
  TokenBuckets,
  type Clock,
  type Millis,
  type TokenBucket,
  type UtcMillis,
} from '#libs/kernel';
import { lagOf } from '#libs/journal-transport';
import type { Logger } from '#libs/platform';
import type { StateStore } from '#libs/state';
import {
  filterMatches,
  formatCommandTopic,
  type IdentityChange,
  type PresenceCause,
  type PresenceSignal,
  type RejectionReason,
  type SetAsideReason,
  type TopicMappings,
  type Uplink,
} from '#libs/telemetry';
import { Aedes, type AuthenticateError, type Client, type ConnectPacket, type PublishPacket } from 'aedes';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Acknowledgements } from './intake/acknowledgements.js';
import {
  foreignTopic,
  mayRead,
  maySubscribe,
  publishTarget,
  type Principal,
  type PublishTarget,
} from './session/access.js';
import { Admission } from './door/admission.js';
import { Audience } from './delivery/audience.js';
import {
  Authenticator,
  DeniedError,
  IDENTIFIER_REJECTED,
  NOT_AUTHORIZED,
  SERVER_UNAVAILABLE,
} from './session/authenticator.js';
import { Delivery, grantedQos, type DeliveryOptions } from './delivery/delivery.js';
import { Downlinks } from './delivery/downlinks.js';
import { FrameGuard, KEPT_BYTES, type DirectPublish, type Truncation } from './door/frame-guard.js';
import { InboundFlow } from './door/inbound-flow.js';
import type { Limits } from './session/limits.js';
import { Listeners, type ListenerKind, type Origin, type TlsFiles } from './door/listeners.js';
import { LivenessRecorder } from './session/liveness-recorder.js';
import { BrokerMetrics } from './metrics.js';
import { oversizeRejection } from './intake/oversize.js';
import { ProgressWatch } from './door/progress-watch.js';
import { Quota } from './session/quota.js';
import { Refusals } from './session/refusals.js';
import { setAsideIn } from './delivery/set-aside.js';
import { Routing, RoutedPersistence, TooManyInboundError } from './delivery/routing.js';
import { SpaceLook } from './intake/space-look.js';
import type { StoredPacket } from './delivery/stored-packet.js';
import { HeldFilters } from './session/subscription-bytes.js';
import { InOrder } from './session/in-order.js';
import { ForeignTopics } from './intake/foreign-topics.js';
import { SysTopics } from './sys-topics.js';
import { Takeovers } from './session/takeovers.js';
import { TopicCache } from './session/topic-cache.js';
import { UplinkBatcher } from './intake/uplink-batcher.js';
import { UplinkTemplate } from './intake/uplink-template.js';

export interface BrokerOptions {
  readonly host: string;
  /** Port by kind of listener; 0 takes a free one; a kind without a port is off. */
  readonly ports: Readonly<Partial<Record<ListenerKind, number>>>;
  readonly tls: TlsFiles | undefined;
  readonly webSocketPath: string;
  readonly trustedProxies: readonly string[];
  /** Larger payloads are acknowledged and set aside in `rejected`. */
  readonly maxPayloadBytes: number;
  readonly limits: Limits;
  readonly livenessBeatMs: Millis;
  /** Topics of other makers' devices. */
  readonly mappings: TopicMappings;
  /** What becomes of a device that publishes on somebody else's topic; `ignore` when not given. */
  readonly deny?: 'ignore' | 'disconnect';
  /** How often refusals are written down; a second when not given. */
  readonly refusalsEveryMs?: Millis;
}

export interface BrokerDependencies {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly registry: Registry;
  readonly accounts: Accounts;
  readonly credentials: DeviceCredentials;
  readonly tokens: DeviceTokens;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One connection of a device or account, from CONNECT to the end. */
interface Session {
  readonly id: string;
  readonly principal: Principal;
  readonly origin: Origin;
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
interface DirectRoute {
  readonly template: UplinkTemplate;
  /** The state of the audience in which nobody listened; see {@link Audience.changes}. */
  silentAt: number;
}

/** A topic that is not its sender's. */
interface ForeignTopic {
  readonly reason: SetAsideReason;
  readonly detail: string;
  readonly unknownName?: string;
  /** Whether writing to it costs the connection. */
  readonly isLoud: boolean;
}

/** What writing to a topic means. */
type Target = PublishTarget | 'routed' | ForeignTopic;

type DeviceAndSite = readonly [device: string, site: string];

/** What is known of a connection before it has a session. */
interface Arrival {
  readonly origin: Origin;
  readonly guard: FrameGuard;
  readonly delivery: Delivery;
  readonly flow: InboundFlow;
  keepAliveMs: Millis;
  willTopic: string | undefined;
}

/** Members of Aedes that its types do not name. */
interface ClientInternals {
  /** Set when the client sent DISCONNECT. */
  readonly _disconnected?: boolean;
  /** The packet that Aedes hands over to be authorised when the connection is lost. */
  readonly will?: object;
  readonly subscriptions: Readonly<Record<string, unknown>>;
  readonly _parser: {
    on(event: 'packet', listener: (packet: { cmd: string; messageId?: number }) => void): void;
    prependListener(event: 'error', listener: (error: Error) => void): void;
  };
  /** Counts one packet as dealt with and reads on when there is none left. */
  _nextBatch(): void;
}
interface AedesInternals {
  readonly clients: Readonly<Record<string, Client>>;
}

/** The longest topic, its length, and the packet identifier beside a payload. */
const TOPIC_BYTES = 65_535 + 4;
/** Messages of a connection taken past Aedes at a time; beyond it Aedes takes them, which then stops reading. */
const MAX_DIRECT = 256;
/** QoS 2 messages of a client between PUBREC and PUBREL. */
const MAX_INFLIGHT_QOS2 = 1_000;
/** Refused as MQTT 5 says it: reason code 0x84, unsupported protocol version. */
const MQTT5_REFUSAL = Buffer.from([0x20, 0x03, 0x00, 0x84, 0x00]);
/** CONNACK 0x01: a protocol level that nobody knows [MQTT-3.1.2-2]. */
const VERSION_REFUSAL = Buffer.from([0x20, 0x02, 0x00, 0x01]);
/** Longer than any connection waits: the listeners keep the time. */
const NEVER: Millis = 2 ** 31 - 1;
/** Limits that Aedes watches over, by the message of its error. */
const AEDES_LIMITS: readonly (readonly [RegExp, string])[] = [
  [/too many levels/, 'topicLevels'],
  [/^maxInflightInbound/, `${MAX_INFLIGHT_QOS2} QoS 2 messages wait for their PUBREL`],
  [/^Client queue limit/, 'too many packets before CONNACK'],
  [/^Max payload size/, 'WebSocket frame size'],
];
/** Ends of connections that are no fault of what the client sent. */
const EXPECTED_ENDS = ['keep alive timeout', 'connection closed'];

/** Pantau ends the connection; what there is to say of it has been said. */
class EndedError extends Error {
  readonly code = 'ENDED';
}
const STAGE_OF_UPLINK = 'ingest';
/** Where a message goes that is to be acknowledged and read by nobody: no filter matches a `$` topic but by name. */
const NOBODYS_TOPIC = '$nobody';

/**
 * The MQTT ingress: Aedes, with the journal in `authorizePublish`, which runs before PUBACK and PUBREC. A message that
 * a device has seen acknowledged is on disk.
 *
 * Refused at the door are identity, topic and what exceeds a limit; content never is, because a refused device would
 * send it again for ever. Content is judged later and set aside in `rejected`.
 */
export class Broker {
  readonly metrics = new BrokerMetrics();
  readonly #pantau: BrokerDependencies;
  readonly #options: BrokerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refusals: Refusals;
  readonly #uplinks: UplinkBatcher;
  readonly #liveness: LivenessRecorder;
  readonly #admission: Admission;
  readonly #authenticator: Authenticator;
  readonly #takeovers: Takeovers;
  readonly #foreignTopics: ForeignTopics;
  readonly #rates: Readonly<Record<Principal['kind'], TokenBuckets>>;
  readonly #persistence: RoutedPersistence;
  readonly #deliveries: DeliveryOptions;
  readonly #topicBytes: Quota;
  readonly #inProgress: Quota;
  readonly #packets: ProgressWatch;
  readonly #listeners: Listeners;
  readonly #downlinks: Downlinks;
  readonly #passOver: ReturnType<typeof setAsideIn>;
  readonly #arrivals = new WeakMap<Client, Arrival>();
  readonly #sessions = new WeakMap<Client, Session>();
  /** Who listens for the commands of a device. */
  readonly #commandListeners = new Map<string, Client>();
  /** Connections that speak for other devices. */
  readonly #gateways = new Set<Client>();
  readonly #stop = new AbortController();
  readonly #acknowledgements = new Acknowledgements((_connection, count) =>
    this.metrics.publishes.inc({ qos: 1 }, count),
  );
  #aedes: Aedes | undefined;
  #audience: Audience | undefined;
  #routing: Routing | undefined;
  #sys: SysTopics | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: BrokerOptions, dependencies: BrokerDependencies) {
    const { journal, state, clock, logger } = dependencies;
    const { limits, maxPayloadBytes } = options;
    this.#pantau = dependencies;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#refusals = new Refusals(
      journal,
      clock,
      logger,
      (reason) => this.metrics.refusals.inc({ reason }),
      limits.refusalEntries,
      options.refusalsEveryMs,
    );
    this.#uplinks = new UplinkBatcher(journal, logger, {
      onAppended: (seconds) => this.metrics.appendSeconds.observe(seconds),
      onDirect: (sender, messageIds, error, bytes) =>
        this.#directSettled(sender as Client, messageIds, error, bytes),
      onSettled: () => this.#acknowledgements.flush(),
      ownerOf: (client) => this.#sessions.get(client as Client)?.principal.id,
      // Aedes may read a client's PINGREQ only after the messages before it: held for longer than its keep-alive, the
      // client would be thrown out, or leave, because nobody answers.
      onHeld: (client) => (client as ClientInternals)._nextBatch(),
    });
    this.metrics.watch(journal);
    const hasListeners = Object.keys(options.ports).length > 0;
    this.#liveness = new LivenessRecorder(journal, clock, options.livenessBeatMs, logger, {
      component: 'broker',
      // What a device says while the journal is full is not written down: its silence then is unknown time.
      isListening: () => hasListeners && !this.#uplinks.isHolding,
    });
    this.#admission = new Admission(limits, clock);
    this.#authenticator = new Authenticator(dependencies, this.#admission);
    this.#takeovers = new Takeovers(limits.takeovers, clock);
    this.#rates = {
      device: new TokenBuckets(limits.messagesPerDevice),
      account: new TokenBuckets(limits.messagesPerAccount),
    };
    this.#foreignTopics = new ForeignTopics(
      state,
      journal,
      clock,
      logger,
      {
        counted: (reason) => {
          if (reason === 'not_mapped') this.metrics.notMapped.inc();
          else this.metrics.refusals.inc({ reason });
        },
      },
      limits.foreignTopicsPerClient,
      options.refusalsEveryMs,
    );
    this.#persistence = new RoutedPersistence({
      state,
      clock,
      maxQueuedMessages: limits.queuedMessagesPerClient,
      bounds: limits.bounds,
      isConnected: (id) => this.#clientOf(id) !== undefined,
      mayKeep: (client, filter) => this.#sessions.get(client as Client)?.filters.has(filter) === true,
      ownerOf: (client) => this.#sessions.get(client as Client)?.principal.id,
      onDropped: () => this.metrics.droppedQueued.inc(),
      onQueued: (id) => this.#deliveryOf(id)?.pump(),
      onRefused: (owner, limit, topic) =>
        this.#refusals.add({
          reason: 'limit_exceeded',
          detail: `${limit}: not kept`,
          device: owner,
          topic: topic.slice(0, 200),
        }),
      onError: (error) => logger.error({ err: error }, 'a queue could not be made smaller'),
      onSubscribed: () => this.#audience?.changed(),
    });
    this.#topicBytes = new Quota(limits.bounds.topicCacheBytes);
    this.#inProgress = new Quota(limits.bounds.inProgressBytes);
    this.#packets = new ProgressWatch(limits.stalledAfterMs);
    this.#deliveries = {
      persistence: this.#persistence,
      maxInFlight: limits.inflightMessagesPerClient,
      maxWaitingBytes: limits.queuedBytesPerClient,
      waitingBytes: new Quota(limits.bounds.waitingBytes),
      stalledAfterMs: limits.stalledAfterMs,
      ownerOf: (client) => this.#sessions.get(client)?.principal.id ?? '',
      mayForward: (client, packet) => this.#mayForward(client, packet),
      onDropped: () => this.metrics.droppedQueued.inc(),
      onStalled: (client, detail) => this.#limitExceeded(client, `stalledAfter: ${detail}`),
    };
    this.#listeners = new Listeners(
      {
        host: options.host,
        ports: options.ports,
        tls: options.tls,
        path: options.webSocketPath,
        trustedProxies: options.trustedProxies,
        connectTimeoutMs: limits.connectTimeoutMs,
        maxPending: limits.pending,
        maxPacketBytes: maxPayloadBytes * 64,
      },
      this.#admission,
      {
        handle: (stream, origin, request) => this.#handle(stream, origin, request),
        refused: (reason, detail, address) =>
          this.#refusals.add({ reason, detail: `${detail} (${address})` }),
      },
      logger,
    );
    this.#downlinks = new Downlinks(
      journal,
      {
        listener: (device) => this.#commandListeners.get(device),
        grantedQos,
        isQueued: (client, topic) => this.#persistence.isQueued(client.id, topic),
        retain: (topic, payload) => this.#retain(topic, payload),
      },
      clock,
      logger,
      (this.#passOver = setAsideIn(journal, this.#pantau.state, clock, logger, (stream) =>
        this.metrics.setAside.inc({ stream }),
      )),
    );
  }

  /** @throws PantauError `PORT_IN_USE`, `CONFIG_UNREADABLE`, `CONFIG_INVALID` */
  async start(): Promise<void> {
    const { limits } = this.#options;
    const aedes = await Aedes.createBroker({
      persistence: this.#persistence,
      connectTimeout: NEVER,
      maxTopicLevels: limits.topicLevels,
      maxInflightInbound: MAX_INFLIGHT_QOS2,
      maxClientsIdLength: 63,
      // Bounded in bytes instead: a client may send before its CONNACK [MQTT-3.1.4-5].
      queueLimit: Infinity,
      preConnect: (client, packet, done) => this.#preConnect(client, packet, done),
      authenticate: (client, username, password, done) => {
        this.#authenticate(client, username, password).then(
          () => done(null, true),
          (error: unknown) => done(error as AuthenticateError, false),
        );
      },
      authorizePublish: (client, packet, done) => this.#authorizePublish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        // A denied subscription is answered with 0x80.
        done(null, this.#maySubscribe(client, subscription.topic) ? subscription : null);
      },
    });
    this.#aedes = aedes;
    this.#audience = new Audience(aedes, this.#persistence);
    const { state, journal } = this.#pantau;
    this.#routing = new Routing(aedes, state, this.#persistence, new SpaceLook(journal));
    aedes.on('client', (client) => this.#connected(client));
    aedes.on('clientReady', (client) => {
      const arrival = this.#arrivals.get(client);
      arrival?.flow.known(this.#sessions.get(client)?.principal.id ?? '');
      arrival?.delivery.begin();
      this.#subscribed(client);
    });
    aedes.on('subscribe', (subscriptions, client) => {
      const granted = subscriptions.filter(({ qos }) => (qos as number) < 128).map(({ topic }) => topic);
      this.#arrivals.get(client)?.delivery.subscribed(granted);
      this.#subscribed(client);
    });
    aedes.on('unsubscribe', (filters, client) => {
      this.#arrivals.get(client)?.delivery.unsubscribed(filters);
      for (const filter of filters) this.#sessions.get(client)?.filters.delete(filter);
      this.#handCommandsOver(client);
    });
    // Without a listener an error of the persistence, such as a full disk, would end the process.
    aedes.on('error' as 'closed', (...errors: unknown[]) =>
      this.#logger.error({ err: errors[0] }, 'the MQTT broker could not route a message'),
    );
    aedes.on('keepaliveTimeout', (client) => this.#setEndCause(client, 'keepalive'));
    aedes.on('clientDisconnect', (client) => this.#disconnected(client));
    aedes.on('clientError', (client, error) => this.#clientError(client, error));
    aedes.on('connectionError', (client, error) => this.#clientError(client, error));

    // Before anybody can listen: a command that is over would be sent again, one in a kept session not at all.
    await this.#downlinks.start();
    await this.#foreignTopics.start();
    try {
      await this.#listeners.open();
    } catch (error) {
      this.#stop.abort();
      this.#downlinks.stop();
      aedes.close();
      throw error;
    }
    await this.#liveness.start();
    const { signal } = this.#stop;
    void follow(this.#pantau.journal, {
      stream: 'identity',
      from: 'end',
      signal,
      handle: ({ data }) => this.#identityChanged(data),
      setAside: this.#passOver,
      onError: (error) => this.#logger.error({ err: error }, 'changes of identity wait'),
    });
    this.#sys = new SysTopics(aedes, this.metrics);
    this.#sys.start();
    this.#sweep = setInterval(() => void this.#sweepSessions(), HOUR);
  }

  /** The port of a listener that is on. */
  port(kind: ListenerKind = 'tcp'): number {
    return this.#listeners.port(kind) ?? 0;
  }

  /** Reads the certificate files again. */
  reloadCertificates(): void {
    this.#listeners.reloadCertificates();
  }

  /** The metrics in Prometheus' text format. */
  async metricsText(): Promise<string> {
    return this.metrics.registry.metrics();
  }

  /** Uplinks that are durable and not decoded yet. */
  async backlog(): Promise<number> {
    return lagOf(this.#pantau.journal, STAGE_OF_UPLINK, 'uplink');
  }

  /** Stops taking messages and returns when everything acknowledged is durable. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    clearInterval(this.#sweep);
    this.#sys?.stop();
    this.#downlinks.stop();
    this.#uplinks.stop();
    const aedes = this.#aedes;
    if (aedes !== undefined) await new Promise<void>((done) => aedes.close(done));
    await this.#listeners.close();
    await this.#refusals.flush();
    await this.#foreignTopics.stop();
    await this.#liveness
      .stop()
      .catch((error: unknown) => this.#logger.error({ err: error }, 'the stop could not be recorded'));
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  #handle(stream: Duplex, origin: Origin, request?: IncomingMessage): void {
    const aedes = this.#aedes;
    if (aedes === undefined || this.#stopping) {
      stream.destroy();
      return;
    }
    const client = aedes.handle(stream, request);
    const guard = new FrameGuard(
      this.#options.maxPayloadBytes + TOPIC_BYTES,
      (publish, passed) =>
        // Aedes stops reading from one that does not read its acknowledgements.
        !arrival.delivery.isBackedUp &&
        this.#takeDirectly(client, this.#sessions.get(client), arrival.flow, publish, passed),
    );
    const arrival: Arrival = {
      origin,
      guard,
      delivery: new Delivery(client, this.#deliveries),
      keepAliveMs: this.#options.limits.maxKeepAliveMs,
      flow: new InboundFlow(client, stream, {
        guard,
        arriving: this.#admission.arriving(origin.address, stream),
        frames: origin.frames,
        watch: this.#packets,
        inProgress: this.#inProgress,
        onLimit: (detail) => this.#limitExceeded(client, `${detail} (from ${origin.address})`),
        onError: (error) => client.emit('error', error),
      }),
      willTopic: undefined,
    };
    this.#arrivals.set(client, arrival);
    const { _parser: parser } = client as unknown as ClientInternals;
    parser.prependListener('error', ({ message }) => {
      if (message === 'Invalid protocol version') stream.write(VERSION_REFUSAL);
    });
  }

  #preConnect(
    client: Client,
    packet: ConnectPacket,
    done: (error: Error | null, success: boolean) => void,
  ): void {
    const arrival = this.#arrivals.get(client);
    arrival?.origin.ticket.arrived();
    if (arrival === undefined || this.#stopping) {
      done(new EndedError('stopping'), false);
      return;
    }
    if (packet.protocolVersion === 5) {
      const remedy =
        'set the client to MQTT 3.1.1, or connect it to a broker that Pantau bridges (mqtt.bridge)';
      this.#refusals.add({ reason: 'protocol_version', detail: `an MQTT 5 CONNECT; ${remedy}` });
      (client.conn as Duplex).end(MQTT5_REFUSAL);
      done(new EndedError('MQTT 5'), false);
      return;
    }
    // [MQTT-3.1.3-8] Without an id there is no session to keep. Aedes would invent one.
    if (packet.clientId === '' && !packet.clean) {
      (client.conn as Duplex).end(Buffer.from([0x20, 2, 0, IDENTIFIER_REJECTED]));
      done(refuse(IDENTIFIER_REJECTED, 'empty client id with clean session off'), false);
      return;
    }
    // [MQTT-3.3.2-2] for what the broker will publish; Aedes looks at it only when the client is gone.
    if (packet.will !== undefined && !isTopicName(packet.will.topic)) {
      done(new Error('Invalid will topic'), false);
      return;
    }
    arrival.willTopic = packet.will?.topic;
    const { minKeepAliveMs, maxKeepAliveMs } = this.#options.limits;
    const wanted = (packet.keepalive ?? 0) * 1_000;
    // A server may end a silent connection whatever the client asks for (MQTT 3.1.1, 3.1.2.10).
    arrival.keepAliveMs =
      wanted === 0 ? maxKeepAliveMs : Math.min(maxKeepAliveMs, Math.max(minKeepAliveMs, wanted));
    packet.keepalive = arrival.keepAliveMs / 1_000;
    done(null, true);
  }

  async #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<void> {
    const arrival = this.#arrivals.get(client);
    if (arrival === undefined) throw refuse(SERVER_UNAVAILABLE, 'no arrival');
    const { origin, guard, keepAliveMs } = arrival;
    let principal: Principal;
    try {
      principal = await this.#authenticator.authenticate(
        { clientId: client.id, username, password: password?.toString() },
        origin,
      );
      await this.#assertWill(principal, arrival.willTopic);
      this.#assertOwner(client, principal, origin);
    } catch (error) {
      if (!(error instanceof DeniedError)) {
        this.#logger.error({ err: error }, 'a client could not be authenticated');
        throw refuse(SERVER_UNAVAILABLE, 'not now');
      }
      const { reason, detail, claimed, returnCode } = error;
      this.#refusals.add({
        reason,
        detail: `${detail} (from ${origin.address})`,
        ...(claimed === undefined ? {} : { device: claimed.id }),
        ...(claimed?.site === undefined ? {} : { site: claimed.site }),
        ...(claimed?.topic === undefined ? {} : { topic: claimed.topic.slice(0, 200) }),
      });
      // The client learns the return code and nothing else.
      throw refuse(returnCode, 'refused');
    }
    this.metrics.connects.inc({ listener: origin.listener });
    const session: Session = {
      id: randomUUID(),
      principal,
      origin,
      guard,
      silenceMs: keepAliveMs * 1.5,
      targets: new TopicCache(principal.id, this.#topicBytes),
      routes: new TopicCache(principal.id, this.#topicBytes),
      waiting: [],
      filters: new HeldFilters(this.#persistence.subscriptions.bytes, principal.id),
      rate: this.#rates[principal.kind].of(principal.id, this.#clock.now()),
      publishes: 0,
      settled: 0,
      direct: 0,
      // Messages that were taken past Aedes are older than those that it has.
      order: new InOrder(() => session.direct > 0),
      endCause: 'lost',
      isRevoked: false,
    };
    this.#sessions.set(client, session);
  }

  /** A will on somebody else's topic is refused while the client can still hear of it. */
  async #assertWill(principal: Principal, topic: string | undefined): Promise<void> {
    if (topic === undefined || publishTarget(principal, topic, this.#options.mappings) !== undefined) return;
    const { reason, detail } = await this.#foreign(principal, topic);
    if (reason === 'not_mapped') return;
    const { id } = principal;
    const claimed = { id, ...(principal.kind === 'device' ? { site: principal.site } : {}), topic };
    throw new DeniedError(reason, `the last will: ${detail}`, NOT_AUTHORIZED, claimed);
  }

  /** An older connection of the same client is closed by Aedes next, unless two clients fight over the identity. */
  #assertOwner(client: Client, { kind, id }: Principal, { address }: Origin): void {
    const owner = this.#persistence.ownerOf(client.id) ?? id;
    const older = (this.#aedes as unknown as AedesInternals).clients[client.id];
    const olderOwner = older === undefined ? id : (this.#sessions.get(older)?.principal.id ?? id);
    if (owner !== id || olderOwner !== id)
      throw new DeniedError('bad_credentials', `the client id is another account's`, IDENTIFIER_REJECTED, {
        id,
      });
    if (older === undefined) return;
    if (kind === 'device' && !this.#takeovers.allows(id)) {
      const detail = 'two clients with this identity keep taking over each other; the newcomer has to wait';
      throw new DeniedError('duplicate_identity', detail, SERVER_UNAVAILABLE, { id });
    }
    this.#setEndCause(older, 'takeover');
    const isSameAddress = this.#sessions.get(older)?.origin.address === address;
    if (kind === 'device') this.#takeovers.begin(id, older.conn, isSameAddress);
  }

  /**
   * The short way of the packet that nearly all traffic consists of: QoS 1, on a topic that the session has written to
   * before and that nobody subscribes to, small, within the rate. It goes to the journal and is acknowledged like every
   * other, only without Aedes, which would route it to nobody. See docs/decisions/0006.
   */
  #takeDirectly(
    client: Client,
    session: Session | undefined,
    flow: InboundFlow,
    publish: DirectPublish,
    passed: number,
  ): boolean {
    // One that Aedes has yet to deal with must not be overtaken.
    if (session === undefined || session.settled !== passed || session.direct >= MAX_DIRECT) return false;
    const { bytes, topicAt, topicEnd, payloadAt, end } = publish;
    const payloadBytes = end - payloadAt;
    if (this.#uplinks.isHolding || payloadBytes > this.#options.maxPayloadBytes) return false;
    const topic = bytes.toString('utf8', topicAt, topicEnd);
    const route = session.routes.get(topic) ?? this.#directRoute(session, topic);
    if (route === undefined || !this.#isSilent(route, topic)) return false;
    const receivedAt = this.#clock.now();
    if (!session.rate.tryTake(receivedAt) || !flow.takeDirectly(end - topicAt)) return false;
    session.direct++;
    this.#uplinks.addDirect(client, route.template, receivedAt, publish);
    return true;
  }

  /** The short way of a topic that the session has written to. */
  #directRoute(session: Session, topic: string): DirectRoute | undefined {
    const target = session.targets.get(topic);
    if (target === undefined || target === 'routed' || !this.#uplinks.takesDirectly) return undefined;
    const shard = shardOf(target.device, this.#pantau.journal.shards);
    const template = new UplinkTemplate(shard, { ...target, topic, session: session.id });
    const route = { template, silentAt: -1 };
    session.routes.set(topic, route);
    return route;
  }

  /** Whether nobody listens to the topic. */
  #isSilent(route: DirectRoute, topic: string): boolean {
    const audience = this.#audience;
    if (audience === undefined) return false;
    if (route.silentAt === audience.changes) return true;
    if (audience.isListening(topic)) return false;
    route.silentAt = audience.changes;
    return true;
  }

  #directSettled(client: Client, messageIds: number[], error: Error | null, bytes: number): void {
    this.#arrivals.get(client)?.flow.directlyDone(bytes, messageIds.length);
    const session = this.#sessions.get(client);
    if (session !== undefined) session.direct -= messageIds.length;
    if (error === null) this.#acknowledgements.add(client.conn, messageIds);
    else client.emit('error', new EndedError('the message could not be taken', { cause: error }));
    session?.order.release();
  }

  #authorizePublish(
    client: Client | null,
    packet: PublishPacket,
    done: (error?: Error | null) => void,
  ): void {
    const session = client === null ? undefined : this.#sessions.get(client);
    if (client === null || session === undefined) {
      done(new EndedError('no session'));
      return;
    }
    const will = packet === (client as unknown as ClientInternals).will;
    // When Pantau itself stops, it closes every connection; their wills would tell of deaths that did not happen. And nobody
    // speaks with an access that was taken back.
    if (will && (this.#stopping || session.isRevoked)) {
      done(new EndedError('stopping'));
      return;
    }
    // Asked for now, while the messages still come in the order in which they were cut.
    const truncation = will ? undefined : session.guard.takeTruncation(session.publishes++);
    if (!will) this.metrics.publishes.inc({ qos: packet.qos });
    const settle = will ? (answer: () => void) => answer() : session.order.place();
    const proceed = (target: Target): void => {
      const ended = (error?: Error | null): void => {
        const answer = (): void => {
          if (!will) session.settled++;
          this.#acknowledgements.flushOne(client.conn);
          done(error == null ? null : new EndedError('the message could not be taken', { cause: error }));
        };
        // What is refused while others wait for space must not wait with them.
        if (error != null && this.#uplinks.isHolding) answer();
        else settle(answer);
      };
      const route = (error?: Error | null): void => {
        if (error == null) this.#route(client, session, target, packet, { will, done: ended });
        else ended(error);
      };
      this.#throttled(session, will, () =>
        this.#take(client, session, target, packet, { will, truncation }, route),
      );
    };
    // Known topics and devices' own are decided at once, so that no message overtakes another on the way.
    const target = session.targets.get(packet.topic) ?? this.#target(session, packet.topic);
    if (target instanceof Promise)
      target.then(proceed, (error: unknown) => settle(() => done(error as Error)));
    else proceed(target);
  }

  /** Runs the step when the sender's rate allows it; Aedes reads nothing more from that client meanwhile. */
  #throttled({ rate, waiting }: Session, will: boolean, step: () => void): void {
    const now = this.#clock.now();
    const wait = will ? 0 : rate.take(now);
    if (wait === 0 && waiting.length === 0) {
      step();
      return;
    }
    this.metrics.throttled.inc();
    // One line for all: timers of their own could overtake each other, and a message that need not wait the waiting ones.
    waiting.push({ dueAt: now + wait, step });
    if (waiting.length === 1) this.#release(waiting);
  }

  #release(waiting: Session['waiting']): void {
    const [next] = waiting;
    if (next === undefined) return;
    setTimeout(() => {
      waiting.shift();
      next.step();
      this.#release(waiting);
    }, next.dueAt - this.#clock.now());
  }

  #take(
    client: Client,
    session: Session,
    target: Target,
    packet: PublishPacket,
    { will, truncation }: { readonly will: boolean; readonly truncation: Truncation | undefined },
    done: (error?: Error | null) => void,
  ): void {
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const payloadBytes = payload.length + (truncation === undefined ? 0 : truncation.bytes - KEPT_BYTES);
    if (target !== 'routed' && 'reason' in target) {
      this.#takeForeign(client, session, target, packet, { payload, payloadBytes, will }, done);
      return;
    }
    if (payloadBytes > this.#options.maxPayloadBytes) {
      // It must not reach a subscriber or a retained topic in this state: what is routed is an empty message.
      packet.payload = Buffer.alloc(0);
      packet.retain = false;
      this.#refuseOversize(session, target, packet.topic, payload, payloadBytes).then(() => done(null), done);
      return;
    }
    if (target === 'routed') {
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
      receivedAt: this.#clock.now(),
      qos: packet.qos,
      messageId: packet.qos === 0 ? undefined : packet.messageId,
      // Aedes leaves it out of a will.
      dup: !will && packet.dup,
      session: session.id,
      will,
    };
    // A QoS 2 message that is sent again before its PUBREL is in the journal already.
    const isKnown =
      packet.qos === 2 && !will && this.#persistence.inbound.has(client.id, data.messageId ?? 0);
    if (isKnown) done(null);
    else this.#uplinks.add(data, done, client);
  }

  /** A message on a topic that is not its sender's is acknowledged and delivered to nobody. */
  #takeForeign(
    client: Client,
    { principal }: Session,
    { reason, detail, unknownName, isLoud }: ForeignTopic,
    packet: PublishPacket,
    message: { readonly payload: Buffer; readonly payloadBytes: number; readonly will: boolean },
    done: (error?: Error | null) => void,
  ): void {
    const { payload, payloadBytes, will } = message;
    const { topic, retain } = packet;
    packet.topic = NOBODYS_TOPIC;
    packet.payload = Buffer.alloc(0);
    packet.retain = false;
    const isKnown =
      packet.qos === 2 && !will && this.#persistence.inbound.has(client.id, packet.messageId ?? 0);
    if (isKnown) {
      done(null);
      return;
    }
    const site = principal.kind === 'device' ? principal.site : undefined;
    this.#foreignTopics.add(
      { reason, detail, unknownName, sender: principal.id, site, topic, payload, payloadBytes, retain },
      (error) => {
        if (error != null || !isLoud) {
          done(error);
          return;
        }
        this.#setEndCause(client, 'expelled');
        done(new EndedError('not a topic of this client'));
      },
    );
  }

  /** Writes a message down for those who shall read it, before it is acknowledged. */
  #route(
    client: Client,
    session: Session,
    target: Target,
    packet: PublishPacket,
    { will, done }: { readonly will: boolean; readonly done: (error?: Error | null) => void },
  ): void {
    const connection = will ? packet : client;
    const routing = this.#routing;
    const isHeard = target === 'routed' || this.#audience?.isListening(packet.topic) !== false;
    if (routing === undefined || !(isHeard || routing.isNeeded(packet, connection))) {
      done(null);
      return;
    }
    const clientId = will ? undefined : client.id;
    const sender = { connection, clientId, owner: session.principal.id };
    routing.add(packet as StoredPacket, sender, (error) => {
      if (error instanceof TooManyInboundError) this.#limitExceeded(client, `inboundQos2: ${error.message}`);
      done(error);
    });
  }

  /** What writing to the topic means for this session. */
  #target(session: Session, name: string): Target | Promise<Target> {
    const { principal } = session;
    const target = publishTarget(principal, name, this.#options.mappings);
    if (target === undefined) return this.#foreign(principal, name);
    if (target === 'routed') {
      session.targets.set(name, target);
      return target;
    }
    const { site, device: id, kind } = target;
    if (principal.kind === 'device' && site !== undefined) {
      const own: PublishTarget = { site, device: id, kind };
      session.targets.set(name, own);
      return own;
    }
    // An account's filter may be wider than the registry.
    return this.#pantau.registry.device(id).then((device): Target | Promise<Target> => {
      if (device === undefined || (site ?? device.site) !== device.site)
        return this.#foreign(principal, name);
      const known: PublishTarget = { site: device.site, device: id, kind };
      session.targets.set(name, known);
      return known;
    });
  }

  async #foreign(principal: Principal, name: string): Promise<ForeignTopic> {
    const { mappings, deny = 'ignore' } = this.#options;
    const isRegistered = async (device: string): Promise<boolean> =>
      (await this.#pantau.registry.device(device)) !== undefined;
    const foreign = await foreignTopic(principal, name, mappings, isRegistered);
    return { ...foreign, isLoud: deny === 'disconnect' && foreign.reason === 'topic_not_allowed' };
  }

  #refuse(principal: Principal, reason: RejectionReason, detail: string, topic?: string): void {
    this.#refusals.add({
      reason,
      detail,
      device: principal.id,
      ...(principal.kind === 'device' ? { site: principal.site } : {}),
      ...(topic === undefined ? {} : { topic }),
    });
  }

  async #refuseOversize(
    { principal }: Session,
    target: PublishTarget | 'routed',
    topic: string,
    payload: Buffer,
    payloadBytes: number,
  ): Promise<void> {
    const about =
      target === 'routed' ? { device: principal.id } : { device: target.device, site: target.site };
    this.metrics.refusals.inc({ reason: 'payload_too_large' });
    const { maxPayloadBytes } = this.#options;
    const receivedAt = this.#clock.now();
    const data = oversizeRejection({ ...about, topic, payload, receivedAt, payloadBytes, maxPayloadBytes });
    await this.#pantau.journal.append('rejected', [{ key: about.device, data }], { yields: true });
  }

  #maySubscribe(client: Client, filter: string): boolean {
    const session = this.#sessions.get(client);
    if (session === undefined) return false;
    const { filters } = session;
    const { subscriptionsPerClient } = this.#options.limits;
    // Counted here: Aedes adds those of a kept session later, all of one SUBSCRIBE together.
    if (!filters.has(filter) && filters.size >= subscriptionsPerClient) {
      this.#refuse(session.principal, 'limit_exceeded', `subscriptionsPerClient: ${subscriptionsPerClient}`);
      return false;
    }
    if (!client.clean && !this.#persistence.mayKeepSession(client.id, session.principal.id)) {
      this.#refuse(session.principal, 'limit_exceeded', 'sessions: too many kept sessions');
      return false;
    }
    const isKept =
      client.clean || this.#persistence.subscriptions.fits(client.id, session.principal.id, filter);
    if (!isKept || !filters.fits(filter)) {
      this.#refuse(session.principal, 'limit_exceeded', 'subscriptionBytes: too many or too long filters');
      return false;
    }
    if (maySubscribe(session.principal, filter)) {
      filters.add(filter);
      return true;
    }
    this.#refuse(
      session.principal,
      'subscription_not_allowed',
      'a filter that it may not read',
      filter.slice(0, 200),
    );
    return false;
  }

  /** The second look, at delivery: rights may have changed since the subscription, and a command may have expired. */
  #mayForward(client: Client, packet: Pick<StoredPacket, 'topic' | 'qos' | 'messageId'>): boolean {
    const session = this.#sessions.get(client);
    if (session === undefined || !mayRead(session.principal, packet.topic)) return false;
    if (packet.qos === 0 || !packet.topic.includes('/cmd/') || !packet.topic.startsWith('pantau/'))
      return true;
    if (!this.#downlinks.isAlive(packet.topic)) return session.principal.kind === 'account';
    if (packet.messageId !== undefined) this.#downlinks.sending(client, packet.topic, packet.messageId);
    return true;
  }

  #connected(client: Client): void {
    const session = this.#sessions.get(client);
    if (session === undefined) return;
    this.metrics.connections.inc();
    (client as unknown as ClientInternals)._parser.on('packet', ({ cmd, messageId }) => {
      if (cmd === 'puback' && messageId !== undefined) this.#downlinks.acknowledged(client, messageId);
    });
    this.#presence(session, 'connected', 'connect');
    // Revoked between the check and now: the change may have been told before this connection was there to hear it.
    this.#pantau.credentials.access(session.principal.id).then(
      ({ revoked }) => {
        if (revoked) this.#expel(client, 'revoked');
      },
      (error: unknown) => this.#logger.error({ err: error }, 'an access could not be looked at again'),
    );
  }

  #subscribed(client: Client): void {
    const principal = this.#sessions.get(client)?.principal;
    if (principal?.kind !== 'device') return;
    if (principal.speaksFor.size > 0) this.#gateways.add(client);
    this.#listenFor(client, principal, spokenFor(principal));
  }

  /** Gives the commands of those devices to a connection that subscribes to them. */
  #listenFor(client: Client, principal: Principal, devices: readonly DeviceAndSite[]): void {
    for (const [device, site] of devices) {
      if (!listensForCommands(client, site, device)) continue;
      const known = this.#commandListeners.get(device);
      // Its own connection goes before a gateway's.
      if (known !== undefined && known !== client && principal.id !== device) continue;
      this.#commandListeners.set(device, client);
      this.#downlinks.listening(client, device);
    }
  }

  /** Commands that the connection does not listen for any more go to a gateway that does. */
  #handCommandsOver(client: Client): void {
    const principal = this.#sessions.get(client)?.principal;
    if (principal === undefined) return;
    const free = spokenFor(principal).filter(
      ([device, site]) =>
        this.#commandListeners.get(device) === client &&
        (client.closed || !listensForCommands(client, site, device)),
    );
    for (const [device] of free) this.#commandListeners.delete(device);
    if (free.length === 0 || this.#stopping) return;
    for (const gateway of this.#gateways) {
      const other = this.#sessions.get(gateway)?.principal;
      if (gateway === client || other?.kind !== 'device') continue;
      const own = free.filter(([device]) => device === other.id || other.speaksFor.has(device));
      this.#listenFor(gateway, other, own);
    }
  }

  #disconnected(client: Client): void {
    const session = this.#sessions.get(client);
    if (session === undefined) return;
    this.#uplinks.release(client);
    session.targets.close();
    session.routes.close();
    session.filters.end();
    this.metrics.connections.dec();
    this.#gateways.delete(client);
    this.#handCommandsOver(client);
    const clean = (client as unknown as ClientInternals)._disconnected === true;
    const cause = this.#stopping ? 'shutdown' : clean ? 'clean' : session.endCause;
    this.metrics.disconnects.inc({ cause });
    if (!client.clean && !this.#stopping)
      this.#persistence.left(client).catch((error: unknown) => {
        this.#logger.error({ err: error }, 'a session could not be noted');
      });
    this.#presence(session, 'disconnected', cause);
  }

  #clientError(client: Client, error: Error): void {
    const session = this.#sessions.get(client);
    const origin = session?.origin ?? this.#arrivals.get(client)?.origin;
    const detail = `${error.message} (from ${origin?.address ?? '?'})`;
    this.#logger.debug({ device: session?.principal.id, detail }, 'connection error');
    // Lost connections, and what Pantau or Aedes refused with a code, are told elsewhere.
    const {
      code = '',
      errorCode,
      returnCode,
    } = error as {
      readonly code?: unknown;
      readonly errorCode?: unknown;
      readonly returnCode?: unknown;
    };
    const isSaid = (code !== '' && !String(code).startsWith('WS_ERR_')) || errorCode !== undefined;
    if (isSaid || returnCode !== undefined || EXPECTED_ENDS.includes(error.message)) return;
    const limit = AEDES_LIMITS.find(([pattern]) => pattern.test(error.message))?.[1];
    if (session !== undefined) this.#setEndCause(client, 'expelled');
    this.#refusals.add({
      reason: limit === undefined ? 'malformed' : 'limit_exceeded',
      detail: limit === undefined ? detail : `${limit} (from ${origin?.address ?? '?'})`,
      ...(session === undefined ? {} : { device: session.principal.id }),
    });
  }

  #limitExceeded(client: Client, detail: string): void {
    const session = this.#sessions.get(client);
    if (session === undefined) this.#refusals.add({ reason: 'limit_exceeded', detail });
    else this.#refuse(session.principal, 'limit_exceeded', detail);
    this.#expel(client, 'limit');
  }

  #expel(client: Client, why: string): void {
    this.#setEndCause(client, 'expelled');
    const session = this.#sessions.get(client);
    if (session !== undefined && why === 'revoked') session.isRevoked = true;
    (client.conn as Duplex).destroy();
    // A limit is told as a refusal; told here as well, a flood would fill the log.
    const level = why === 'limit' ? 'debug' : 'info';
    this.#logger[level]({ device: this.#sessions.get(client)?.principal.id, why }, 'disconnected by Pantau');
  }

  /** Somebody's access changed, perhaps in another process: connections that rest on the old one end. */
  async #identityChanged({ id, change }: IdentityChange): Promise<void> {
    const { clients } = this.#aedes as unknown as AedesInternals;
    for (const client of Object.values(clients)) {
      if (this.#sessions.get(client)?.principal.id === id) this.#expel(client, change);
    }
  }

  async #retain(topic: string, payload: Buffer): Promise<void> {
    const [known] = await this.#persistence.retained.read([topic]);
    // Read from the journal again after a restart.
    if ((known?.payload ?? Buffer.alloc(0)).equals(payload)) return;
    await this.#routing?.publish({ cmd: 'publish', topic, payload, qos: 1, retain: true, dup: false });
  }

  #clientOf(id: string): Client | undefined {
    return (this.#aedes as unknown as AedesInternals | undefined)?.clients[id];
  }

  #deliveryOf(id: string): Delivery | undefined {
    const client = this.#clientOf(id);
    return client === undefined ? undefined : this.#arrivals.get(client)?.delivery;
  }

  async #sweepSessions(): Promise<void> {
    this.#takeovers.sweep();
    const { clients } = this.#aedes as unknown as AedesInternals;
    const before = this.#clock.now() - this.#options.limits.sessionExpiryMs;
    try {
      const forgotten = await this.#persistence.forgetSessions(before, (client) =>
        Object.hasOwn(clients, client),
      );
      if (forgotten > 0)
        this.#logger.info({ forgotten }, 'sessions that were away for too long are forgotten');
    } catch (error) {
      this.#logger.error({ err: error }, 'old sessions could not be forgotten');
    }
  }

  #setEndCause(client: Client, cause: PresenceCause): void {
    const session = this.#sessions.get(client);
    if (session !== undefined && session.endCause === 'lost') session.endCause = cause;
  }

  #presence(
    { id, principal, silenceMs }: Session,
    state: PresenceSignal['state'],
    cause: PresenceCause,
  ): void {
    if (principal.kind !== 'device') return;
    const now = this.#clock.now();
    const data: PresenceSignal = {
      type: 'presence',
      site: principal.site,
      device: principal.id,
      ts: now,
      receivedAt: now,
      session: id,
      state,
      cause,
      silenceMs,
      run: this.#liveness.run,
    };
    this.#pantau.journal.append('signals', [{ key: principal.id, data }]).catch((error: unknown) => {
      this.#logger.error({ device: principal.id, err: error }, 'presence could not be recorded');
    });
  }
}

/** The devices whose commands a client may listen for, with their sites: few, however many others are connected. */
function spokenFor(principal: Principal): DeviceAndSite[] {
  if (principal.kind !== 'device') return [];
  return [[principal.id, principal.site], ...principal.speaksFor];
}

function listensForCommands(client: Client, site: string, device: string): boolean {
  const topic = formatCommandTopic(site, device, '-');
  return Object.keys((client as unknown as ClientInternals).subscriptions).some((filter) =>
    filterMatches(filter, topic),
  );
}

function isTopicName(topic: string): boolean {
  return topic !== '' && !/[+#\0]/.test(topic);
}

function refuse(returnCode: number, message: string): AuthenticateError {
  // The declared type of returnCode is a const enum, which isolated modules cannot import; it is a number.
  const error: Error = Object.assign(new Error(message), { returnCode });
  return error as AuthenticateError;
}
