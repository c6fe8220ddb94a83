import type { Clock, UtcMillis } from '#libs/kernel';
import type { StateStore, StateWrite } from '#libs/state';
import { filterMatches } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import QlobberSub from 'qlobber/aedes/qlobber-sub.js';

interface ClientRef {
  readonly id: string;
}
type Qos = 0 | 1 | 2;
/** Who a message is kept for. */
interface Recipient {
  readonly clientId: string;
  /** Of the subscription; without it that of the message. */
  readonly qos?: Qos;
}
interface SubscriptionOptions {
  readonly qos: Qos;
  readonly rh?: number | undefined;
  readonly rap?: boolean | undefined;
  readonly nl?: boolean | undefined;
  readonly subscriptionIdentifier?: number | undefined;
}
export interface StoredSubscription extends SubscriptionOptions {
  readonly topic: string;
}
interface MatchedSubscription extends StoredSubscription {
  readonly clientId: string;
}
/** The members of Aedes' packets that outlive a connection. */
export interface StoredPacket {
  cmd: string;
  brokerId?: string;
  brokerCounter?: number;
  topic: string;
  /** A PUBREL has none. */
  payload?: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  messageId?: number | undefined;
  clientId?: string;
}

interface SessionRecord {
  readonly client: string;
  readonly subscriptions: readonly StoredSubscription[];
  /** Device or account that the session belongs to; nobody else may continue it. */
  readonly owner?: string;
  /** When it was last connected; a session that is away for too long is forgotten. */
  readonly seenAt: UtcMillis;
}
interface Queued {
  readonly key: string;
  packet: StoredPacket;
}

export interface StatePersistenceOptions {
  readonly state: StateStore;
  readonly clock: Clock;
  /** Messages kept for a session that is away; the oldest go first. */
  readonly maxQueuedMessages: number;
  /** Whether a subscription may be kept: Aedes hands over the denied ones as well. */
  readonly mayKeep?: (client: ClientRef, filter: string) => boolean;
  /** Whose client it is. */
  readonly ownerOf?: (client: ClientRef) => string | undefined;
  readonly onDropped?: (client: string) => void;
  /** A subscription is there that was not there before. */
  readonly onSubscribed?: () => void;
}

const SESSIONS = 'mqtt/sessions';
const RETAINED = 'mqtt/retained';
const OUTGOING = 'mqtt/outgoing';
const INCOMING = 'mqtt/incoming';
const TRIE = { wildcard_one: '+', wildcard_some: '#', separator: '/' };

/**
 * Aedes' persistence over Pantau's state store: subscriptions, retained messages and the queued QoS 1 and 2 messages of
 * persistent sessions survive a restart. What is read is in memory; every change is durable before it counts. Wills are
 * not kept: after a crash of the broker its devices are unknown, not dead.
 */
export class StatePersistence {
  broker: { readonly id: string } | undefined;
  readonly #subscriptions = new Map<string, Map<string, SubscriptionOptions>>();
  readonly #seenAt = new Map<string, UtcMillis>();
  readonly #owners = new Map<string, string>();
  readonly #trie = new QlobberSub(TRIE) as Trie;
  readonly #retained = new Map<string, StoredPacket>();
  readonly #outgoing = new Map<string, Queued[]>();
  readonly #incoming = new Map<string, Map<number, StoredPacket>>();
  readonly #wills = new Map<string, StoredPacket>();
  /** Additions on their way to the disk, by client. */
  readonly #adding = new Map<string, { readonly subscriptions: object; readonly done: Promise<void> }>();
  #sequence = 0;

  constructor(private readonly options: StatePersistenceOptions) {}

