import { MappingsInForce, type Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import { PantauError, type Clock, type Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import {
  parseTopic,
  type Rejection,
  type RejectionReason,
  type TopicMappings,
  type Uplink,
} from '#libs/telemetry';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import type { PublishTarget } from '../session/access.js';
import { LivenessRecorder } from '../session/liveness-recorder.js';
import { oversizeRejection } from '../intake/oversize.js';
import { UplinkBatcher } from '../intake/uplink-batcher.js';

export interface BridgeOptions {
  /** Of an MQTT 5 broker: `mqtt://host:port`, `mqtts://host:port`. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Names this replica to the broker, which keeps what it did not acknowledge under this name. */
  readonly clientId: string;
  /** Each acknowledges one message at a time, in order; together they share one fsync. */
  readonly connections: number;
  readonly filter: string;
  /** Replicas of one group share the messages. */
  readonly group: string;
  /** User property that names the device; without one the topic alone names it. */
  readonly deviceProperty: string | undefined;
  readonly maxPayloadBytes: number;
  readonly livenessBeatMs: Millis;
  /** Topics of other makers' devices. */
  readonly mappings: TopicMappings;
}

export interface BridgeDependencies {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether devices can be heard by every other way in as well; false where the listeners are in another process. */
  othersListen(): boolean | Promise<boolean>;
}

/** MQTT 5 session expiry: never. What a replica did not acknowledge waits for it, however long it is away. */
const SESSION_NEVER_EXPIRES = 0xff_ff_ff_ff;
const RECONNECT_MS = 1_000;
const FULL_RETRY_MS = 1_000;
/** Inbound messages that the broker may send ahead on one connection. */
const RECEIVE_MAXIMUM = 1_000;

/**
 * The other way in, for MQTT 5 devices and for clusters: reads an external broker through a shared subscription and
 * holds each PUBACK until the message is durable. Several replicas may run, each with a client id of its own.
 *
 * MQTT.js acknowledges when the callback of `handleMessage` is called. An error there is no refusal, so when the journal
 * fails the connection is dropped instead: the broker sends the message again on the next one.
 *
 * While the journal is full the callbacks wait, one message for each connection; the other broker keeps the rest.
 * MQTT.js handles nothing behind a message that waits, PINGRESP neither, so it makes a new connection every one and a
 * half keep-alives (90 s). The message that waited is then let go here, because it comes again there.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #pantau: BridgeDependencies;
  readonly #uplinks: UplinkBatcher;
  readonly #liveness: LivenessRecorder;
  readonly #mappings: MappingsInForce;
  #clients: MqttClient[] = [];
  #received = 0;
  readonly #subscribed = new Set<MqttClient>();
  readonly #stop = new AbortController();

  constructor(options: BridgeOptions, dependencies: BridgeDependencies) {
    const { journal, clock, logger } = dependencies;
    this.#options = options;
    this.#pantau = dependencies;
    this.#uplinks = new UplinkBatcher(journal, logger);
    this.#mappings = new MappingsInForce(dependencies.registry, options.mappings);
    this.#liveness = new LivenessRecorder(journal, clock, options.livenessBeatMs, logger, {
      component: 'bridge',
      // While the other broker is out of reach nobody listens to its devices: their silence is unknown time.
      // And what they say while the journal is full is not written down.
      isListening: () => this.isListening,
      othersListen: () => dependencies.othersListen(),
    });
  }

  /** Messages that were taken and acknowledged by this replica. */
  get received(): number {
    return this.#received;
  }

  /** Whether every connection has its subscription. */
  get isSubscribed(): boolean {
    return this.#clients.every((client) => client.connected && this.#subscribed.has(client));
  }

  /** Whether what the devices of the other broker say is heard and written down. */
  get isListening(): boolean {
    return this.isConnected && !this.#uplinks.isHolding;
  }

  get isConnected(): boolean {
    return this.#clients.some(({ connected }) => connected);
  }

  /** Begins to connect; an external broker that is away is waited for. */
  async start(): Promise<void> {
    const { connections } = this.#options;
    await this.#liveness.start();
    this.#clients = Array.from({ length: connections }, (_, i) => this.#connect(i));
  }

  /** Takes nothing more and returns when everything acknowledged is durable. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#liveness.stop();
    this.#uplinks.stop();
    const clients = this.#clients;
    this.#clients = [];
    // MQTT.js begins to reconnect when a connection that was being made closes only after its end.
    for (const client of clients) client.options.reconnectPeriod = 0;
    await Promise.all(clients.map((client) => client.endAsync()));
  }

  #connect(index: number): MqttClient {
    const { url, username, password, clientId, filter, group } = this.#options;
    const { logger } = this.#pantau;
    const client = mqtt.connect(url, {
      protocolVersion: 5,
      clientId: `${clientId}-${index}`,
      clean: false,
      properties: { sessionExpiryInterval: SESSION_NEVER_EXPIRES, receiveMaximum: RECEIVE_MAXIMUM },
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      manualConnect: true,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    client.handleMessage = (packet, done) => {
      this.#take(packet, client).then(
        () => {
          this.#received++;
          done();
        },
        (error: unknown) => {
          logger.error({ err: error }, 'a bridged message could not be made durable; it will come again');
          client.stream.destroy();
        },
      );
    };
    client.on('close', () => this.#uplinks.release(client));
    client.on('error', (error) => logger.warn({ err: error, url }, 'the bridged broker cannot be reached'));
    client.on('connect', () => {
      client.subscribe(`$share/${group}/${filter}`, { qos: 1 }, (error, granted) => {
        if (error === null && granted?.every(({ qos }) => qos < 128) === true) this.#subscribed.add(client);
        else logger.error({ err: error, filter }, 'the bridged broker refuses the subscription');
      });
      if (index === 0) logger.info({ url, group, filter }, 'bridge connected');
    });
    client.connect();
    return client;
  }

  /** Resolves once the message, or its refusal, is on disk. */
  async #take(packet: IPublishPacket, client: MqttClient): Promise<void> {
    const session = client.options.clientId ?? '';
    const { topic, qos, dup } = packet;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const receivedAt = this.#pantau.clock.now();
    const target = await this.#target(packet);
    if ('reason' in target) {
      const { reason, detail, device } = target;
      await this.#setAside({
        reason,
        detail,
        receivedAt,
        ...(device === undefined ? {} : { device }),
        topic,
        payload,
        payloadBytes: payload.length,
        count: 1,
      });
      return;
    }
    const { site, device, kind } = target;
    if (payload.length > this.#options.maxPayloadBytes) {
      const { maxPayloadBytes } = this.#options;
      await this.#setAside(
        oversizeRejection({
          site,
          device,
          topic,
          payload,
          receivedAt,
          payloadBytes: payload.length,
          maxPayloadBytes,
        }),
      );
      return;
    }
    const data: Uplink = {
      site,
      device,
      kind,
      topic,
      payload,
      receivedAt,
      qos,
      messageId: packet.messageId,
      dup,
      session,
      will: false,
    };
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null): void => {
        if (error instanceof Error) reject(error);
        else resolve();
      };
      this.#uplinks.add(data, settle, client);
    });
  }

  async #target(
    packet: IPublishPacket,
  ): Promise<
    PublishTarget | { readonly reason: RejectionReason; readonly detail: string; readonly device?: string }
  > {
    const { deviceProperty } = this.#options;
    const topic = parseTopic(packet.topic);
    if (topic === undefined) await this.#mappings.refresh();
    const mapped = topic === undefined ? this.#mappings.current.match(packet.topic) : undefined;
    if (topic === undefined && mapped === undefined)
      return {
        reason: 'topic_not_allowed',
        detail: 'expected pantau/v1/{site}/{device}/{kind}, or a topic that a mapping reads',
      };
    const property =
      deviceProperty === undefined ? undefined : packet.properties?.userProperties?.[deviceProperty];
    const stated = Array.isArray(property) ? property[0] : property;
    if (deviceProperty !== undefined && stated === undefined)
      return { reason: 'unknown_device', detail: `expected the user property ${deviceProperty}` };
    const inTopic = topic?.device ?? mapped?.device;
    const id = stated ?? inTopic;
    if (id === undefined)
      return {
        reason: 'unknown_device',
        detail: 'neither the topic, nor its mapping, nor a property names the device',
      };
    const device = await this.#pantau.registry.device(id);
    if (device === undefined)
      return { reason: 'unknown_device', detail: `no device "${id.slice(0, 63)}" is registered` };
    const { site } = device;
    if ((inTopic ?? id) !== id || (topic?.site ?? site) !== site)
      return {
        reason: 'topic_not_allowed',
        detail: `${id} writes below pantau/v1/${site}/${id}/`,
        device: id,
      };
    return { site, device: id, kind: topic?.kind ?? 'foreign' };
  }

  /** Waits for space: a dropped connection would bring the same message again a second later. */
  async #setAside(data: Rejection): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      try {
        await this.#pantau.journal.append('rejected', [{ key: data.device ?? '', data }], { yields: true });
        return;
      } catch (error) {
        if (!(error instanceof PantauError) || error.code !== 'JOURNAL_FULL') throw error;
        await delay(FULL_RETRY_MS, undefined, { signal });
      }
    }
  }
}
