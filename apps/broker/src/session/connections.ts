import type { Device, DeviceCredentials } from '#libs/identity';
import type { Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { IdentityChange } from '#libs/telemetry';
import type { Aedes, Client } from 'aedes';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CommandListeners } from '../delivery/command-listeners.js';
import { Delivery, type DeliveryOptions } from '../delivery/delivery.js';
import type { Downlinks } from '../delivery/downlinks.js';
import type { RoutedPersistence } from '../delivery/routing.js';
import type { Admission } from '../door/admission.js';
import { FrameGuard } from '../door/frame-guard.js';
import { InboundFlow } from '../door/inbound-flow.js';
import type { ConnectionOrigin } from '../door/listeners.js';
import type { ProgressWatch } from '../door/progress-watch.js';
import type { DirectWay } from '../intake/direct-way.js';
import type { UplinkBatcher } from '../intake/uplink-batcher.js';
import type { BrokerMetrics } from '../metrics.js';
import type { Quota } from '../quota.js';
import { clientsOf, internalsOf } from './aedes-client.js';
import type { Expulsions } from './expulsions.js';
import type { PresenceRecorder } from './presence.js';
import type { Arrival, ClientSessions } from './sessions.js';

/** What a connection comes by, from its first byte to its end. */
export interface ConnectionParts {
  readonly sessions: ClientSessions;
  readonly admission: Admission;
  readonly packets: ProgressWatch;
  readonly inProgress: Quota;
  readonly direct: DirectWay;
  readonly uplinks: UplinkBatcher;
  readonly deliveries: DeliveryOptions;
  readonly persistence: RoutedPersistence;
  readonly downlinks: Downlinks;
  readonly commandListeners: CommandListeners;
  readonly expulsions: Expulsions;
  readonly presence: PresenceRecorder;
  readonly credentials: DeviceCredentials;
  readonly metrics: BrokerMetrics;
  readonly logger: Logger;
  readonly isStopping: () => boolean;
}

export interface ConnectionLimits {
  readonly maxPayloadBytes: number;
  readonly maxKeepAliveMs: Millis;
}

/** The longest topic, its length, and the packet identifier beside a payload. */
const TOPIC_BYTES = 65_535 + 4;
/** CONNACK 0x01: a protocol level that nobody knows [MQTT-3.1.2-2]. */
const VERSION_REFUSAL = Buffer.from([0x20, 0x02, 0x00, 0x01]);

/** The connections that Aedes holds: what each of them passes through when it comes, and what follows when it ends. */
export class Connections {
  #aedes: Aedes | undefined;

  constructor(
    private readonly limits: ConnectionLimits,
    private readonly parts: ConnectionParts,
  ) {}

  /** From now on connections are handed to Aedes. */
  start(aedes: Aedes): void {
    this.#aedes = aedes;
    this.#listenTo(aedes);
  }

  clientOf(id: string): Client | undefined {
    return this.#aedes === undefined ? undefined : clientsOf(this.#aedes)[id];
  }

  deliveryOf(id: string): Delivery | undefined {
    const client = this.clientOf(id);
    return client === undefined ? undefined : this.parts.sessions.arrivalOf(client)?.delivery;
  }

