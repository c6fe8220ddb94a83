import type { DeviceCredentials, Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import { PantauError, type Clock, type Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import {
  ID_PATTERN,
  parseTopic,
  type DeviceTopic,
  type PresenceCause,
  type PresenceSignal,
  type Rejection,
  type Uplink,
} from '#libs/telemetry';
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { LivenessRecorder } from './liveness-recorder.js';
import { Refusals } from './refusals.js';
import { UplinkBatcher } from './uplink-batcher.js';

export interface BrokerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly maxPayloadBytes: number;
  readonly livenessBeatMs: Millis;
}

export interface BrokerDependencies {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly credentials: DeviceCredentials;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One connection of a device. */
interface Session {
  readonly id: string;
  readonly device: string;
  readonly site: string;
  /** Topics it wrote to, read once. */
  readonly topics: Map<string, DeviceTopic>;
  endCause: PresenceCause;
}

/** How much of a payload that is too large is kept. */
const KEPT_OF_OVERSIZE = 4_096;

/** MQTT 3.1.1 CONNACK return codes. */
const IDENTIFIER_REJECTED = 2;
const BAD_USER_NAME_OR_PASSWORD = 4;

/** The parts of Aedes that its type declarations leave out. */
interface AedesInternals {
  readonly persistence: { incomingGetPacket(client: Client, packet: PublishPacket): Promise<unknown> };
  /** Connected clients by id. */
  readonly clients: Readonly<Record<string, Client | undefined>>;
}
interface ClientInternals {
  /** Set when a DISCONNECT packet was read: the client left in order. */
  readonly _disconnected?: boolean;
  readonly will: PublishPacket | null;
}

/**
 * The MQTT broker: Aedes with identity, topic rule and durability.
 *
 * Aedes sends PUBACK when `authorizePublish` calls back, so that is where a message goes into the journal: what a
 * device sees acknowledged is on disk. Only identity and topic are refused here, by closing the connection. Content
 * is never refused: a client sends a refused QoS 1 message again for ever.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #journal: Journal;
  readonly #registry: Registry;
  readonly #credentials: DeviceCredentials;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #refusals: Refusals;
  readonly #uplinks: UplinkBatcher;
  readonly #liveness: LivenessRecorder;
  readonly #sessions = new WeakMap<Client, Session>();
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  #stopping = false;

  constructor(options: BrokerOptions, { journal, registry, credentials, clock, logger }: BrokerDependencies) {
    this.#options = options;
    this.#journal = journal;
    this.#registry = registry;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#logger = logger;
    this.#refusals = new Refusals(journal, clock, logger);
    this.#uplinks = new UplinkBatcher(journal);
    this.#liveness = new LivenessRecorder(journal, clock, options.livenessBeatMs, logger);
  }

  /** @throws PantauError `PORT_IN_USE` */
  async start(): Promise<void> {
    const aedes = await Aedes.createBroker({
      preConnect: (_client, packet, done) => {
        // [MQTT-3.1.3-8] Without an id there is no session to keep. Aedes would invent one.
        const lost = packet.clientId === '' && !packet.clean;
        done(lost ? refuse(IDENTIFIER_REJECTED, 'empty client id with clean session off') : null, !lost);
      },
      authenticate: (client, username, password, done) => {
        this.#authenticate(client, username, password).then(
          () => done(null, true),
          (error: unknown) => done(error as AuthenticateError, false),
        );
      },
      authorizePublish: (client, packet, done) => this.#authorizePublish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        const session = this.#sessions.get(client);
        const own =
          session !== undefined &&
          subscription.topic.startsWith(`pantau/v1/${session.site}/${session.device}/`);
        // A denied subscription is answered with 0x80.
        done(null, own ? subscription : null);
      },
    });
    aedes.on('client', (client) => this.#connected(client));
    aedes.on('keepaliveTimeout', (client) => this.#setEndCause(client, 'keepalive'));
    aedes.on('clientDisconnect', (client) => this.#disconnected(client));
    this.#aedes = aedes;

    // The socket may be half closed by a client that still waits for its PUBACKs.
    const server = createServer({ allowHalfOpen: false, noDelay: true }, (socket) => aedes.handle(socket));
    this.#server = server;
    server.listen(this.#options.port, this.#options.host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      aedes.close();
      throw listenError(cause, this.#options);
    }
    await this.#liveness.start();
    this.#logger.info({ host: this.#options.host, port: this.port }, 'MQTT broker listens');
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#server?.address() as AddressInfo).port;
  }

  /** Stops taking messages and returns when everything acknowledged is durable. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const server = this.#server;
    const closed = server === undefined ? Promise.resolve() : new Promise((resolve) => server.close(resolve));
    const aedes = this.#aedes;
    if (aedes !== undefined) await new Promise<void>((done) => aedes.close(done));
    await closed;
    await this.#refusals.flush();
    await this.#liveness
      .stop()
      .catch((error: unknown) => this.#logger.error({ error }, 'the stop could not be recorded'));
  }

  async #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<void> {
    const device = username ?? '';
    const registered = ID_PATTERN.test(device) ? await this.#registry.device(device) : undefined;
    if (registered === undefined) {
      // What an unknown client calls itself is shown, but shortened: it may be anything.
      this.#refusals.add({
        reason: 'unknown_device',
        detail: `no device "${device.slice(0, 63)}" is registered`,
      });
      throw refuse(BAD_USER_NAME_OR_PASSWORD, 'bad user name or password');
    }
    if (client.id !== device) {
      const detail = `client id "${client.id.slice(0, 63)}" is not the device id`;
      this.#refusals.add({ reason: 'bad_credentials', detail, device, site: registered.site });
      throw refuse(IDENTIFIER_REJECTED, detail);
    }
    if (password === undefined || !(await this.#credentials.verify(device, password.toString()))) {
      this.#refusals.add({
        reason: 'bad_credentials',
        detail: 'wrong password',
        device,
        site: registered.site,
      });
      throw refuse(BAD_USER_NAME_OR_PASSWORD, 'bad user name or password');
    }
    // An older connection of the same device is closed by Aedes next; remember why.
    const older = (this.#aedes as unknown as AedesInternals).clients[device];
    if (older !== undefined) this.#setEndCause(older, 'takeover');
    this.#sessions.set(client, {
      id: randomUUID(),
      device,
      site: registered.site,
      topics: new Map(),
      endCause: 'lost',
    });
  }

  #authorizePublish(
    client: Client | null,
    packet: PublishPacket,
    done: (error?: Error | null) => void,
  ): void {
    const session = client === null ? undefined : this.#sessions.get(client);
    if (client === null || session === undefined) {
      done(new Error('no session'));
      return;
    }
    const will = packet === (client as unknown as ClientInternals).will;
    // When Pantau itself stops, it closes every connection; their wills would tell of deaths that did not happen.
    if (will && this.#stopping) {
      done(new Error('stopping'));
      return;
    }
    const topic = session.topics.get(packet.topic) ?? this.#ownTopic(session, packet.topic);
    if (topic === undefined) {
      done(new Error('not a topic of this device'));
      return;
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    if (payload.length > this.#options.maxPayloadBytes) {
      this.#setAside(topic, packet.topic, payload).then(() => done(null), done);
      return;
    }
    const { site, device, kind } = topic;
    const data: Uplink = {
      site,
      device,
      kind,
      topic: packet.topic,
      payload,
      receivedAt: this.#clock.now(),
      qos: packet.qos,
      messageId: packet.qos === 0 ? undefined : packet.messageId,
      dup: packet.dup,
      session: session.id,
      will,
    };
    if (packet.qos !== 2 || will) {
      this.#uplinks.add(data, done);
      return;
    }
    // A QoS 2 message that is sent again before its PUBREL is in the journal already.
    void this.#isKnown(client, packet).then((known) => {
      if (known) done(null);
      else this.#uplinks.add(data, done);
    });
  }

  /** The topic, when it is one that this device may write to; a refusal is recorded otherwise. */
  #ownTopic(session: Session, name: string): DeviceTopic | undefined {
    const topic = parseTopic(name);
    if (topic?.device === session.device && topic.site === session.site) {
      session.topics.set(name, topic);
      return topic;
    }
    const { device, site } = session;
    const detail = `a device writes below its own topic pantau/v1/${site}/${device}/`;
    this.#refusals.add({ reason: 'topic_not_allowed', detail, device, site, topic: name.slice(0, 200) });
    return undefined;
  }

  async #setAside({ site, device }: DeviceTopic, topic: string, payload: Buffer): Promise<void> {
    const data: Rejection = {
      reason: 'payload_too_large',
      detail: `payload of ${payload.length} bytes; at most ${this.#options.maxPayloadBytes}; the first ${KEPT_OF_OVERSIZE} are kept`,
      receivedAt: this.#clock.now(),
      site,
      device,
      topic,
      payload: payload.subarray(0, KEPT_OF_OVERSIZE),
      payloadBytes: payload.length,
      count: 1,
    };
    await this.#journal.append('rejected', [{ key: device, data }]);
  }

  async #isKnown(client: Client, packet: PublishPacket): Promise<boolean> {
    const { persistence } = this.#aedes as unknown as AedesInternals;
    return persistence.incomingGetPacket(client, packet).then(
      () => true,
      () => false,
    );
  }

  #connected(client: Client): void {
    this.#presence(client, 'connected', 'connect');
  }

  #disconnected(client: Client): void {
    const session = this.#sessions.get(client);
    if (session === undefined) return;
    const clean = (client as unknown as ClientInternals)._disconnected === true;
    this.#presence(client, 'disconnected', this.#stopping ? 'shutdown' : clean ? 'clean' : session.endCause);
  }

  #setEndCause(client: Client, cause: PresenceCause): void {
    const session = this.#sessions.get(client);
    if (session !== undefined) session.endCause = cause;
  }

  #presence(client: Client, state: PresenceSignal['state'], cause: PresenceCause): void {
    const session = this.#sessions.get(client);
    if (session === undefined) return;
    const now = this.#clock.now();
    const { id, device, site } = session;
    const data: PresenceSignal = {
      type: 'presence',
      site,
      device,
      ts: now,
      receivedAt: now,
      session: id,
      state,
      cause,
    };
    this.#journal.append('signals', [{ key: device, data }]).catch((error: unknown) => {
      this.#logger.error({ device, error }, 'presence could not be recorded');
    });
  }
}

function refuse(returnCode: number, message: string): AuthenticateError {
  // The declared type of returnCode is a const enum, which isolated modules cannot import; it is a number.
  const error: Error = Object.assign(new Error(message), { returnCode });
  return error as AuthenticateError;
}

function listenError(cause: unknown, { host, port }: BrokerOptions): PantauError {
  const busy = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  return new PantauError(
    'PORT_IN_USE',
    busy ? `MQTT port ${port} on ${host} is in use.` : `cannot listen on MQTT port ${port} of ${host}.`,
    {
      remedy:
        'End the program that uses it, or choose another port: mqtt.port in pantau.yaml or PANTAU_MQTT_PORT.',
      cause,
    },
  );
}
