import { type Clock, type UtcMillis, defined } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { Readable } from 'node:stream';
import { InboundIdentifiers } from './inbound-identifiers.js';
import {
  KeptSubscriptions,
  type MatchedSubscription,
  type StoredSubscription,
} from './kept-subscriptions.js';
import { OutgoingQueues, type Recipient } from './outgoing-queues.js';
import { KEPT_SESSIONS } from '../../namespaces.js';
import { Quota, type QuotaLimits } from '../../quota.js';
import type { SessionRecord } from './records.js';
import { RetainedStore } from './retained-store.js';
import { keyOf, type Plan, type StoredPacket } from './stored-packet.js';
import { Wills } from './wills.js';

export type { StoredSubscription } from './kept-subscriptions.js';
export type { StoredPacket } from './stored-packet.js';

interface ClientRef {
  readonly id: string;
}

/** What may be kept; see docs/broker.md, Bounds. */
export interface PersistenceBounds {
  readonly sessions: QuotaLimits;
  readonly queuedBytes: QuotaLimits & { readonly perClient: number };
  readonly retainedMessages: QuotaLimits;
  readonly retainedBytes: QuotaLimits;
  /** Of filters: their characters, and 256 for each level. */
  readonly subscriptionBytes: QuotaLimits;
  readonly inboundQos2: QuotaLimits;
  readonly willBytes: QuotaLimits;
}

export interface StatePersistenceOptions {
  readonly state: StateStore;
  readonly clock: Clock;
  /** Messages kept for a session that is away; the oldest go first. */
  readonly maxQueuedMessages: number;
  readonly bounds: PersistenceBounds;
  readonly isConnected?: (client: string) => boolean;
  /** Whether a subscription may be kept: Aedes hands over the denied ones as well. */
  readonly mayKeep?: (client: ClientRef, filter: string) => boolean;
  /** Whose client it is. */
  readonly ownerOf?: (client: ClientRef) => string | undefined;
  readonly onDropped?: (client: string) => void;
  readonly onQueued?: (client: string) => void;
  /** Something of the owner was not kept, because of this limit. */
  readonly onRefused?: (owner: string, limit: string, topic: string) => void;
  readonly onError?: (error: unknown) => void;
  /** A subscription is there that was not there before. */
  readonly onSubscribed?: () => void;
}

/**
 * Aedes' persistence over Pantau's state store: subscriptions, retained messages and the queued QoS 1 and 2 messages of
 * persistent sessions survive a restart; every change is durable before it counts. Wills are not kept: after a crash of
 * the broker its devices are unknown, not dead.
 */
export class StatePersistence {
  broker: { readonly id: string } | undefined;
  readonly queues: OutgoingQueues;
  readonly retained: RetainedStore;
  readonly inbound: InboundIdentifiers;
  readonly subscriptions: KeptSubscriptions;
  readonly #seenAt = new Map<string, UtcMillis>();
  readonly #owners = new Map<string, string>();
  readonly #wills: Wills;
  /** Additions on their way to the disk, by client. */
  readonly #adding = new Map<string, { readonly subscriptions: object; readonly done: Promise<void> }>();
  readonly #sessions: Quota;

  constructor(private readonly options: StatePersistenceOptions) {
    const { state, bounds, maxQueuedMessages } = options;
    const nothing = (): void => undefined;
    this.#sessions = new Quota(bounds.sessions);
    this.#wills = new Wills(bounds.willBytes);
    this.subscriptions = new KeptSubscriptions(bounds.subscriptionBytes);
    this.inbound = new InboundIdentifiers(state, new Quota(bounds.inboundQos2));
    this.retained = new RetainedStore({
      state,
      maxBytes: new Quota(bounds.retainedBytes),
      maxMessages: new Quota(bounds.retainedMessages),
      onRefused: (owner, topic) => options.onRefused?.(owner, 'retained messages', topic),
    });
    this.queues = new OutgoingQueues({
      state,
      maxMessages: maxQueuedMessages,
      maxBytes: bounds.queuedBytes.perClient,
      quota: new Quota(bounds.queuedBytes),
      ownerOf: (client) => this.#owners.get(client),
      isConnected: options.isConnected ?? (() => false),
      onDropped: options.onDropped ?? nothing,
      onQueued: options.onQueued ?? nothing,
      onError: options.onError ?? nothing,
    });
  }