  #listenTo(aedes: Aedes): void {
    aedes.on('client', (client) => this.#connected(client));
    aedes.on('clientReady', (client) => {
      const arrival = this.parts.sessions.arrivalOf(client);
      arrival?.flow.known(this.parts.sessions.ownerOf(client) ?? '');
      arrival?.delivery.begin();
      this.parts.commandListeners.subscribed(client);
    });
    aedes.on('subscribe', (subscriptions, client) => {
      const granted = subscriptions.filter(({ qos }) => (qos as number) < 128).map(({ topic }) => topic);
      this.parts.sessions.arrivalOf(client)?.delivery.subscribed(granted);
      this.parts.commandListeners.subscribed(client);
    });
    aedes.on('unsubscribe', (filters, client) => {
      this.parts.sessions.arrivalOf(client)?.delivery.unsubscribed(filters);
      for (const filter of filters) this.parts.sessions.of(client)?.filters.delete(filter);
      this.parts.commandListeners.handOver(client, this.parts.isStopping());
    });
    // Without a listener an error of the persistence, such as a full disk, would end the process.
    aedes.on('error' as 'closed', (...errors: unknown[]) =>
      this.parts.logger.error({ err: errors[0] }, 'the MQTT broker could not route a message'),
    );
    aedes.on('keepaliveTimeout', (client) => this.parts.sessions.setEndCause(client, 'keepalive'));
    aedes.on('clientDisconnect', (client) => this.#disconnected(client));
    aedes.on('clientError', (client, error) => this.parts.expulsions.ended(client, error));
    aedes.on('connectionError', (client, error) => this.parts.expulsions.ended(client, error));
  }

  /** Takes a connection that was let in. */
  handle(stream: Duplex, origin: ConnectionOrigin, request?: IncomingMessage): void {
    const aedes = this.#aedes;
    if (aedes === undefined || this.parts.isStopping()) {
      stream.destroy();
      return;
    }
    const client = aedes.handle(stream, request);
    const guard = new FrameGuard(this.limits.maxPayloadBytes + TOPIC_BYTES, (publish, passed) =>
      this.parts.direct.take(client, publish, passed),
    );
    const arrival: Arrival = {
      origin,
      guard,
      delivery: new Delivery(client, this.parts.deliveries),
      keepAliveMs: this.limits.maxKeepAliveMs,
      flow: new InboundFlow(client, stream, {
        guard,
        arriving: this.parts.admission.arriving(origin.address, stream),
        frames: origin.frames,
        watch: this.parts.packets,
        inProgress: this.parts.inProgress,
        onLimit: (detail) =>
          this.parts.expulsions.limitExceeded(client, `${detail} (from ${origin.address})`),
        onError: (error) => client.emit('error', error),
      }),
      willTopic: undefined,
    };
    this.parts.sessions.arrived(client, arrival);
    const { _parser: parser } = internalsOf(client);
    parser.prependListener('error', ({ message }) => {
      if (message === 'Invalid protocol version') stream.write(VERSION_REFUSAL);
    });
  }

  #connected(client: Client): void {
    const session = this.parts.sessions.of(client);
    if (session === undefined) return;
    this.parts.metrics.connections.inc();
    internalsOf(client)._parser.on('packet', ({ cmd, messageId }) => {
      if (cmd === 'puback' && messageId !== undefined) this.parts.downlinks.acknowledged(client, messageId);
    });
    this.parts.presence.record(session, 'connected', 'connect');
    // Revoked between the check and now: the change may have been told before this connection was there to hear it.
    this.parts.credentials.access(session.principal.id).then(
      ({ revoked }) => {
        if (revoked) this.parts.expulsions.expel(client, 'revoked');
      },
      (error: unknown) => this.parts.logger.error({ err: error }, 'an access could not be looked at again'),
    );
  }

  #disconnected(client: Client): void {
    const session = this.parts.sessions.of(client);
    if (session === undefined) return;
    this.parts.uplinks.release(client);
    session.targets.close();
    session.routes.close();
    session.filters.end();
    this.parts.metrics.connections.dec();
    this.parts.commandListeners.left(client, this.parts.isStopping());
    const clean = internalsOf(client)._disconnected === true;
    const cause = this.parts.isStopping() ? 'shutdown' : clean ? 'clean' : session.endCause;
    this.parts.metrics.disconnects.inc({ cause });
    if (!client.clean && !this.parts.isStopping())
      this.parts.persistence.left(client).catch((error: unknown) => {
        this.parts.logger.error({ err: error }, 'a session could not be noted');
      });
    this.parts.presence.record(session, 'disconnected', cause);
  }

  /** Topics are read in another way from now on. */
  mappingsChanged(): void {
    for (const client of this.#aedes === undefined ? [] : Object.values(clientsOf(this.#aedes))) {
      const session = this.parts.sessions.of(client);
      session?.targets.clear();
      session?.routes.clear();
    }
  }

  /** A device speaks for others than before: its connection ends, and comes back with what it may now. */
  async registrationChanged({ id, speaksFor = [] }: Pick<Device, 'id' | 'speaksFor'>): Promise<void> {
    for (const client of this.#aedes === undefined ? [] : Object.values(clientsOf(this.#aedes))) {
      const principal = this.parts.sessions.of(client)?.principal;
      if (principal?.kind !== 'device' || principal.id !== id) continue;
      const isSame =
        speaksFor.length === principal.speaksFor.size &&
        speaksFor.every((one) => principal.speaksFor.has(one));
      if (!isSame) this.parts.expulsions.expel(client, 'changed');
    }
  }

  /** Somebody's access changed, perhaps in another process: connections that rest on the old one end. */
  async identityChanged({ id, change }: IdentityChange): Promise<void> {
    if (this.#aedes === undefined) return;
    for (const client of Object.values(clientsOf(this.#aedes))) {
      if (this.parts.sessions.ownerOf(client) === id) this.parts.expulsions.expel(client, change);
    }
  }
}
