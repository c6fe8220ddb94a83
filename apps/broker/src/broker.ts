import { MAPPINGS, type Device } from '#libs/identity';
import { follow, lagOf } from '#libs/journal';
import { HOUR, type Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { Audience } from './delivery/audience.js';
import { CommandListeners } from './delivery/command-listeners.js';
import type { DeliveryOptions } from './delivery/delivery.js';
import { Downlinks } from './delivery/downlinks.js';
import { ReadRights } from './delivery/read-rights.js';
import { RoutedPersistence, Routing } from './delivery/routing.js';
import { grantedQos } from './delivery/granted-qos.js';
import { forgetOldSessions } from './delivery/persistence/session-expiry.js';
import { setAsideIn } from './delivery/set-aside.js';
import { Admission } from './door/admission.js';
import { Listeners, type ListenerKind } from './door/listeners.js';
import { ProgressWatch } from './door/progress-watch.js';
import { Acknowledgements } from './intake/acknowledgements.js';
import { DirectWay } from './intake/direct-way.js';
import { ForeignTopics } from './intake/foreign-topics.js';
import { Publishing } from './intake/publishing.js';
import { SpaceLook } from './intake/space-look.js';
import { UplinkBatcher } from './intake/uplink-batcher.js';
import type { BrokerDependencies, BrokerOptions } from './broker-options.js';
import { BrokerMetrics } from './metrics.js';
import { internalsOf } from './session/aedes-client.js';
import { Authenticator } from './session/authenticator.js';
import { Connections } from './session/connections.js';
import { Expulsions, MAX_INFLIGHT_QOS2 } from './session/expulsions.js';
import { Handshake } from './session/handshake.js';
import { LivenessRecorder } from './session/liveness-recorder.js';
import { PresenceRecorder } from './session/presence.js';
import { Quota } from './quota.js';
import { Refusals } from './refusals.js';
import { ClientSessions } from './session/sessions.js';
import { Takeovers } from './session/takeovers.js';
import { Targets } from './session/targets.js';
import { SysTopics } from './sys-topics.js';

/** Longer than any connection waits: the listeners keep the time. */
const NEVER: Millis = 2 ** 31 - 1;
const STAGE_OF_UPLINK = 'ingest';

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
  readonly #logger: Logger;
  readonly #sessions = new ClientSessions();
  readonly #refusals: Refusals;
  readonly #uplinks: UplinkBatcher;
  readonly #liveness: LivenessRecorder;
  readonly #handshake: Handshake;
  readonly #targets: Targets;
  readonly #expulsions: Expulsions;
  readonly #takeovers: Takeovers;
  readonly #foreignTopics: ForeignTopics;
  readonly #persistence: RoutedPersistence;
  readonly #listeners: Listeners;
  readonly #downlinks: Downlinks;
  readonly #passOver: ReturnType<typeof setAsideIn>;
  readonly #commandListeners: CommandListeners;
  readonly #rights: ReadRights;
  readonly #direct: DirectWay;
  readonly #connections: Connections;
  readonly #stop = new AbortController();
  readonly #acknowledgements = new Acknowledgements((_connection, count) =>
    this.metrics.publishes.inc({ qos: 1 }, count),
  );
  #aedes: Aedes | undefined;
  #audience: Audience | undefined;
  #routing: Routing | undefined;
  #sys: SysTopics | undefined;
  #hourly: NodeJS.Timeout | undefined;

  constructor(options: BrokerOptions, dependencies: BrokerDependencies) {
    const { journal, state, clock, logger } = dependencies;
    const { limits, maxPayloadBytes } = options;
    this.#pantau = dependencies;
    this.#options = options;
    this.#logger = logger;
    this.#refusals = new Refusals(
      journal,
      clock,
      logger,
      (reason) => this.metrics.refusals.inc({ reason }),
      limits.refusalEntries,
      options.refusalsEveryMs,
    );
    this.#expulsions = new Expulsions(this.#sessions, this.#refusals, logger);
    this.#targets = new Targets(dependencies.registry, options.mappings, options.deny ?? 'ignore', () =>
      this.#connections.mappingsChanged(),
    );
    this.#uplinks = new UplinkBatcher(journal, logger, {
      onAppended: (seconds) => this.metrics.appendSeconds.observe(seconds),
      onDirect: (sender, messageIds, error, bytes) =>
        this.#direct.settled(sender as Client, messageIds, error, bytes),
      onSettled: () => this.#acknowledgements.flush(),
      ownerOf: (client) => this.#sessions.ownerOf(client),
      // Aedes may read a client's PINGREQ only after the messages before it: held for longer than its keep-alive, the
      // client would be thrown out, or leave, because nobody answers.
      onHeld: (client) => internalsOf(client as Client)._nextBatch(),
    });
    this.metrics.watch(journal);
    const hasListeners = Object.keys(options.ports).length > 0;
    this.#liveness = new LivenessRecorder(journal, clock, options.livenessBeatMs, logger, {
      component: 'broker',
      // What a device says while the journal is full is not written down: its silence then is unknown time.
      isListening: () => hasListeners && !this.isHolding,
      othersListen: dependencies.othersListen ?? (() => true),
    });
    const presence = new PresenceRecorder(journal, clock, logger, this.#liveness.run);
    const admission = new Admission(limits, clock);
    this.#takeovers = new Takeovers(limits.takeovers, clock);
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
      isConnected: (id) => this.#connections.clientOf(id) !== undefined,
      mayKeep: (client, filter) => this.#sessions.of(client as Client)?.filters.has(filter) === true,
      ownerOf: (client) => this.#sessions.ownerOf(client),
      onDropped: () => this.metrics.droppedQueued.inc(),
      onQueued: (id) => this.#connections.deliveryOf(id)?.pump(),
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
    this.#handshake = new Handshake(limits, {
      sessions: this.#sessions,
      authenticator: new Authenticator(dependencies, limits.authFailuresPerAddress),
      takeovers: this.#takeovers,
      targets: this.#targets,
      persistence: this.#persistence,
      refusals: this.#refusals,
      metrics: this.metrics,
      clock,
      logger,
      clientOf: (id) => this.#connections.clientOf(id),
      isStopping: () => this.#stopping,
    });
    const deliveries: DeliveryOptions = {
      persistence: this.#persistence,
      maxInFlight: limits.inflightMessagesPerClient,
      maxWaitingBytes: limits.queuedBytesPerClient,
      waitingBytes: new Quota(limits.bounds.waitingBytes),
      stalledAfterMs: limits.stalledAfterMs,
      ownerOf: (client) => this.#sessions.ownerOf(client) ?? '',
      mayForward: (client, packet) => this.#rights.mayForward(client, packet),
      onDropped: () => this.metrics.droppedQueued.inc(),
      onStalled: (client, detail) => this.#expulsions.limitExceeded(client, `stalledAfter: ${detail}`),
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
      admission,
      {
        handle: (stream, origin, request) => this.#connections.handle(stream, origin, request),
        refused: (reason, detail, address) =>
          this.#refusals.add({ reason, detail: `${detail} (${address})` }),
      },
      logger,
    );
    this.#downlinks = new Downlinks(
      journal,
      {
        listener: (device) => this.#commandListeners.of(device),
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
    this.#commandListeners = new CommandListeners(this.#sessions, (client, device) =>
      this.#downlinks.listening(client, device),
    );
    this.#rights = new ReadRights(limits.subscriptionsPerClient, {
      sessions: this.#sessions,
      persistence: this.#persistence,
      expulsions: this.#expulsions,
      downlinks: this.#downlinks,
    });
    this.#direct = new DirectWay(
      { shards: journal.shards, maxPayloadBytes },
      {
        sessions: this.#sessions,
        uplinks: this.#uplinks,
        acknowledgements: this.#acknowledgements,
        clock,
        audience: () => this.#audience,
      },
    );
    this.#connections = new Connections(
      { maxPayloadBytes, maxKeepAliveMs: limits.maxKeepAliveMs },
      {
        sessions: this.#sessions,
        admission,
        packets: new ProgressWatch(limits.stalledAfterMs),
        inProgress: new Quota(limits.bounds.inProgressBytes),
        direct: this.#direct,
        uplinks: this.#uplinks,
        deliveries,
        persistence: this.#persistence,
        downlinks: this.#downlinks,
        commandListeners: this.#commandListeners,
        expulsions: this.#expulsions,
        presence,
        credentials: dependencies.credentials,
        metrics: this.metrics,
        logger,
        isStopping: () => this.#stopping,
      },
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
      preConnect: (client, packet, done) => this.#handshake.preConnect(client, packet, done),
      authenticate: (client, username, password, done) => {
        this.#handshake.authenticate(client, username, password).then(
          () => done(null, true),
          (error: unknown) => done(error as AuthenticateError, false),
        );
      },
      authorizePublish: (client, packet, done) => publishing.authorize(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        // A denied subscription is answered with 0x80.
        done(null, this.#rights.maySubscribe(client, subscription.topic) ? subscription : null);
      },
    });
    const { state, journal, clock } = this.#pantau;
    const audience = new Audience(aedes, this.#persistence);
    const routing = new Routing(aedes, state, this.#persistence, new SpaceLook(journal));
    const publishing = new Publishing(this.#options.maxPayloadBytes, {
      sessions: this.#sessions,
      targets: this.#targets,
      uplinks: this.#uplinks,
      foreignTopics: this.#foreignTopics,
      acknowledgements: this.#acknowledgements,
      persistence: this.#persistence,
      expulsions: this.#expulsions,
      journal,
      metrics: this.metrics,
      clock,
      routing,
      audience,
      isStopping: () => this.#stopping,
    });
    this.#aedes = aedes;
    this.#audience = audience;
    this.#routing = routing;
    this.#connections.start(aedes);

    // Before anybody can listen: a command that is over would be sent again, one in a kept session not at all.
    await this.#downlinks.start();
    await this.#foreignTopics.start();
    await this.#targets.refresh();
    try {
      await this.#listeners.open();
    } catch (error) {
      this.#stop.abort();
      this.#downlinks.stop();
      aedes.close();
      throw error;
    }
    await this.#liveness.start();
    void follow(journal, {
      stream: 'identity',
      handle: async ({ data }) => this.#connections.identityChanged(data),
      ...this.#followingChanges('identity'),
    });
    void follow(journal, {
      stream: 'settings',
      handle: async ({ data: { name, value } }) => {
        if (name === MAPPINGS) await this.#targets.refresh();
        if (name.startsWith('device/')) await this.#connections.registrationChanged(value as Device);
      },
      ...this.#followingChanges('settings'),
    });
    this.#sys = new SysTopics(aedes, this.metrics);
    this.#sys.start();
    this.#hourly = setInterval(() => this.#forget(), this.#options.forgetsEveryMs ?? HOUR);
  }

  /** Whether what devices say waits for space, unacknowledged. */
  get isHolding(): boolean {
    return this.#uplinks.isHolding;
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
    return this.metrics.text();
  }

  /** Uplinks that are durable and not decoded yet. */
  async backlog(): Promise<number> {
    return lagOf(this.#pantau.journal, STAGE_OF_UPLINK, 'uplink');
  }

  /** Stops taking messages and returns when everything acknowledged is durable. */
  async stop(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    clearInterval(this.#hourly);
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

  #followingChanges(what: string) {
    return {
      ...{ from: 'end' as const, signal: this.#stop.signal, setAside: this.#passOver },
      onError: (error: unknown) => this.#logger.error({ err: error }, `changes of ${what} wait`),
    };
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #retain(topic: string, payload: Buffer): Promise<void> {
    const [known] = await this.#persistence.retained.read([topic]);
    // Read from the journal again after a restart.
    if ((known?.payload ?? Buffer.alloc(0)).equals(payload)) return;
    await this.#routing?.publish({ cmd: 'publish', topic, payload, qos: 1, retain: true, dup: false });
  }

  #forget(): void {
    this.#takeovers.sweep();
    const before = this.#pantau.clock.now() - this.#options.limits.sessionExpiryMs;
    const isConnected = (client: string): boolean => this.#connections.clientOf(client) !== undefined;
    void forgetOldSessions(this.#persistence, before, isConnected, this.#logger);
  }
}
