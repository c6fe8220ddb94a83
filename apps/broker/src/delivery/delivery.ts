import type { Millis } from '#libs/kernel';
import type { Client } from 'aedes';
import mqttPacket from 'mqtt-packet';
import type { Duplex } from 'node:stream';
import { grantedQos } from './granted-qos.js';
import type { Queued } from './persistence/outgoing-queues.js';
import type { Quota } from '../quota.js';
import type { StatePersistence } from './persistence/state-persistence.js';
import { sizeOf, type Qos, type StoredPacket } from './persistence/stored-packet.js';
import { StallWatch } from './stall-watch.js';

type Done = () => void;
type Deliver = (packet: StoredPacket, done: Done) => void;

/** Members of Aedes' client that its types do not name. */
interface Internals {
  readonly closed: boolean;
  /** The packet identifier that Aedes gives out next. */
  _nextId: number;
  deliver0: Deliver;
  deliverQoS: Deliver;
  /** Counts one packet as dealt with and reads on when there is none left. */
  readonly _nextBatch: () => void;
  readonly _parser: {
    on(event: 'packet', listener: (packet: { cmd: string; messageId?: number }) => void): void;
  };
  /** Called instead of going on when the client has not read what was written before. */
  waitForDrain(done: (error: Error | null, client: Client) => void): void;
}

export interface DeliveryOptions {
  readonly persistence: StatePersistence;
  /** QoS 1 and 2 messages on their way to a client that has not acknowledged them. */
  readonly maxInFlight: number;
  /** Bytes that wait in memory for a client; beyond them the oldest message goes. */
  readonly maxWaitingBytes: number;
  /** The same for all clients of a principal, and for all. */
  readonly waitingBytes: Quota;
  /** How long a client for which something waits may make no progress. */
  readonly stalledAfterMs: Millis;
  readonly ownerOf: (client: Client) => string;
  readonly mayForward: (client: Client, packet: StoredPacket) => boolean;
  readonly onDropped: () => void;
  readonly onStalled: (client: Client, detail: string) => void;
}

const LAST_IDENTIFIER = 65_535;
/** Answers that a client has not read, beyond which it is not read from. */
const MAX_ANSWERS = 64;
/** Read from the disk and written together. */
const BATCH_BYTES = 64 * 1024;

/**
 * How messages reach one client. Stands in for Aedes' own way, which departs from the standard where subscriptions
 * overlap, where messages overtake each other, and where a client comes back to a kept session; and which writes whatever
 * there is into the connection, however slowly it is read.
 *
 * Here a message is written only when the connection has taken the ones before, and of QoS 1 and 2 only a window is on
 * its way. The rest stays where it is: in the queue of a kept session or the store of retained messages, both on disk,
 * or, for a clean session and of QoS 0, in memory up to a bound.
 */
export class Delivery {
  readonly #internals: Internals;
  readonly #conn: Duplex;
  /** Identifiers of messages that are not acknowledged. */
  readonly #inFlight = new Set<number>();
  /** What waits in memory. */
  #live: StoredPacket[] = [];
  #liveBytes = 0;
  /** Retained messages that the client has to get, by the filter that it subscribed with. */
  readonly #cursors = new Map<string, Iterator<string | undefined, undefined>>();
  /** Of a kept session that came back what was sent before. */
  #again: Queued[] = [];
  readonly #answers: ((error: Error | null, client: Client) => void)[] = [];
  #last = 0;
  #hasBegun = false;
  #isFetching = false;
  /** Something came while the disk was being read. */
  #isWanted = false;
  readonly #stall: StallWatch;

