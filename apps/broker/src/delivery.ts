import { filterMatches } from '#libs/telemetry';
import type { Client } from 'aedes';
import mqttPacket from 'mqtt-packet';
import type { StatePersistence, StoredPacket } from './state-persistence.js';

type Qos = 0 | 1 | 2;
type Deliver = (packet: StoredPacket, done: () => void) => void;

/** Members of Aedes' client that its types do not name. */
interface Internals {
  readonly closed: boolean;
  readonly subscriptions: Readonly<Record<string, { readonly qos: Qos }>>;
  /** The newest message that it was sent, by broker. */
  readonly duplicates: Record<string, number>;
  /** The packet identifier that Aedes gives out next. */
  _nextId: number;
  deliver0: Deliver;
  deliverQoS: Deliver;
  /** Called instead of going on when the client has not read what was written before. */
  waitForDrain(done: () => void): void;
}

const LAST_IDENTIFIER = 65_535;

/**
 * How messages reach one client. Stands in for Aedes' own way, which departs from the standard where subscriptions
 * overlap, where messages overtake each other, and where a client comes back to a kept session.
 */
export class Delivery {
  readonly #internals: Internals;
  /** Messages of this run that the client was sent out of its queue; the live copy of the newest is still on its way. */
  readonly #sentQueued = new Set<number>();
  #last = 0;
  #hasBegun = false;

  constructor(
    private readonly client: Client,
    private readonly persistence: StatePersistence,
    private readonly mayForward: (packet: StoredPacket) => boolean,
  ) {
    this.#internals = client as unknown as Internals;
    const { deliver0 } = this.#internals;
    const deliver: Deliver = (packet, done) => this.#deliver(packet, deliver0, done);
    this.#internals.deliver0 = deliver;
    this.#internals.deliverQoS = deliver;
  }

  /** Aedes sends what waited in the queue, before {@link begin}. */
  sendingQueued({ brokerId, brokerCounter = 0 }: Pick<StoredPacket, 'brokerId' | 'brokerCounter'>): void {
    if (!this.#hasBegun && brokerId === this.persistence.broker?.id) this.#sentQueued.add(brokerCounter);
  }

  /** CONNACK and everything that waited have gone out: from now on messages come live. */
  begin(): void {
    this.#hasBegun = true;
    if (this.client.clean) return;
    // What came since Aedes looked.
    for (const packet of this.persistence.unsent(this.client.id)) {
      this.#sentQueued.add(packet.brokerCounter ?? 0);
      this.#send({ ...packet }, false, () => undefined);
    }
  }

  #deliver(packet: StoredPacket, deliver0: Deliver, done: () => void): void {
    const { brokerId, brokerCounter = 0 } = packet;
    // Retained messages come without one: Aedes sets it to null.
    const isRetained = typeof brokerId !== 'string';
    if (!isRetained) {
      // Its subscriptions overlap: the copies of a message come in one turn, one after the other [MQTT-3.3.5-1]. Aedes
      // would take every message for a copy that a newer one has overtaken on the way, and lose it.
      if (brokerCounter === this.#last) {
        setImmediate(done);
        return;
      }
      this.#last = brokerCounter;
      this.#internals.duplicates[brokerId] = 0;
    }
    packet.qos = Math.min(packet.qos, grantedQos(this.client, packet.topic)) as Qos;
    // That of the publisher says nothing about this delivery [MQTT-3.3.1-3].
    packet.dup = false;
    // Nothing may come before CONNACK [MQTT-3.2.0-1] or overtake what waited. This one is in the queue itself, or of QoS 0.
    if (!this.client.clean && !this.#hasBegun) setImmediate(done);
    else if (packet.qos === 0) deliver0(packet, done);
    else if (!isRetained && this.#sentQueued.delete(brokerCounter)) setImmediate(done);
    else this.#send(packet, isRetained, done);
  }

  #send(packet: StoredPacket, isRetained: boolean, done: () => void): void {
    const internals = this.#internals;
    const messageId = internals._nextId;
    internals._nextId = messageId >= LAST_IDENTIFIER ? 1 : messageId + 1;
    packet.messageId = messageId;
    const isAllowed = this.mayForward(packet);
    const { topic, payload = Buffer.alloc(0), qos, retain, dup } = packet;
    this.#note(packet, isAllowed, isRetained)
      .then(() => {
        // Gone meanwhile: what is in the queue waits for its return.
        if (!isAllowed || internals.closed) setImmediate(done);
        else if (
          mqttPacket.writeToStream(
            { cmd: 'publish', topic, payload, qos, retain, dup, messageId },
            this.client.conn,
          )
        )
          setImmediate(done);
        else internals.waitForDrain(done);
      })
      .catch((error: unknown) => {
        this.client.emit('error', error);
        done();
      });
  }

  /** Makes the queue of a kept session tell what is on its way. */
  async #note(packet: StoredPacket, isAllowed: boolean, isRetained: boolean): Promise<void> {
    if (this.client.clean) return;
    if (!isAllowed) await this.persistence.outgoingForget(this.client, packet);
    // Sent again like any other when its acknowledgement does not come [MQTT-4.4.0-1].
    else if (isRetained) await this.persistence.outgoingKeep(this.client, packet);
    else await this.persistence.outgoingUpdate(this.client, packet);
  }
}

/** The highest QoS of a client's subscriptions that match. */
export function grantedQos(client: Client, topic: string): Qos {
  const { subscriptions } = client as unknown as Internals;
  let highest: Qos = 0;
  for (const [filter, { qos }] of Object.entries(subscriptions))
    if (qos > highest && filterMatches(filter, topic)) highest = qos;
  return highest;
}