  /** Called by Aedes: reads everything that an earlier run left. */
  async setup(broker: { readonly id: string }): Promise<void> {
    this.broker = broker;
    const { state } = this.options;
    for (const { value } of await state.list<SessionRecord>(SESSIONS)) {
      this.#seenAt.set(value.client, value.seenAt);
      if (value.owner !== undefined) this.#owners.set(value.client, value.owner);
      for (const { topic, ...options } of value.subscriptions) this.#index(value.client, topic, options);
    }
    for (const { value } of await state.list<StoredPacket>(RETAINED))
      this.#retained.set(value.topic, copy(value));
    for (const { key, value } of await state.list<{ client: string; packet: StoredPacket }>(OUTGOING)) {
      this.#queue(value.client).push({ key, packet: copy(value.packet) });
      this.#sequence = Math.max(this.#sequence, Number(key.slice(key.lastIndexOf('/') + 1)));
    }
    for (const { value } of await state.list<{ client: string; packet: StoredPacket }>(INCOMING))
      this.#received(value.client).set(value.packet.messageId ?? 0, copy(value.packet));
  }

  async storeRetained(packet: StoredPacket): Promise<void> {
    if (packet.topic.startsWith('$')) {
      // Figures of this run; the next one has its own.
      this.#retained.set(packet.topic, { ...packet });
      return;
    }
    if ((packet.payload?.length ?? 0) === 0) {
      await this.#write(RETAINED, keyOf(packet.topic), undefined);
      this.#retained.delete(packet.topic);
      return;
    }
    await this.#write(RETAINED, keyOf(packet.topic), plain(packet));
    this.#retained.set(packet.topic, { ...packet });
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern]);
  }

  createRetainedStreamCombi(patterns: readonly string[]): Readable {
    return Readable.from(
      [...this.#retained.values()].filter(({ topic }) =>
        patterns.some((pattern) => filterMatches(pattern, topic)),
      ),
    );
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly StoredSubscription[]): Promise<void> {
    // Aedes comes with the whole of a SUBSCRIBE once for each filter in it.
    const known = this.#adding.get(client.id);
    if (known?.subscriptions === subscriptions) {
      await known.done;
      return;
    }
    const adding = { subscriptions, done: this.#add(client, subscriptions) };
    this.#adding.set(client.id, adding);
    try {
      await adding.done;
    } finally {
      if (this.#adding.get(client.id) === adding) this.#adding.delete(client.id);
    }
  }

  async #add(client: ClientRef, subscriptions: readonly StoredSubscription[]): Promise<void> {
    // The other filters are authorised after the first one is here, in the same turn.
    await Promise.resolve();
    for (const { topic, qos, rh, rap, nl, subscriptionIdentifier } of subscriptions) {
      if (this.options.mayKeep?.(client, topic) === false) continue;
      this.#index(client.id, topic, { qos, ...defined({ rh, rap, nl, subscriptionIdentifier }) });
    }
    const owner = this.options.ownerOf?.(client);
    if (owner !== undefined) this.#owners.set(client.id, owner);
    await this.#saveSession(client.id);
  }

  async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
    const own = this.#subscriptions.get(client.id);
    if (own === undefined) return;
    for (const topic of topics) this.#unindex(client.id, own, topic);
    if (own.size === 0) this.#subscriptions.delete(client.id);
    await this.#saveSession(client.id);
  }

  async subscriptionsByClient(client: ClientRef): Promise<StoredSubscription[]> {
    return Array.from(this.#subscriptions.get(client.id) ?? [], ([topic, options]) => ({
      topic,
      ...options,
    }));
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return { subsCount: this.#trie.subscriptionsCount, clientsCount: this.#subscriptions.size };
  }

  /** Whether a session that is kept, connected or away, has a subscription that matches. */
  hasSubscriber(topic: string): boolean {
    return this.#trie.match(topic).length > 0;
  }

  async subscriptionsByTopic(topic: string): Promise<MatchedSubscription[]> {
    return this.#trie.match(topic);
  }

  async cleanSubscriptions(client: ClientRef): Promise<void> {
    const own = this.#subscriptions.get(client.id);
    if (own === undefined) return;
    for (const topic of [...own.keys()]) this.#unindex(client.id, own, topic);
    this.#subscriptions.delete(client.id);
    this.#seenAt.delete(client.id);
    this.#owners.delete(client.id);
    await this.#write(SESSIONS, keyOf(client.id), undefined);
  }

  async outgoingEnqueue(subscription: Recipient, packet: StoredPacket): Promise<void> {
    await this.outgoingEnqueueCombi([subscription], packet);
  }

  async outgoingEnqueueCombi(subscriptions: readonly Recipient[], packet: StoredPacket): Promise<void> {
    if (subscriptions.length === 0) return;
    const writes: StateWrite[] = [];
    // A client with several matching subscriptions gets the message once, with the highest QoS of them [MQTT-3.3.5-1].
    const highest = new Map<string, Qos>();
    for (const { clientId, qos = packet.qos } of subscriptions)
      highest.set(clientId, Math.max(qos, highest.get(clientId) ?? 0) as Qos);
    for (const [clientId, qos] of highest) {
      const queue = this.#queue(clientId);
      const queued: Queued = {
        key: this.#nextKey(clientId),
        // [MQTT-3.8.4-6, MQTT-3.3.1-9, MQTT-3.3.1-3]
        packet: { ...unsent(packet), qos: Math.min(qos, packet.qos) as Qos, retain: false, dup: false },
      };
      queue.push(queued);
      writes.push(outgoing(clientId, queued), ...this.#bound(clientId, queue));
    }
    await this.options.state.write(writes);
  }

  /** Keeps a message that has its packet identifier already, until it is acknowledged. */
  async outgoingKeep(client: ClientRef, packet: StoredPacket): Promise<void> {
    const queue = this.#queue(client.id);
    const queued: Queued = { key: this.#nextKey(client.id), packet: copy(packet) };
    queue.push(queued);
    await this.options.state.write([outgoing(client.id, queued), ...this.#bound(client.id, queue)]);
  }

  /** Takes a message out of the queue that is not to be sent. */
  async outgoingForget(client: ClientRef, packet: StoredPacket): Promise<void> {
    const queue = this.#outgoing.get(client.id) ?? [];
    const index = queue.findIndex((queued) => isSame(queued.packet, packet));
    const [found] = index === -1 ? [] : queue.splice(index, 1);
    if (found !== undefined) await this.#write(OUTGOING, found.key, undefined);
  }

  /** Messages of the queue that were not sent yet. */
  unsent(client: string): StoredPacket[] {
    return (this.#outgoing.get(client) ?? [])
      .filter(({ packet: { messageId } }) => messageId === undefined)
      .map(({ packet }) => packet);
  }

  /** Whether a message of this topic is in the queue. */
  isQueued(client: string, topic: string): boolean {
    return (this.#outgoing.get(client) ?? []).some(({ packet }) => packet.topic === topic);
  }

  #nextKey(client: string): string {
    return `${keyOf(client)}/${String(++this.#sequence).padStart(16, '0')}`;
  }

  #bound(client: string, queue: Queued[]): StateWrite[] {
    if (queue.length <= this.options.maxQueuedMessages) return [];
    // The oldest that is not on its way already.
    const oldest = queue.findIndex(({ packet: { messageId } }) => messageId === undefined);
    const [dropped] = queue.splice(Math.max(0, oldest), 1);
    this.options.onDropped?.(client);
    return dropped === undefined ? [] : [{ namespace: OUTGOING, key: dropped.key, value: undefined }];
  }

  /**
   * Notes the packet identifier of a queued message, or that its PUBREL is what is owed now. One that had to leave the
   * queue may be on its way nevertheless: nothing is noted of it, and that is no fault of the client.
   */
  async outgoingUpdate(client: ClientRef, packet: StoredPacket): Promise<void> {
    for (const queued of this.#outgoing.get(client.id) ?? []) {
      const { packet: known } = queued;
      const hasItsIdentifier = known.messageId !== undefined && known.messageId === packet.messageId;
      if (packet.cmd === 'pubrel' && hasItsIdentifier) queued.packet = packet;
      // A retained message has no number of a broker.
      else if (isSame(known, packet) || (typeof known.brokerId !== 'string' && hasItsIdentifier)) {
        // With an identifier it was sent before [MQTT-3.3.1-1]. Aedes writes this very packet next.
        if (known.messageId !== undefined && packet !== known) packet.dup = true;
        known.messageId = packet.messageId;
      } else continue;
      await this.options.state.write([outgoing(client.id, queued)]);
      return;
    }
  }

  async outgoingClearMessageId(
    client: ClientRef,
    { messageId }: { readonly messageId?: number | undefined },
  ): Promise<StoredPacket | undefined> {
    const queue = this.#outgoing.get(client.id) ?? [];
    // Aedes also asks with none, which is the one of everything that was not sent yet.
    if (messageId === undefined) return undefined;
    const index = queue.findIndex(({ packet }) => packet.messageId === messageId);
    const [found] = index === -1 ? [] : queue.splice(index, 1);
    if (queue.length === 0) this.#outgoing.delete(client.id);
    if (found === undefined) return undefined;
    await this.#write(OUTGOING, found.key, undefined);
    return found.packet;
  }

  outgoingStream(client: ClientRef): Readable {
    return Readable.from((this.#outgoing.get(client.id) ?? []).map(({ packet }) => packet));
  }

  async incomingStorePacket(client: ClientRef, packet: StoredPacket): Promise<void> {
    const kept = unsent(packet);
    kept.messageId = packet.messageId;
    this.#received(client.id).set(packet.messageId ?? 0, kept);
    await this.#write(INCOMING, incomingKey(client.id, packet.messageId), {
      client: client.id,
      // Its identifier is what is asked for later; the message itself is in the journal.
      packet: { ...plain(kept), payload: Buffer.alloc(0) },
    });
  }

  async incomingGetPacket(
    client: ClientRef,
    { messageId }: { readonly messageId?: number },
  ): Promise<StoredPacket> {
    const packet = this.#incoming.get(client.id)?.get(messageId ?? 0);
    if (packet === undefined) throw new Error('no such packet');
    return packet;
  }

  async incomingDelPacket(client: ClientRef, { messageId }: { readonly messageId?: number }): Promise<void> {
    const received = this.#incoming.get(client.id);
    if (received?.delete(messageId ?? 0) !== true) throw new Error('no such packet');
    if (received.size === 0) this.#incoming.delete(client.id);
    await this.#write(INCOMING, incomingKey(client.id, messageId), undefined);
  }

  async cleanIncoming(client: ClientRef): Promise<void> {
    const received = this.#incoming.get(client.id);
    if (received === undefined) return;
    this.#incoming.delete(client.id);
    await this.options.state.write(
      Array.from(received.keys(), (messageId) => ({
        namespace: INCOMING,
        key: incomingKey(client.id, messageId),
        value: undefined,
      })),
    );
  }

  async putWill(client: ClientRef, packet: StoredPacket): Promise<void> {
    packet.clientId = client.id;
    if (this.broker !== undefined) packet.brokerId = this.broker.id;
    this.#wills.set(client.id, packet);
  }

  async getWill(client: ClientRef): Promise<StoredPacket | undefined> {
    return this.#wills.get(client.id);
  }

  async delWill(client: ClientRef): Promise<StoredPacket | undefined> {
    const will = this.#wills.get(client.id);
    this.#wills.delete(client.id);
    return will;
  }

  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from(
      [...this.#wills.values()].filter(({ brokerId }) => brokers[brokerId ?? ''] === undefined),
    );
  }

  getClientList(topic: string): Readable {
    return Readable.from(
      Array.from(this.#subscriptions)
        .filter(([, own]) => own.has(topic))
        .map(([client]) => client),
    );
  }

  /** Whose the kept session of this client id is. */
  ownerOf(client: string): string | undefined {
    return this.#owners.get(client);
  }

  /** Notes that a persistent session ended its connection now. */
  async left(client: ClientRef): Promise<void> {
    if (this.#subscriptions.has(client.id)) await this.#saveSession(client.id);
  }

  /** Forgets sessions that have been away since before the instant, with their queues. @returns how many */
  async forgetSessions(before: UtcMillis, isConnected: (client: string) => boolean): Promise<number> {
    let forgotten = 0;
    for (const [client, seenAt] of [...this.#seenAt]) {
      if (seenAt >= before || isConnected(client)) continue;
      const queue = this.#outgoing.get(client) ?? [];
      this.#outgoing.delete(client);
      await this.options.state.write(
        queue.map(({ key }) => ({ namespace: OUTGOING, key, value: undefined })),
      );
      await this.cleanIncoming({ id: client });
      await this.cleanSubscriptions({ id: client });
      forgotten++;
    }
    return forgotten;
  }

  async destroy(): Promise<void> {
    this.#retained.clear();
  }

  #index(client: string, topic: string, options: SubscriptionOptions): void {
    let own = this.#subscriptions.get(client);
    if (own === undefined) this.#subscriptions.set(client, (own = new Map<string, SubscriptionOptions>()));
    const before = own.get(topic);
    if (options.qos > 0) this.#trie.add(topic, { clientId: client, topic, ...options });
    else if (before !== undefined && before.qos > 0) this.#trie.remove(topic, { clientId: client, topic });
    own.set(topic, options);
    this.options.onSubscribed?.();
  }

  #unindex(client: string, own: Map<string, SubscriptionOptions>, topic: string): void {
    const before = own.get(topic);
    if (before === undefined) return;
    if (before.qos > 0) this.#trie.remove(topic, { clientId: client, topic });
    own.delete(topic);
  }

  async #saveSession(client: string): Promise<void> {
    const subscriptions = await this.subscriptionsByClient({ id: client });
    const seenAt = this.options.clock.now();
    const owner = this.#owners.get(client);
    const record: SessionRecord | undefined =
      subscriptions.length === 0
        ? undefined
        : { client, subscriptions, seenAt, ...(owner === undefined ? {} : { owner }) };
    if (record === undefined) this.#seenAt.delete(client);
    else this.#seenAt.set(client, seenAt);
    await this.#write(SESSIONS, keyOf(client), record);
  }

  #queue(client: string): Queued[] {
    let queue = this.#outgoing.get(client);
    if (queue === undefined) this.#outgoing.set(client, (queue = []));
    return queue;
  }

  #received(client: string): Map<number, StoredPacket> {
    let received = this.#incoming.get(client);
    if (received === undefined) this.#incoming.set(client, (received = new Map<number, StoredPacket>()));
    return received;
  }

  async #write(namespace: string, key: string, value: unknown): Promise<void> {
    await this.options.state.write([{ namespace, key, value }]);
  }
}