  constructor(
    private readonly client: Client,
    private readonly options: DeliveryOptions,
  ) {
    this.#internals = client as unknown as Internals;
    this.#conn = client.conn;
    this.#stall = new StallWatch(
      client.conn,
      options.stalledAfterMs,
      () => this.#hasMore,
      (detail) => options.onStalled(client, detail),
    );
    this.#internals.deliver0 = (packet, done) => this.#deliver(packet, done);
    this.#internals.deliverQoS = this.#internals.deliver0;
    // Aedes reads on when its answer has been taken. Without it, who does not read its answers could have any number.
    this.#internals.waitForDrain = (done) => {
      this.#answers.push(done);
      this.#watchProgress();
    };
    const { _nextBatch: readOn } = this.#internals;
    this.#conn.removeListener('readable', readOn);
    // Aedes reads on with whatever arrives, also while answers wait.
    this.#conn.on('readable', () => {
      if (this.#answers.length < MAX_ANSWERS) readOn();
    });
    this.#conn.on('drain', () => this.#drained());
    this.#conn.once('close', () => this.#end());
    this.#internals._parser.on('packet', ({ cmd, messageId }) => {
      if ((cmd !== 'puback' && cmd !== 'pubcomp' && cmd !== 'pubrec') || messageId === undefined) return;
      this.#stall.advanced();
      if (cmd !== 'pubrec' && this.#inFlight.delete(messageId)) this.pump();
    });
  }

  /** Whether answers to the client wait until it reads. */
  get isBackedUp(): boolean {
    return this.#conn.writableNeedDrain;
  }

  /** CONNACK has gone out: what waited goes first. */
  begin(): void {
    this.#hasBegun = true;
    if (!this.client.clean) {
      this.#again = [...this.options.persistence.queues.sent(this.client.id)];
      for (const { messageId } of this.#again) if (messageId !== undefined) this.#inFlight.add(messageId);
    }
    this.pump();
  }

  /** The client has subscribed: it gets what is retained, also what it has got before [MQTT-3.8.4-3]. */
  subscribed(filters: readonly string[]): void {
    for (const filter of filters) this.#cursors.set(filter, this.options.persistence.retained.topics(filter));
    this.pump();
  }

  unsubscribed(filters: readonly string[]): void {
    for (const filter of filters) this.#cursors.delete(filter);
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (!this.#hasBegun) return;
    while (this.#isFree && this.#again.length === 0) {
      const [packet] = this.#live;
      if (packet === undefined || (packet.qos > 0 && !this.#hasWindow)) break;
      this.#live.shift();
      this.#count(packet, -1);
      this.#write(packet);
    }
    if (this.#isFetching) this.#isWanted = true;
    else if (this.#isFree) void this.#fetch();
    if (this.#hasMore) this.#watchProgress();
  }

  get #isFree(): boolean {
    return !this.#isGone && !this.#conn.writableNeedDrain;
  }

  get #isGone(): boolean {
    return this.#internals.closed || this.#conn.destroyed;
  }

  get #hasWindow(): boolean {
    return this.#inFlight.size < this.options.maxInFlight;
  }

  get #hasMore(): boolean {
    return (
      this.#answers.length > 0 ||
      this.#live.length > 0 ||
      this.#cursors.size > 0 ||
      this.#again.length > 0 ||
      this.#conn.writableLength > 0 ||
      (!this.client.clean && this.options.persistence.queues.next(this.client.id, 1, 1).length > 0)
    );
  }

  #hasNews(): boolean {
    return this.#isWanted;
  }

  #deliver(packet: StoredPacket, done: Done): void {
    setImmediate(done);
    const { brokerCounter = 0 } = packet;
    // Its subscriptions overlap: the copies of a message come in one turn, one after the other [MQTT-3.3.5-1].
    if (brokerCounter === this.#last) return;
    this.#last = brokerCounter;
    packet.qos = Math.min(packet.qos, grantedQos(this.client, packet.topic)) as Qos;
    // It is in the queue.
    if (packet.qos > 0 && !this.client.clean) {
      this.pump();
      return;
    }
    this.#count(packet, 1);
    this.#live.push(packet);
    this.pump();
    const { maxWaitingBytes, waitingBytes } = this.options;
    const owner = this.options.ownerOf(this.client);
    while (this.#liveBytes > maxWaitingBytes || !waitingBytes.fits(owner, 0)) {
      const oldest = this.#live.shift();
      if (oldest === undefined) break;
      this.#count(oldest, -1);
      this.options.onDropped();
    }
  }

  /** Brings the next messages from the disk: what was sent before, what is queued, what is retained. */
  async #fetch(): Promise<void> {
    const { persistence } = this.options;
    this.#isFetching = true;
    this.#isWanted = false;
    let hasSent = false;
    try {
      const packets =
        (await this.#repeated()) ?? (await this.#queued()) ?? (await this.#retained(persistence)) ?? [];
      hasSent = packets.length > 0;
      for (const packet of packets) this.#write(packet);
    } catch (error) {
      this.client.emit('error', error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isFetching = false;
    }
    if (hasSent || this.#hasNews()) this.pump();
  }

  async #repeated(): Promise<StoredPacket[] | undefined> {
    const { queues } = this.options.persistence;
    const place = this.#again.shift();
    if (place === undefined) return undefined;
    // Acknowledged meanwhile.
    if (!queues.sent(this.client.id).includes(place)) return this.#repeated();
    const places = [place];
    const packets = await queues.packets(places);
    const sent: StoredPacket[] = [];
    for (const packet of packets) {
      if (packet === undefined) continue;
      if (packet.cmd !== 'pubrel' && !this.options.mayForward(this.client, packet)) {
        if (packet.messageId !== undefined) this.#inFlight.delete(packet.messageId);
        await queues.remove(places);
        continue;
      }
      // [MQTT-3.3.1-1]
      sent.push({ ...packet, dup: true });
    }
    return sent.length > 0 ? sent : this.#repeated();
  }

  async #queued(): Promise<StoredPacket[] | undefined> {
    if (this.client.clean) return undefined;
    const { queues } = this.options.persistence;
    const free = this.options.maxInFlight - this.#inFlight.size;
    const places = queues.next(this.client.id, free, BATCH_BYTES);
    if (free <= 0 || places.length === 0) return undefined;
    const packets = await queues.packets(places);
    // Gone meanwhile: the connection that came after it may have them already, under other identifiers.
    if (this.#isGone) return undefined;
    const sent: StoredPacket[] = [];
    const noted: Queued[] = [];
    const refused: Queued[] = [];
    for (const [i, place] of places.entries()) {
      const packet = packets[i];
      if (packet === undefined) {
        refused.push(place);
        continue;
      }
      packet.messageId = this.#nextId();
      if (this.options.mayForward(this.client, packet)) {
        place.messageId = packet.messageId;
        this.#inFlight.add(packet.messageId);
        noted.push(place);
        sent.push(packet);
      } else refused.push(place);
    }
    // Repeated with the same identifier when its acknowledgement does not come [MQTT-4.4.0-1].
    await queues.noteSent(noted);
    await queues.remove(refused);
    return sent.length > 0 ? sent : this.#queued();
  }

  async #retained(persistence: StatePersistence): Promise<StoredPacket[] | undefined> {
    const [first] = this.#cursors;
    if (first === undefined) return undefined;
    const [filter, cursor] = first;
    const qosOf = (topic: string): Qos => grantedQos(this.client, topic);
    const free = this.options.maxInFlight - this.#inFlight.size;
    if (free <= 0 && qosOf(filter) > 0) return undefined;
    const topics: string[] = [];
    const most = Math.max(1, Math.min(free, this.#room));
    while (topics.length < most) {
      const next: IteratorResult<string | undefined, undefined> = cursor.next();
      const { done, value } = next;
      if (done === true) {
        if (this.#cursors.get(filter) === cursor) this.#cursors.delete(filter);
        break;
      }
      if (value !== undefined) topics.push(value);
      else {
        // Others have their turn.
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#internals.closed) return [];
      }
    }
    const sent: StoredPacket[] = [];
    for (const packet of await persistence.retained.read(topics)) {
      if (packet === undefined) continue;
      const { topic, payload } = packet;
      const message: StoredPacket = {
        cmd: 'publish',
        topic,
        ...(payload === undefined ? {} : { payload }),
        qos: Math.min(packet.qos, qosOf(topic)) as Qos,
        retain: true,
        dup: false,
      };
      this.#bytesOfRetained = sizeOf(message);
      if (message.qos > 0) message.messageId = this.#nextId();
      if (!this.options.mayForward(this.client, message)) continue;
      if (message.messageId !== undefined) this.#inFlight.add(message.messageId);
      sent.push(message);
    }
    if (!this.client.clean)
      await persistence.queues.keep(
        this.client.id,
        sent.filter(({ qos }) => qos > 0),
        () => !this.#isGone,
      );
    return sent.length > 0 ? sent : this.#retained(persistence);
  }
  #bytesOfRetained = BATCH_BYTES;

  /** How many retained messages fit into a batch, if they are as large as the last one. */
  get #room(): number {
    return Math.ceil(BATCH_BYTES / this.#bytesOfRetained);
  }

  #write(packet: StoredPacket): void {
    const { cmd, topic, payload = Buffer.alloc(0), qos, retain, dup } = packet;
    let { messageId } = packet;
    if (cmd === 'pubrel') {
      mqttPacket.writeToStream({ cmd: 'pubrel', messageId: messageId ?? 0 }, this.#conn);
      return;
    }
    if (qos > 0 && messageId === undefined) {
      messageId = this.#nextId();
      packet.messageId = messageId;
      if (!this.options.mayForward(this.client, packet)) return;
      this.#inFlight.add(messageId);
    } else if (qos === 0 && !retain && !this.options.mayForward(this.client, packet)) return;
    // Gone meanwhile: what is in the queue waits for its return.
    if (this.#isGone) return;
    mqttPacket.writeToStream(
      { cmd: 'publish', topic, payload, qos, retain, dup, ...(messageId === undefined ? {} : { messageId }) },
      this.#conn,
    );
  }

  #nextId(): number {
    const internals = this.#internals;
    for (;;) {
      const messageId = internals._nextId;
      internals._nextId = messageId >= LAST_IDENTIFIER ? 1 : messageId + 1;
      if (!this.#inFlight.has(messageId)) return messageId;
    }
  }

  #count(packet: StoredPacket, sign: 1 | -1): void {
    const bytes = sign * sizeOf(packet);
    this.#liveBytes += bytes;
    this.options.waitingBytes.add(this.options.ownerOf(this.client), bytes);
  }

  #drained(): void {
    this.#stall.advanced();
    for (const done of this.#answers.splice(0)) setImmediate(done, null, this.client);
    this.pump();
  }

  #watchProgress(): void {
    if (!this.#internals.closed) this.#stall.start();
  }

  #end(): void {
    this.#stall.stop();
    this.#cursors.clear();
    this.#again = [];
    for (const packet of this.#live.splice(0)) this.#count(packet, -1);
    for (const done of this.#answers.splice(0)) setImmediate(done, null, this.client);
  }
}
