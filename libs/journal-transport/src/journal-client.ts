import type { Journal, NewEntry } from '#libs/journal';
import { PantauError } from '#libs/kernel';
import { ClientProxy, type ReadPacket } from '@nestjs/microservices';

/**
 * Appends through Nest's `ClientProxy`: `client.emit('stream', entries)` completes once the entries are durable.
 * Streams are one-way, so `send` fails.
 */
export class JournalClient extends ClientProxy {
  constructor(private readonly journal: Journal) {
    super();
  }

  async connect(): Promise<Journal> {
    return this.journal;
  }

  /** The journal belongs to the composition root, which closes it. */
  close(): void {
    return;
  }

  unwrap<T>(): T {
    return this.journal as T;
  }

  protected override async dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    const { pattern, data } = packet as { pattern: unknown; data: readonly NewEntry[] };
    if (typeof pattern !== 'string')
      throw new PantauError('USAGE', 'the pattern of a journal event is the name of a stream.');
    await this.journal.append(pattern, data);
    return undefined as T;
  }

  protected override publish(): never {
    throw new PantauError('USAGE', 'a stream gives no answer; use emit.');
  }
}