  /** Called by Aedes: reads everything that an earlier run left. */
  async setup(broker: { readonly id: string }): Promise<void> {
    this.broker = broker;
    const { state, clock } = this.options;
    for (const { value } of await state.list(KEPT_SESSIONS)) {
      this.#seenAt.set(value.client, value.seenAt);
      if (value.owner !== undefined) this.#own(value.client, value.owner);
      for (const { topic, ...options } of value.subscriptions)
        this.subscriptions.add(value.client, value.owner ?? '', topic, options);
    }
    await this.retained.load();
    await this.inbound.load();
    await this.queues.load();
    // A session without subscriptions has no record; what is kept of it is forgotten in time as well.
    for (const client of [...this.queues.clients(), ...this.inbound.clients()])
      if (!this.#seenAt.has(client)) this.#seenAt.set(client, clock.now());
  }

  async storeRetained(packet: StoredPacket): Promise<void> {
    await this.#carryOut(this.retained.plan(packet));
  }

  createRetainedStream(pattern: string): Readable {
    return this.createRetainedStreamCombi([pattern]);
  }

  createRetainedStreamCombi(patterns: readonly string[]): Readable {
    return Readable.from(this.#retained(patterns));
  }

  async *#retained(patterns: readonly string[]): AsyncGenerator<StoredPacket> {
    for (const topic of new Set(patterns.flatMap((pattern) => [...this.retained.topics(pattern)]))) {
      if (topic === undefined) continue;
      const [packet] = await this.retained.read([topic]);
      if (packet !== undefined) yield packet;
    }
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
    const owner = this.options.ownerOf?.(client);
    if (owner !== undefined) this.#own(client.id, owner);
    for (const { topic, qos, rh, rap, nl, subscriptionIdentifier } of subscriptions) {
      if (this.options.mayKeep?.(client, topic) === false) continue;
      const options = { qos, ...defined({ rh, rap, nl, subscriptionIdentifier }) };
      this.subscriptions.add(client.id, owner ?? '', topic, options);
      this.options.onSubscribed?.();
    }
    await this.#saveSession(client.id);
  }

  async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
    if (!this.subscriptions.has(client.id)) return;
    this.subscriptions.remove(client.id, topics);
    await this.#saveSession(client.id);
  }

  async subscriptionsByClient(client: ClientRef): Promise<StoredSubscription[]> {
    return this.subscriptions.of(client.id);
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return { subsCount: this.subscriptions.count, clientsCount: this.subscriptions.clientsCount };
  }

  /** Whether a session that is kept, connected or away, has a subscription that matches. */
  hasSubscriber(topic: string): boolean {
    return this.subscriptions.match(topic).length > 0;
  }

  async subscriptionsByTopic(topic: string): Promise<MatchedSubscription[]> {
    return this.subscriptions.match(topic);
  }

  /** Ends a kept session: nothing of it is left [MQTT-3.1.2-6]. */
  async cleanSubscriptions(client: ClientRef): Promise<void> {
    const writes = [...this.queues.clear(client.id), ...this.inbound.clear(client.id)];
    if (this.subscriptions.has(client.id)) writes.push(KEPT_SESSIONS.remove(keyOf(client.id)));
    this.subscriptions.clear(client.id);
    this.#seenAt.delete(client.id);
    this.#disown(client.id);
    if (writes.length > 0) await this.options.state.write(writes);
  }

  /** Whether a client may have a kept session: one that has one, or whose owner has room for another. */
  mayKeepSession(client: string, owner: string): boolean {
    return this.#owners.has(client) || this.#sessions.fits(owner, 1);
  }

  /** What a message has to be written for: the sessions that keep it, and who subscribes later. */
  planRouting(packet: StoredPacket, owner: string): Plan[] {
    const plans: (Plan | undefined)[] = [];
    if (packet.retain) plans.push(this.retained.plan(packet, owner));
    if (packet.qos > 0) plans.push(this.queues.plan(this.subscriptions.match(packet.topic), packet));
    return plans.filter((plan) => plan !== undefined);
  }

  async outgoingEnqueue(subscription: Recipient, packet: StoredPacket): Promise<void> {
    await this.outgoingEnqueueCombi([subscription], packet);
  }

  async outgoingEnqueueCombi(subscriptions: readonly Recipient[], packet: StoredPacket): Promise<void> {
    await this.#carryOut(this.queues.plan(subscriptions, packet));
  }

  /** Whether a message of this topic is in the queue. */
  isQueued(client: string, topic: string): boolean {
    return this.queues.all(client).some(({ message }) => message.topic === topic);
  }

  /**
   * Notes the packet identifier of a queued message, or that its PUBREL is what is owed now. One that had to leave the
   * queue may be on its way nevertheless: nothing is noted of it, and that is no fault of the client.
   */
  async outgoingUpdate({ id }: ClientRef, packet: StoredPacket): Promise<void> {
    if (packet.cmd === 'pubrel') {
      const sent = this.queues.findSent(id, packet.messageId ?? 0);
      if (sent !== undefined) await this.queues.noteReleased(sent);
      return;
    }
    const queued = this.queues.find(id, packet);
    if (queued === undefined) return;
    queued.messageId = packet.messageId;
    await this.queues.noteSent([queued]);
  }

