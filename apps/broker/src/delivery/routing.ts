import { type Callback } from '../callback.js';
import type { StateStore } from '#libs/state';
import type { Aedes, Client, PublishPacket } from 'aedes';
import { Readable } from 'node:stream';
import { StatePersistence } from './persistence/state-persistence.js';
import type { Plan, StoredPacket } from './persistence/stored-packet.js';

interface AedesInternals {
  readonly id: string;
  counter: number;
  readonly mq: { emit(packet: object, done: Callback): void };
  publish(packet: object, client: object | Callback | null, done?: Callback): void;
}

/** Who sent a message. */
export interface Sender {
  /** Its connection; the answers to it keep their order. */
  readonly connection: object;
  readonly clientId: string | undefined;
  readonly owner: string;
}

interface Waiting {
  readonly packet: StoredPacket;
  readonly connection: object;
  readonly plans: readonly Plan[];
  readonly done: Callback;
}

/** There is no space for new input; it is not acknowledged, and its sender has it still. */
export class NoSpaceError extends Error {}

/** The sender has too many QoS 2 messages without a PUBREL. */
export class TooManyInboundError extends Error {}

/**
 * Messages that others shall read: retained, or queued for kept sessions, or both. All that one turn of the event loop
 * brings is one commit, and only after it is anything acknowledged, delivered, or read by who subscribes. Aedes, which
 * would write its PUBACK first, afterwards hands the message to those who are connected, and does nothing else.
 */
export class Routing {
  readonly #aedes: AedesInternals;
  /** What was routed here, as Aedes knows it. */
  readonly #routed = new WeakSet<object>();
  /** Messages by connection that are on their way to the disk. */
  readonly #pending = new WeakMap<object, number>();
  #fresh: Waiting[] | undefined;
  /** Settles when everything that was handed over for writing is called back. */
  #settled: Promise<unknown> = Promise.resolve();

  constructor(
    aedes: Aedes,
    private readonly state: StateStore,
    private readonly persistence: RoutedPersistence,
    private readonly space: { readonly accepting: boolean } = { accepting: true },
  ) {
    this.#aedes = aedes as unknown as AedesInternals;
    persistence.isRouted = (packet) => this.#routed.has(packet);
    const publish = this.#aedes.publish.bind(this.#aedes);
    this.#aedes.publish = (packet, client, done) => {
      if (!this.#routed.has(packet) || done === undefined) publish(packet, client, done);
      else this.#emit(packet as StoredPacket, client as Client | null, done);
    };
  }

  /** Whether the message has to be written down for anybody but the journal. */
  isNeeded({ qos, retain }: PublishPacket, connection: object): boolean {
    return qos === 2 || retain || this.#pending.has(connection);
  }

  /** Calls back once the message is durable for all who are to have it. */
  add(packet: StoredPacket, { connection, clientId, owner }: Sender, done: Callback): void {
    const { qos, messageId = 0 } = packet;
    let plans: Plan[] = [];
    if (qos !== 2 || clientId === undefined || !this.persistence.inbound.has(clientId, messageId)) {
      packet.brokerId = this.#aedes.id;
      packet.brokerCounter = ++this.#aedes.counter;
      if (qos === 2 && clientId !== undefined) {
        const received = this.persistence.inbound.plan(clientId, owner, messageId);
        if (received === undefined) {
          done(new TooManyInboundError('too many QoS 2 messages wait for their PUBREL'));
          return;
        }
        plans.push(received);
      }
      plans = [...plans, ...this.persistence.planRouting(packet, owner)];
      this.#routed.add(packet);
    }
    const pending = this.#pending.get(connection) ?? 0;
    if (plans.length === 0 && pending === 0) {
      done(null);
      return;
    }
    this.#pending.set(connection, pending + 1);
    if (this.#fresh === undefined) {
      this.#fresh = [];
      setImmediate(() => this.#flush());
    }
    this.#fresh.push({ packet, connection, plans, done });
  }

  /** Retains and delivers a message of the broker's own; returns when it is durable. */
  async publish(packet: StoredPacket): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.add(packet, { connection: this, clientId: undefined, owner: '' }, (error) => {
        if (error == null) resolve();
        else reject(error);
      });
    });
    this.#emit(packet, null, () => undefined);
  }

  #flush(): void {
    let batch = this.#fresh ?? [];
    this.#fresh = undefined;
    const isInput = ({ plans, connection }: Waiting): boolean => plans.length > 0 && connection !== this;
    if (batch.some(isInput) && !this.space.accepting) {
      // The reserve is for the stages, and for what they want retained.
      const refused = batch.filter(isInput);
      batch = batch.filter((waiting) => !isInput(waiting));
      const error = new NoSpaceError('no space for new messages');
      this.#settled = this.#settled.then(() => this.#settle(refused, error));
    }
    const writes = batch.flatMap(({ plans }) => plans.flatMap((plan) => plan.writes));
    const written = (writes.length === 0 ? Promise.resolve() : this.state.write(writes)).then(
      () => null,
      (error: unknown) => error as Error,
    );
    // One that has nothing to write does not overtake.
    this.#settled = Promise.all([written, this.#settled]).then(([failure]) => this.#settle(batch, failure));
  }

  #settle(batch: readonly Waiting[], failure: Error | null): void {
    for (const { packet, connection, plans, done } of batch) {
      for (const plan of plans) {
        if (failure === null) plan.commit();
        else plan.rollback?.();
      }
      if (failure !== null) this.#routed.delete(packet);
      const pending = (this.#pending.get(connection) ?? 1) - 1;
      if (pending === 0) this.#pending.delete(connection);
      else this.#pending.set(connection, pending);
      done(failure);
    }
  }

  #emit(packet: StoredPacket, client: Client | null, done: Callback): void {
    const { brokerId, brokerCounter, topic, payload, qos, retain } = packet;
    const from = client === null ? {} : { clientId: client.id };
    const message = {
      cmd: 'publish',
      brokerId,
      brokerCounter,
      topic,
      payload,
      qos,
      retain,
      dup: false,
      ...from,
    };
    this.#aedes.mq.emit(message, done);
  }
}

/** The persistence as Aedes sees it where {@link Routing} keeps what is received and a delivery sends what is kept. */
export class RoutedPersistence extends StatePersistence {
  isRouted: (packet: object) => boolean = () => false;

  /** What is in the queue is sent by the delivery, at the pace of its client. */
  override outgoingStream(): Readable {
    return Readable.from([]);
  }

  /** The same goes for retained messages. */
  override createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  override async incomingGetPacket(
    client: { readonly id: string },
    packet: { readonly messageId?: number },
  ): Promise<Partial<StoredPacket>> {
    // The first time that it came: its identifier is known because of itself.
    if (this.isRouted(packet) || !this.inbound.has(client.id, packet.messageId ?? 0))
      throw new Error('no such packet');
    return packet;
  }

  override async incomingStorePacket(): Promise<void> {
    // Stored with the message.
  }
}
