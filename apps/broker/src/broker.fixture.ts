import {
  ServiceAccounts,
  Administration,
  DeviceCredentials,
  DeviceTokens,
  ProvisioningKeys,
  Registry,
} from '#libs/identity';
import { LmdbJournal, type LmdbJournalOptions, LmdbStateStore } from '#libs/engine-lmdb';
import type { Entry, Journal } from '#libs/journal';
import { createLogger, type Logger } from '#libs/platform';
import type { StreamName, StreamTypes } from '#libs/streams';
import { TopicMappings, type PresenceSignal, type Rejection, type RejectionReason } from '#libs/telemetry';
import { temporaryFolder, waitUntil } from '#libs/testing';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import mqttPacket, { type IConnackPacket, type Packet } from 'mqtt-packet';
import { EventEmitter, once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { Broker } from './broker.js';
import type { BrokerOptions } from './broker-options.js';
import type { Limits } from './limits.js';
import type { ListenerKind } from './door/listeners.js';

/** The typed emitter of MQTT.js is not one for `once`. */
export const event = (client: MqttClient, name: string): Promise<unknown[]> =>
  once(client as unknown as EventEmitter, name);

const much = { perPrincipal: 1e9, total: 1e9 };

/** Limits that no well-behaved test reaches. */
export const LIMITS: Limits = {
  connections: 1_000,
  connectionsPerAddress: 1_000,
  pending: 1_000,
  pendingPerAddress: 1_000,
  refusalEntries: { perSecond: 1_000, burst: 1_000 },
  connectsPerAddress: { perSecond: 1_000, burst: 1_000 },
  authFailuresPerAddress: { perSecond: 1_000, burst: 1_000 },
  connectTimeoutMs: 10_000,
  messagesPerDevice: { perSecond: 100_000, burst: 100_000 },
  messagesPerAccount: { perSecond: 100_000, burst: 100_000 },
  topicLevels: 16,
  subscriptionsPerClient: 50,
  foreignTopicsPerClient: 100,
  inflightMessagesPerClient: 100,
  stalledAfterMs: 60_000,
  queuedBytesPerClient: 1_000_000,
  queuedMessagesPerClient: 1_000,
  minKeepAliveMs: 1_000,
  maxKeepAliveMs: 1_200_000,
  takeovers: { count: 100, withinMs: 60_000, holdMs: 60_000 },
  sessionExpiryMs: 604_800_000,
  bounds: {
    sessions: much,
    queuedBytes: { ...much, perClient: 1e9 },
    waitingBytes: much,
    topicCacheBytes: much,
    retainedMessages: much,
    retainedBytes: much,
    subscriptionBytes: much,
    inboundQos2: much,
    willBytes: much,
    arrivingBytes: { perAddress: 1e9, total: 1e9 },
    unfinishedBytes: much,
    inProgressBytes: much,
  },
};

/** An explicit `undefined` leaves the user name or password out. */
export type ClientOptions = Omit<IClientOptions, 'username' | 'password'> & {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
};

const SCHEMES = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;

export interface BrokerFixture extends AsyncDisposable {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly state: LmdbStateStore;
  readonly registry: Registry;
  readonly administration: Administration;
  readonly keys: ProvisioningKeys;
  readonly tokens: DeviceTokens;
  /** By device: `udara-01` and `udara-02` of the site `betung`. */
  readonly passwords: Record<string, string>;
  /** Connects MQTT.js; rejects with its error when it is refused. */
  connect(device: string, options?: ClientOptions, listener?: ListenerKind): Promise<MqttClient>;
  /** Connects a raw socket that speaks MQTT packet by packet, not yet connected in the sense of MQTT. */
  raw(): Promise<RawClient>;
  /** Makes a service account and keeps its password in `passwords`. */
  account(id: string, publish: readonly string[], subscribe: readonly string[]): Promise<void>;
  entries<S extends StreamName>(stream: S): Promise<Entry<StreamTypes[S]>[]>;
  /** What the broker said of connections. */
  presence(): Promise<Entry<PresenceSignal>[]>;
  /** Waits until an entry of `rejected` has the reason and, in its detail, the text. */
  rejection(reason: RejectionReason, detail?: string): Promise<Rejection>;
  /** How often the metrics count a reason. */
  refused(reason: RejectionReason): Promise<number>;
  /** Stops the broker and starts another on the same data and port. */
  restart(): Promise<void>;
}

export type FixtureOptions = Partial<Omit<BrokerOptions, 'limits'>> & {
  readonly limits?: Partial<Limits>;
  /** Where the data goes; a temporary folder by default. */
  readonly folder?: string;
  /** Of the journal: its reserve, and how it measures its disk. */
  readonly space?: Pick<LmdbJournalOptions, 'minFree' | 'measureDisk'>;
  readonly logger?: Logger;
  /** What the broker gets instead of the journal. */
  readonly wrap?: (journal: Journal) => Journal;
};

/** The journal, with something done around every append of a producer. */
export function interposed(
  journal: Journal,
  around: (append: () => Promise<void>, stream: string) => Promise<void>,
): Journal {
  return replacing(journal, {
    append: (...parameters) => around(() => journal.append(...parameters), parameters[0]),
    direct: {
      begin(stream) {
        const batch = journal.direct!.begin(stream);
        const append = batch.append.bind(batch);
        batch.append = (options) => around(() => append(options), stream);
        return batch;
      },
    },
  });
}

/** The journal as an engine has it that offers nothing beside the port. */
export function withoutDirectAppends(journal: Journal): Journal {
  return replacing(journal, { direct: undefined });
}

function replacing(
  journal: Journal,
  members: { readonly [M in keyof Journal]?: Journal[M] | undefined },
): Journal {
  return new Proxy(journal, {
    get(target, name) {
      if (name in members) return members[name as keyof Journal];
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** A real broker on a real journal in a temporary folder. */
export async function openBroker({
  limits,
  folder: givenFolder,
  space,
  logger = createLogger('silent', 'test'),
  wrap = (journal) => journal,
  ...options
}: FixtureOptions = {}): Promise<BrokerFixture> {
  const folder = temporaryFolder('broker');
  const clock = { now: Date.now };
  const state = LmdbStateStore.open(givenFolder ?? folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 1, ...space });
  const registry = new Registry(state);
  const credentials = new DeviceCredentials(state, clock);
  const accounts = new ServiceAccounts(state);
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
        refusalsEveryMs: 100,
        ...options,
        ports,
        limits: { ...LIMITS, ...limits },
      },
      {
        journal: wrap(journal),
        state,
        registry,
        accounts,
        credentials,
        tokens,
        clock,
        logger,
      },
    );
  let broker = make(options.ports ?? { tcp: 0 });
  await broker.start();
  const clients: MqttClient[] = [];
  const raws: RawClient[] = [];
  const entries = <S extends StreamName>(stream: S): Promise<Entry<StreamTypes[S]>[]> =>
    journal.read(stream, 0, 0, 100_000);
  return {
    get broker() {
      return broker;
    },
    journal,
    state,
    registry,
    administration,
    keys,
    tokens,
    passwords,
    async connect(device, connectOptions = {}, listener = 'tcp') {
      const client = mqtt.connect(`${SCHEMES[listener]}://127.0.0.1:${broker.port(listener)}/mqtt`, {
        clientId: device,
        username: device,
        password: passwords[device] ?? '',
        reconnectPeriod: 0,
        ...connectOptions,
      } as IClientOptions);
      clients.push(client);
      const [outcome] = (await Promise.race([
        event(client, 'connect'),
        event(client, 'error'),
        event(client, 'close').then(() => [new Error('closed')]),
      ])) as [unknown];
      if (outcome instanceof Error) throw outcome;
      return client;
    },
    async raw() {
      const client = await openRaw(broker.port());
      raws.push(client);
      return client;
    },
    async account(id, publish, subscribe) {
      passwords[id] =
        (await administration.putAccount({ id, publish: [...publish], subscribe: [...subscribe] })) ?? '';
    },
    entries,
    async presence() {
      return (await entries('signals')) as Entry<PresenceSignal>[];
    },
    async rejection(reason, detail = '') {
      return waitUntil(`${reason} is in the journal: ${detail}`, async () =>
        (await entries('rejected'))
          .map(({ data }) => data)
          .find((data) => data.reason === reason && data.detail.includes(detail)),
      );
    },
    async refused(reason) {
      const { values } = await broker.metrics.refusals.get();
      return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
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
      for (const client of raws) client.socket.destroy();
      await broker.stop();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

/** A client that does only what a test tells it, packet by packet. */
export interface RawClient {
  readonly socket: Socket;
  send(packet: Packet | Buffer): void;
  /** The next packet that arrives. */
  any(expected?: string): Promise<Packet>;
  /** The next packet that arrives; it has to be of this kind. */
  next<C extends Packet['cmd']>(command: C): Promise<Extract<Packet, { cmd: C }>>;
  /** CONNECT and its CONNACK, which has to accept. */
  connect(clientId: string, password: string, options?: ConnectOptions): Promise<IConnackPacket>;
  /** Settles when the connection is over. */
  readonly closed: Promise<void>;
}

export interface ConnectOptions {
  readonly username?: string;
  readonly clean?: boolean;
  readonly keepalive?: number;
  readonly will?: { topic: string; payload: Buffer; qos: 0 | 1 | 2; retain: boolean };
}

/** A raw client on a port of the loopback interface. */
export async function openRaw(port: number): Promise<RawClient> {
  const socket = connectSocket(port, '127.0.0.1');
  socket.on('error', () => undefined);
  // Not `once` of node:events, which rejects with an error of the connection.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // Packets are small and wait for answers, which Nagle's algorithm would hold back.
  socket.setNoDelay();
  await once(socket, 'connect');
  const received: Packet[] = [];
  const arrivals = new EventEmitter();
  const parser = mqttPacket.parser();
  parser.on('packet', (packet: Packet) => {
    received.push(packet);
    arrivals.emit('packet');
  });
  socket.on('data', (chunk: Buffer) => parser.parse(chunk));
  socket.once('close', () => arrivals.emit('packet'));
  const client: RawClient = {
    socket,
    closed,
    send: (packet) => void socket.write(Buffer.isBuffer(packet) ? packet : mqttPacket.generate(packet, {})),
    async any(expected = 'any packet') {
      for (;;) {
        const packet = received.shift();
        if (packet !== undefined) return packet;
        if (socket.closed) throw new Error(`closed instead of ${expected}`);
        await once(arrivals, 'packet');
      }
    },
    async next<C extends Packet['cmd']>(command: C) {
      const packet = await client.any(command);
      if (packet.cmd !== command) throw new Error(`expected ${command}, received ${JSON.stringify(packet)}`);
      return packet as Extract<Packet, { cmd: C }>;
    },
    async connect(clientId, password, options) {
      client.send(connectPacket(clientId, password, options));
      const connack = await client.next('connack');
      if (connack.returnCode !== 0) throw new Error(`CONNACK ${connack.returnCode}`);
      return connack;
    },
  };
  return client;
}

/** A connected raw socket; its errors are nobody's business. */
export async function openSocket(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connectSocket(port, host);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.resume();
  return socket;
}

/** A CONNECT packet of MQTT 3.1.1. */
export function connectPacket(
  clientId: string,
  password: string,
  { username = clientId, clean = true, keepalive = 60, will }: ConnectOptions = {},
): Buffer {
  return mqttPacket.generate(
    {
      cmd: 'connect',
      clientId,
      username,
      password: Buffer.from(password),
      clean,
      protocolVersion: 4,
      protocolId: 'MQTT',
      keepalive,
      ...(will === undefined ? {} : { will }),
    },
    {},
  );
}