  async outgoingClearMessageId(
    { id }: ClientRef,
    { messageId }: { readonly messageId?: number | undefined },
  ): Promise<StoredPacket | undefined> {
    // Aedes also asks with none, which is the one of everything that was not sent yet.
    const queued = messageId === undefined ? undefined : this.queues.findSent(id, messageId);
    if (queued === undefined) return undefined;
    const [packet] = await this.queues.packets([queued]);
    await this.queues.remove([queued]);
    return packet;
  }

  outgoingStream({ id }: ClientRef): Readable {
    return Readable.from(this.#outgoing(id));
  }

  async *#outgoing(id: string): AsyncGenerator<StoredPacket> {
    for (const queued of this.queues.all(id)) {
      const [packet] = await this.queues.packets([queued]);
      if (packet !== undefined) yield packet;
    }
  }

  async incomingStorePacket({ id }: ClientRef, packet: StoredPacket): Promise<void> {
    await this.#carryOut(this.inbound.plan(id, this.#owners.get(id) ?? '', packet.messageId ?? 0, packet));
  }

  async incomingGetPacket(
    { id }: ClientRef,
    { messageId = 0 }: { readonly messageId?: number },
  ): Promise<Partial<StoredPacket>> {
    const packet = await this.inbound.packet(id, messageId);
    if (packet === undefined) throw new Error('no such packet');
    return packet;
  }

  async incomingDelPacket(
    { id }: ClientRef,
    { messageId = 0 }: { readonly messageId?: number },
  ): Promise<void> {
    if (!(await this.inbound.remove(id, messageId))) throw new Error('no such packet');
  }

  async cleanIncoming({ id }: ClientRef): Promise<void> {
    const writes = this.inbound.clear(id);
    if (writes.length > 0) await this.options.state.write(writes);
  }

  async putWill(client: ClientRef & { will?: object | null }, packet: StoredPacket): Promise<void> {
    const owner = this.options.ownerOf?.(client) ?? '';
    packet.clientId = client.id;
    if (this.broker !== undefined) packet.brokerId = this.broker.id;
    if (this.#wills.put(client.id, owner, packet)) return;
    this.options.onRefused?.(owner, 'willBytes', packet.topic);
    client.will = null;
  }

  async getWill({ id }: ClientRef): Promise<StoredPacket | undefined> {
    return this.#wills.get(id);
  }

  async delWill({ id }: ClientRef): Promise<StoredPacket | undefined> {
    return this.#wills.take(id);
  }

  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from(this.#wills.all().filter(({ brokerId }) => brokers[brokerId ?? ''] === undefined));
  }

  getClientList(topic: string): Readable {
    return Readable.from(this.subscriptions.holders(topic));
  }

  /** Whose the kept session of this client id is. */
  ownerOf(client: string): string | undefined {
    return this.#owners.get(client);
  }

  /** Notes that a persistent session ended its connection now. */
  async left({ id }: ClientRef): Promise<void> {
    this.queues.trim(id);
    this.#seenAt.set(id, this.options.clock.now());
    if (this.subscriptions.has(id)) await this.#saveSession(id);
    else if (this.queues.all(id).length === 0 && !this.inbound.hasAny(id)) this.#seenAt.delete(id);
  }

  /** Forgets sessions that have been away since before the instant, with their queues. @returns how many */
  async forgetSessions(before: UtcMillis, isConnected: (client: string) => boolean): Promise<number> {
    let forgotten = 0;
    for (const [id, seenAt] of [...this.#seenAt]) {
      if (seenAt >= before || isConnected(id)) continue;
      await this.cleanSubscriptions({ id });
      forgotten++;
    }
    return forgotten;
  }

  async destroy(): Promise<void> {
    this.retained.clear();
  }

  #own(client: string, owner: string): void {
    if (this.#owners.has(client)) return;
    this.#owners.set(client, owner);
    this.#sessions.add(owner, 1);
  }

  #disown(client: string): void {
    const owner = this.#owners.get(client);
    if (owner === undefined) return;
    this.#owners.delete(client);
    this.#sessions.add(owner, -1);
  }

  async #carryOut(plan: Plan | undefined): Promise<void> {
    if (plan === undefined) return;
    try {
      await this.options.state.write(plan.writes);
    } catch (error) {
      plan.rollback?.();
      throw error;
    }
    plan.commit();
  }

  async #saveSession(client: string): Promise<void> {
    const subscriptions = await this.subscriptionsByClient({ id: client });
    const seenAt = this.options.clock.now();
    const owner = this.#owners.get(client);
    const record: SessionRecord | undefined =
      subscriptions.length === 0
        ? undefined
        : { client, subscriptions, seenAt, ...(owner === undefined ? {} : { owner }) };
    if (record === undefined) {
      this.#seenAt.delete(client);
      this.#disown(client);
    } else this.#seenAt.set(client, seenAt);
    const key = keyOf(client);
    await this.options.state.write([
      record === undefined ? KEPT_SESSIONS.remove(key) : KEPT_SESSIONS.put(key, record),
    ]);
  }
}