interface Trie {
  readonly subscriptionsCount: number;
  add(topic: string, subscription: MatchedSubscription): void;
  remove(topic: string, subscription: { readonly clientId: string; readonly topic: string }): void;
  match(topic: string): MatchedSubscription[];
}

function isSame(one: StoredPacket, other: StoredPacket): boolean {
  return (
    one.brokerId !== undefined && one.brokerId === other.brokerId && one.brokerCounter === other.brokerCounter
  );
}

/** A name as a key: short ones as they are, to be found by eye; long ones by their hash. */
function keyOf(name: string): string {
  return Buffer.byteLength(name) <= 300 && !name.startsWith('sha256:')
    ? name
    : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

function incomingKey(client: string, messageId: number | undefined): string {
  return `${keyOf(client)}/${messageId ?? 0}`;
}

function outgoing(client: string, { key, packet }: Queued): StateWrite {
  return { namespace: OUTGOING, key, value: { client, packet: plain(packet) } };
}

/** Only what is stored: Aedes hangs callbacks on its packets. */
function plain(packet: StoredPacket): StoredPacket {
  const { cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup, messageId } = packet;
  return defined({
    cmd,
    brokerId,
    brokerCounter,
    topic,
    payload,
    qos,
    retain,
    dup,
    messageId,
  }) as StoredPacket;
}

/** A packet for a queue: without the identifier that it has with its sender. */
function unsent(original: StoredPacket): StoredPacket {
  const { cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup } =
    original as Partial<StoredPacket>;
  const packet = { cmd, topic, qos, retain: false, dup: false, messageId: undefined } as StoredPacket;
  return Object.assign(packet, defined({ brokerId, brokerCounter, payload, retain, dup }));
}

/** The store's buffers belong to the store. */
function copy(packet: StoredPacket): StoredPacket {
  return Object.assign(unsent(packet), {
    ...(packet.payload === undefined ? {} : { payload: Buffer.from(packet.payload) }),
    messageId: packet.messageId,
  });
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
