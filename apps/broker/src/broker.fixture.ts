import {
  Accounts,
  Administration,
  DeviceCredentials,
  DeviceTokens,
  ProvisioningKeys,
  Registry,
} from '#libs/identity';
import { LmdbJournal, type Entry, type Journal } from '#libs/journal';
import { createLogger } from '#libs/platform';
import { LmdbStateStore } from '#libs/state';
import { TopicMappings } from '#libs/telemetry';
import { temporaryFolder } from '#libs/testing';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import mqttPacket from 'mqtt-packet';
import { once, type EventEmitter } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { Broker, type BrokerOptions } from './broker.js';
import type { Limits } from './limits.js';

/** The typed emitter of MQTT.js is not one for `once`. */
export const event = (client: MqttClient, name: string): Promise<unknown[]> =>
  once(client as unknown as EventEmitter, name);

/** Limits that no well-behaved test reaches. */
export const LIMITS: Limits = {
  connections: 1_000,
  connectionsPerAddress: 1_000,
  pendingPerAddress: 1_000,
  connectsPerAddress: { perSecond: 1_000, burst: 1_000 },
  authFailuresPerAddress: { perSecond: 1_000, burst: 1_000 },
  connectTimeoutMs: 10_000,
  messagesPerDevice: { perSecond: 100_000, burst: 100_000 },
  topicLevels: 16,
  subscriptionsPerClient: 50,
  queuedBytesPerClient: 1_000_000,
  queuedMessagesPerClient: 1_000,
  minKeepAliveMs: 1_000,
  maxKeepAliveMs: 1_200_000,
  takeovers: { count: 100, withinMs: 60_000, holdMs: 60_000 },
  sessionExpiryMs: 604_800_000,
};

export interface BrokerFixture extends AsyncDisposable {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly registry: Registry;
  readonly administration: Administration;
  readonly keys: ProvisioningKeys;
  readonly tokens: DeviceTokens;
  /** By device: `udara-01` and `udara-02` of the site `betung`. */
  readonly passwords: Record<string, string>;
  /** Connects MQTT.js; rejects with its error when it is refused. */
  connect(device: string, options?: IClientOptions): Promise<MqttClient>;
  entries<T>(stream: string): Promise<Entry<T>[]>;
  /** Stops the broker and starts another on the same data and port. */
  restart(): Promise<void>;
}

export type FixtureOptions = Partial<Omit<BrokerOptions, 'limits'>> & { readonly limits?: Partial<Limits> };

/** A real broker on a real journal in a temporary folder. */
export async function openBroker({ limits, ...options }: FixtureOptions = {}): Promise<BrokerFixture> {
  const folder = temporaryFolder('broker');
  const clock = { now: Date.now };
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const registry = new Registry(state);
  const credentials = new DeviceCredentials(state, clock);
  const accounts = new Accounts(state);
  const keys = new ProvisioningKeys(state, clock);
  const tokens = new DeviceTokens(state, credentials, clock);
  const administration = new Administration({ registry, credentials, accounts, keys, journal, clock });
  const passwords: Record<string, string> = {};
  await registry.putSite({ id: 'betung', name: 'Betung' });
  for (const id of ['udara-01', 'udara-02'])
    passwords[id] = await administration.addDevice({
      id,
      site: 'betung',
      kind: 'air',
      name: id,
      intervalMs: 60_000,
    });
  const make = (ports: BrokerOptions['ports']): Broker =>
    new Broker(
      {
        host: '127.0.0.1',
        tls: undefined,
        webSocketPath: '/mqtt',
        trustedProxies: [],
        maxPayloadBytes: 10_000,
        livenessBeatMs: 10_000,
        mappings: new TopicMappings([]),
        ...options,
        ports,
        limits: { ...LIMITS, ...limits },
      },
      {
        journal,
        state,
        registry,
        accounts,
        credentials,
        tokens,
        clock,
        logger: createLogger('silent', 'test'),
      },
    );
  let broker = make(options.ports ?? { tcp: 0 });
  await broker.start();
  const clients: MqttClient[] = [];
  return {
    get broker() {
      return broker;
    },
    journal,
    registry,
    administration,
    keys,
    tokens,
    passwords,
    async connect(device, connectOptions = {}) {
      const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port()}`, {
        clientId: device,
        username: device,
        password: passwords[device] ?? '',
        reconnectPeriod: 0,
        ...connectOptions,
      });
      clients.push(client);
      const [outcome] = (await Promise.race([
        event(client, 'connect'),
        event(client, 'error'),
        event(client, 'close').then(() => [new Error('closed')]),
      ])) as [unknown];
      if (outcome instanceof Error) throw outcome;
      return client;
    },
    entries: (stream) => journal.read(stream, 0, 0, 100_000),
    async restart() {
      const ports = Object.fromEntries(
        Object.keys(options.ports ?? { tcp: 0 }).map((kind) => [kind, broker.port(kind as 'tcp')]),
      );
      await broker.stop();
      broker = make(ports);
      await broker.start();
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.end(true);
      await broker.stop();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

/** A connected raw socket; its errors are nobody's business. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

/** A CONNECT packet of MQTT 3.1.1. */
export function connectPacket(
  clientId: string,
  password: string,
  { clean = true, keepalive = 60 }: { readonly clean?: boolean; readonly keepalive?: number } = {},
): Buffer {
  return mqttPacket.generate(
    {
      cmd: 'connect',
      clientId,
      username: clientId,
      password: Buffer.from(password),
      clean,
      protocolVersion: 4,
      protocolId: 'MQTT',
      keepalive,
    },
    {},
  );
}
