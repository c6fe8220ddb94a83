import type { Writable } from 'node:stream';

const PUBACK = 0x40;
const PUBACK_BYTES = 4;

/** PUBACKs that go out together: one write for each connection instead of one for each message. */
export class Acknowledgements {
  readonly #pending = new Map<Writable, number[]>();

  /** @param onWritten - told how many messages of which connection were acknowledged */
  constructor(private readonly onWritten: (connection: Writable, count: number) => void) {}

  /** @param messageIds - in the order of the messages; taken over */
  add(connection: Writable, messageIds: number[]): void {
    const known = this.#pending.get(connection);
    if (known === undefined) this.#pending.set(connection, messageIds);
    else for (const messageId of messageIds) known.push(messageId);
  }

  /** Writes what is there for all connections. */
  flush(): void {
    for (const [connection, messageIds] of this.#pending) this.#write(connection, messageIds);
    this.#pending.clear();
  }

  /** Writes what is there for one connection, before another packet goes out to it. */
  flushOne(connection: Writable): void {
    const messageIds = this.#pending.get(connection);
    if (messageIds === undefined) return;
    this.#pending.delete(connection);
    this.#write(connection, messageIds);
  }

  #write(connection: Writable, messageIds: readonly number[]): void {
    if (connection.destroyed || connection.writableEnded) return;
    const bytes = Buffer.allocUnsafe(messageIds.length * PUBACK_BYTES);
    let at = 0;
    for (const messageId of messageIds) {
      bytes[at] = PUBACK;
      bytes[at + 1] = 2;
      bytes.writeUInt16BE(messageId, at + 2);
      at += PUBACK_BYTES;
    }
    connection.write(bytes);
    this.onWritten(connection, messageIds.length);
  }
}
