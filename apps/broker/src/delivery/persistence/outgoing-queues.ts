import { sortable } from '#libs/kernel';
import type { StateStore, StateWrite } from '#libs/state';
import { MESSAGES, PLACES } from '../../namespaces.js';
import type { Quota } from '../../quota.js';
import type { PlaceRecord } from './records.js';
import {
  copy,
  keyOf,
  plain,
  sizeOf,
  unsent,
  type Plan,
  type Qos,
  type StoredPacket,
} from './stored-packet.js';

/** Who a message is kept for. */
export interface Recipient {
  readonly clientId: string;
  /** Of the subscription; without it that of the message. */
  readonly qos?: Qos;
}

/** A message that several queues may hold: its bytes are on disk once, and in memory not at all. */
interface Message {
  readonly key: string;
  readonly topic: string;
  readonly bytes: number;
  readonly brokerId: string | undefined;
  readonly brokerCounter: number | undefined;
  /** Places in queues that hold it. */
  places: number;
}

/** The place of a message in the queue of a client. */
export interface Queued {
  readonly key: string;
  readonly client: string;
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  /** There once it was sent. */
  messageId: number | undefined;
  /** Whether the client has it and a PUBREL is what is owed. */
  released: boolean;
}

interface Queue {
  readonly owner: string;
  /** What was sent and is not acknowledged, in the order of sending. */
  readonly sent: Queued[];
  /** What was not sent yet. */
  waiting: Queued[];
  /** Those of the beginning of `waiting` that have left. */
  left: number;
  bytes: number;
}

export interface OutgoingQueuesOptions {
  readonly state: StateStore;
  /** Messages for a client that is away. */
  readonly maxMessages: number;
  /** Bytes for a client, connected or away. */
  readonly maxBytes: number;
  readonly quota: Quota;
  /** Whose client it is. */
  readonly ownerOf: (client: string) => string | undefined;
  readonly isConnected: (client: string) => boolean;
  readonly onDropped: (client: string) => void;
  /** There is something that was not sent yet. */
  readonly onQueued: (client: string) => void;
  /** What had to be removed could not be removed from the disk; it is removed at the next start. */
  readonly onError: (error: unknown) => void;
}

const COMPACTED_AT = 1_000;

/**
 * The queues of kept sessions. A message is on disk before it is in a queue, and leaves the disk when no queue holds it.
 * When a queue is full its oldest message that was not sent yet goes; one that was sent stays until it is acknowledged.
 */
export class OutgoingQueues {
  readonly #queues = new Map<string, Queue>();
  #sequence = 0;

  constructor(private readonly options: OutgoingQueuesOptions) {}

