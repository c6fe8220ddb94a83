import { PantauError, type UtcMillis } from '#libs/kernel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connectPacket } from './packets.js';
import type { MessageTemplate } from './template.js';

export interface LoadTarget {
  readonly clientId: string;
  /** The client id when not given. */
  readonly username?: string;
  /** Undefined connects anonymously. */
  readonly password?: string | undefined;
  /** Published to in turn. */
  readonly topics: readonly string[];
}

const PUBACK_BYTES = 4;
const MOST_MESSAGE_IDS = 65_535;
const DISCONNECT = Buffer.from([0xe0, 0]);

/** An MQTT connection that publishes at QoS 1 over a raw socket and counts acknowledgements. */
export class LoadConnection {
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>;
  sent = 0;
  acknowledged = 0;
  readonly #socket: Socket;
  readonly #message: MessageTemplate;
  readonly #templates: readonly Buffer[];
  readonly #firstTs: UtcMillis;

  private constructor(
    socket: Socket,
    { clientId, topics }: LoadTarget,
    message: MessageTemplate,
    firstTs: UtcMillis,
  ) {
    this.#socket = socket;
    this.#message = message;
    this.#templates = topics.map((topic) => message.publishTo(topic));
    this.#firstTs = firstTs;
    this.lost = new Promise((_resolve, reject) => {
      const fail = (): void =>
        reject(
          new PantauError(
            'STORE_UNAVAILABLE',
            `the connection of ${clientId} was lost; ${this.sent - this.acknowledged} of ${this.sent} messages are owed.`,
          ),
        );
      socket.once('close', fail);
      socket.on('error', fail);
    });
    this.lost.catch(() => undefined);
  }

  /** @throws PantauError `STORE_UNAVAILABLE` when the broker refuses or closes */
  static async open(
    { host, port }: { readonly host: string; readonly port: number },
    target: LoadTarget,
    message: MessageTemplate,
    firstTs: UtcMillis,
  ): Promise<LoadConnection> {
    const { clientId, username = clientId, password } = target;
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    socket.write(connectPacket(clientId, password, 0, username));
    const closed = once(socket, 'close').then(() => {
      throw new PantauError(
        'STORE_UNAVAILABLE',
        `the broker closes the connection of ${clientId} unanswered.`,
      );
    });
    const [connack] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
    closed.catch(() => undefined);
    if (connack[0] !== 0x20 || connack[3] !== 0) {
      socket.destroy();
      throw new PantauError(
        'STORE_UNAVAILABLE',
        `the broker refuses ${clientId}, CONNACK code ${connack[3] ?? '?'}.`,
      );
    }
    return new LoadConnection(socket, target, message, firstTs);
  }

  /** Tells of every acknowledgement, by its number. */
  onAcknowledged(listener: (message: number) => void): void {
    let partial = 0;
    this.#socket.on('data', (chunk: Buffer) => {
      // Nothing but PUBACKs arrives here, so counting bytes counts acknowledgements.
      const bytes = partial + chunk.length;
      partial = bytes % PUBACK_BYTES;
      for (let n = Math.floor(bytes / PUBACK_BYTES); n > 0; n--) listener(this.acknowledged++);
    });
  }

  /** Publishes the next `count` messages in one write. */
  send(count: number): void {
    const messages = Array.from(
      { length: count },
      (_, i) => this.#templates[(this.sent + i) % this.#templates.length] ?? Buffer.alloc(0),
    );
    const chunk = Buffer.allocUnsafe(messages.reduce((bytes, { length }) => bytes + length, 0));
    let at = 0;
    for (const template of messages) {
      template.copy(chunk, at);
      at += template.length;
      const turn = Math.floor(this.sent / this.#templates.length);
      this.#message.patch(chunk, at, (this.sent % MOST_MESSAGE_IDS) + 1, turn, this.#firstTs);
      this.sent++;
    }
    this.#socket.write(chunk);
  }

  end(): void {
    this.#socket.end(DISCONNECT);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