  /** Reads what an earlier run left. */
  async load(): Promise<void> {
    const { state } = this.options;
    const messages = new Map<string, Message>();
    for (const { key, value } of await state.list(PLACES)) {
      this.#sequence = Math.max(this.#sequence, Number(key.slice(key.lastIndexOf('/') + 1)));
      if ('packet' in value) {
        const message = this.#message(value.packet, `copy:${key}`);
        const place = this.#place(value.client, value.packet, message, key);
        place.messageId = value.packet.messageId;
        place.released = value.packet.cmd === 'pubrel';
        await state.write([messageWrite(place.message, value.packet), placeWrite(place)]);
        this.#insert(place);
        continue;
      }
      const { client, message: id, topic, bytes, qos, retain = false, messageId, released = false } = value;
      const message = messages.get(id) ?? {
        key: id,
        topic,
        bytes,
        brokerId: undefined,
        brokerCounter: undefined,
        places: 0,
      };
      messages.set(id, message);
      message.places++;
      this.#insert({ key, client, message, qos, retain, messageId, released });
    }
    for (const client of [...this.#queues.keys()]) this.trim(client);
  }

  /** Clients that have a queue. */
  clients(): Iterable<string> {
    return this.#queues.keys();
  }

  /** Puts a message into the queues of its recipients. */
  plan(recipients: readonly Recipient[], packet: StoredPacket): Plan | undefined {
    if (recipients.length === 0) return undefined;
    // A client with several matching subscriptions gets the message once, with the highest QoS of them [MQTT-3.3.5-1].
    const highest = new Map<string, Qos>();
    for (const { clientId, qos = packet.qos } of recipients)
      highest.set(clientId, Math.max(qos, highest.get(clientId) ?? 0) as Qos);
    const message = this.#message(packet);
    // [MQTT-3.8.4-6, MQTT-3.3.1-9]
    const places = Array.from(highest, ([client, qos]) =>
      this.#place(client, { qos: Math.min(qos, packet.qos) as Qos, retain: false }, message),
    );
    return {
      writes: [messageWrite(message, packet), ...places.map(placeWrite)],
      commit: () => {
        for (const place of places) {
          this.#insert(place);
          this.trim(place.client);
          this.options.onQueued(place.client);
        }
      },
    };
  }

  /**
   * Keeps messages that have their packet identifiers already, until they are acknowledged.
   *
   * @param isThere - whether the connection that the identifiers are of still is; without it they wait for the next one
   */
  async keep(client: string, packets: readonly StoredPacket[], isThere: () => boolean): Promise<void> {
    const places = packets.map((packet) => {
      const place = this.#place(client, packet, this.#message(packet));
      place.messageId = packet.messageId;
      return place;
    });
    await this.options.state.write(
      packets.flatMap((packet, i) => {
        const place = places[i];
        return place === undefined ? [] : [messageWrite(place.message, packet), placeWrite(place)];
      }),
    );
    if (isThere() || places.length === 0) {
      for (const place of places) this.#insert(place);
      return;
    }
    for (const place of places) {
      place.messageId = undefined;
      this.#insert(place);
    }
    this.options.onQueued(client);
    await this.options.state.write(places.map(placeWrite));
  }

  /** What was sent and is not acknowledged, in the order of sending. */
  sent(client: string): readonly Queued[] {
    return this.#queues.get(client)?.sent ?? [];
  }

  /** The next messages that were not sent yet: at least one, if there is one, and not more than so many or so many bytes. */
  next(client: string, count: number, bytes: number): readonly Queued[] {
    const queue = this.#queues.get(client);
    if (queue === undefined) return [];
    let end = queue.left;
    let sum = 0;
    for (; end - queue.left < count && (end === queue.left || sum < bytes); end++) {
      const place = queue.waiting[end];
      if (place === undefined) break;
      sum += place.message.bytes;
    }
    return queue.waiting.slice(queue.left, end);
  }

  /** All of a client's queue. */
  all(client: string): readonly Queued[] {
    const queue = this.#queues.get(client);
    return queue === undefined ? [] : [...queue.sent, ...queue.waiting.slice(queue.left)];
  }

  /** Notes that messages are on their way, with the identifiers that they have now. */
  async noteSent(places: readonly Queued[]): Promise<void> {
    for (const place of places) {
      const queue = this.#queues.get(place.client);
      if (queue === undefined || !takeWaiting(queue, place)) continue;
      queue.sent.push(place);
    }
    await this.options.state.write(places.map(placeWrite));
  }

  /** Notes that the client has a QoS 2 message: its bytes are not needed any more. */
  async noteReleased(place: Queued): Promise<void> {
    if (place.released) return;
    place.released = true;
    await this.options.state.write([placeWrite(place)]);
  }

  /** Takes messages out of their queues. */
  async remove(places: readonly Queued[]): Promise<void> {
    const writes = places.flatMap((place) => this.#remove(place));
    if (writes.length > 0) await this.options.state.write(writes);
  }

  /** Forgets the queue of a client. @returns what to write */
  clear(client: string): StateWrite[] {
    return this.all(client).flatMap((place) => this.#remove(place));
  }

  /** Drops the oldest of a queue that holds more than it may. */
  trim(client: string): void {
    const queue = this.#queues.get(client);
    if (queue === undefined) return;
    const { maxMessages, maxBytes, quota, isConnected, onDropped, onError } = this.options;
    const most = isConnected(client) ? Infinity : maxMessages;
    let dropped = 0;
    const lengthOf = (): number => queue.sent.length + queue.waiting.length - queue.left;
    for (;;) {
      const oldest = queue.waiting[queue.left];
      const isWithin = lengthOf() <= most && queue.bytes <= maxBytes && quota.fits(queue.owner, 0);
      if (oldest === undefined || isWithin) break;
      dropped++;
      this.options.state.write(this.#remove(oldest)).catch(onError);
    }
    while (dropped-- > 0) onDropped(client);
  }

  /** The message itself; undefined when it left meanwhile. */
  async packets(places: readonly Queued[]): Promise<(StoredPacket | undefined)[]> {
    const stored = await this.options.state.getMany(
      MESSAGES,
      places.map(({ message }) => message.key),
    );
    return places.map((place, i) => {
      const { messageId, qos, retain, released } = place;
      if (released) return { cmd: 'pubrel', messageId } as StoredPacket;
      const packet = stored[i];
      return packet === undefined ? undefined : { ...copy(packet), messageId, qos, retain };
    });
  }

  /** By packet identifier, among what was sent. */
  findSent(client: string, messageId: number): Queued | undefined {
    return this.sent(client).find((place) => place.messageId === messageId);
  }

  /** By the number that the broker gave the message. */
  find(client: string, { brokerId, brokerCounter }: StoredPacket): Queued | undefined {
    if (brokerId === undefined) return undefined;
    return this.all(client).find(
      ({ message }) => message.brokerId === brokerId && message.brokerCounter === brokerCounter,
    );
  }

  #message(packet: StoredPacket, id = this.#nextId()): Message {
    const { topic = '', brokerId, brokerCounter } = packet as Partial<StoredPacket>;
    const bytes = sizeOf({ topic, ...(packet.payload === undefined ? {} : { payload: packet.payload }) });
    return { key: id, topic, bytes, brokerId, brokerCounter, places: 0 };
  }

  #place(
    client: string,
    { qos, retain }: Pick<StoredPacket, 'qos' | 'retain'>,
    message: Message,
    key = `${keyOf(client)}/${this.#nextId()}`,
  ): Queued {
    message.places++;
    return { key, client, message, qos, retain, messageId: undefined, released: false };
  }

  #nextId(): string {
    return sortable(++this.#sequence, 16);
  }

  #insert(place: Queued): void {
    const { client, message } = place;
    let queue = this.#queues.get(client);
    if (queue === undefined) {
      const owner = this.options.ownerOf(client) ?? '';
      this.#queues.set(client, (queue = { owner, sent: [], waiting: [], left: 0, bytes: 0 }));
    }
    if (place.messageId === undefined) queue.waiting.push(place);
    else queue.sent.push(place);
    queue.bytes += message.bytes;
    this.options.quota.add(queue.owner, message.bytes);
  }

  /** @returns what to write */
  #remove(place: Queued): StateWrite[] {
    const queue = this.#queues.get(place.client);
    if (queue === undefined) return [];
    const at = queue.sent.indexOf(place);
    if (at !== -1) queue.sent.splice(at, 1);
    else if (!takeWaiting(queue, place)) return [];
    const { message } = place;
    queue.bytes -= message.bytes;
    this.options.quota.add(queue.owner, -message.bytes);
    if (queue.sent.length === 0 && queue.left === queue.waiting.length) this.#queues.delete(place.client);
    const writes: StateWrite[] = [PLACES.remove(place.key)];
    if (--message.places === 0) writes.push(MESSAGES.remove(message.key));
    return writes;
  }
}

/** @returns whether it was there */
function takeWaiting(queue: Queue, place: Queued): boolean {
  // Nearly always the first.
  const at = queue.waiting.indexOf(place, queue.left);
  if (at === -1) return false;
  if (at === queue.left) queue.left++;
  else queue.waiting.splice(at, 1);
  if (queue.left === queue.waiting.length || queue.left >= COMPACTED_AT) {
    queue.waiting = queue.waiting.slice(queue.left);
    queue.left = 0;
  }
  return true;
}

function messageWrite({ key }: Message, packet: StoredPacket): StateWrite {
  return MESSAGES.put(key, plain({ ...unsent(packet), dup: false }));
}

function placeWrite({ key, client, message, qos, retain, messageId, released }: Queued): StateWrite {
  const { topic, bytes } = message;
  const value: PlaceRecord = {
    client,
    message: message.key,
    topic,
    bytes,
    qos,
    ...(retain ? { retain } : {}),
    ...(messageId === undefined ? {} : { messageId }),
    ...(released ? { released } : {}),
  };
  return PLACES.put(key, value);
}
