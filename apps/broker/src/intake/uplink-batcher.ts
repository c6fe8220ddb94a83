import { type Callback } from '../callback.js';
import type { Journal, JournalSpace, NewEntry } from '#libs/journal';
import { PantauError, type Millis, type UtcMillis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { Uplink } from '#libs/telemetry';
import type { DirectPublish } from '../door/frame-guard.js';
import { UplinkBatch, type Waiting } from './uplink-batch.js';
import type { UplinkTemplate } from './uplink-template.js';

/** A message that waits for space. */
interface Held extends Waiting {
  readonly entry: NewEntry<Uplink>;
}

export interface UplinkBatcherOptions {
  /** Told how long an append took, in seconds. */
  readonly onAppended?: (seconds: number) => void;
  /**
   * Messages that were added directly are durable, or not taken for the error's reason; in their order.
   *
   * @param bytes - what their topics and payloads took; those of messages that were held together are told with the first
   */
  readonly onDirect?: (sender: object, messageIds: number[], error: Error | null, bytes: number) => void;
  /** All messages of an append were called back. */
  readonly onSettled?: () => void;
  /** A message has to wait for space; its connection should go on being read, so that keep-alive works. */
  readonly onHeld?: (sender: object) => void;
  /** Whose a connection is; its own when not given. */
  readonly ownerOf?: (sender: object) => unknown;
  /** Bytes that may wait in all, and for one owner. */
  readonly maxHeldBytes?: number;
  readonly maxHeldBytesPerOwner?: number;
  readonly retryMs?: Millis;
}

const RETRY_MS = 1_000;
/** Room for thousands of devices with a few messages on the way each, and the process keeps its size. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** A gateway may have a thousand messages on the way, and still be only a sixteenth of all. */
const MAX_HELD_BYTES_PER_OWNER = 4 * 1024 * 1024;
/** What a message costs beside payload and topic: packet, entry, callbacks. */
const OVERHEAD_BYTES = 2_048;
const RETRIED_TOGETHER = 1_000;

/**
 * Collects the messages that one turn of the event loop brings from all sockets, appends them together and calls each
 * back once they are durable. One promise for hundreds of messages instead of one for each, and their bytes,
 * where the journal offers it, written where they are stored: with the fsync shared already, objects were what a message cost most.
 *
 * While the journal is full it holds messages and their callbacks, in order, and tries again until there is space:
 * nothing is acknowledged and nobody is thrown out. Only beyond a bound is a message refused, which closes its
 * connection; the device has it still.
 */
export class UplinkBatcher {
  readonly #options: UplinkBatcherOptions;
  #fresh: UplinkBatch | undefined;
  /** Oldest first; there from the first refusal until all of them are durable. */
  #held: Held[] | undefined;
  #heldBytes = 0;
  readonly #heldByOwner = new Map<unknown, number>();
  #refused = 0;
  #retry: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(
    private readonly journal: Journal,
    private readonly logger: Logger,
    options: UplinkBatcherOptions = {},
  ) {
    this.#options = options;
  }

  /** Whether messages wait for space. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** What those that wait cost. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * @param done - called without an error once the message is on disk
   * @param sender - the connection, see {@link release}
   * @param blocks - whether the connection is not read until then
   */
  add(data: Uplink, done: Callback, sender: object, blocks = true): void {
    try {
      this.#batch().add(data, { done, sender, blocks });
    } catch (error) {
      done(error as Error);
    }
  }

  /** Whether {@link addDirect} may be called: the journal takes what a producer writes into its memory itself. */
  get takesDirectly(): boolean {
    return this.journal.direct !== undefined;
  }

  /**
   * Adds a message of QoS 1 that is told of by `onDirect`, and whose connection is read on meanwhile.
   */
  addDirect(sender: object, template: UplinkTemplate, receivedAt: UtcMillis, message: DirectPublish): void {
    const { bytes, dup, messageId, topicAt, payloadAt, end } = message;
    const batch = this.#batch().addDirect(sender, messageId, end - topicAt);
    template.write(batch, receivedAt, messageId, dup, bytes, payloadAt, end);
  }

  /**
   * The connection is gone. What it waits to see acknowledged it will send again, so that need not wait here; QoS 0
   * messages and wills come only once and stay.
   */
  release(sender: object): void {
    if (this.#held === undefined || !this.#heldByOwner.has(this.#ownerOf(sender))) return;
    const comesAgain = ({ sender: from, entry: { data } }: Held): boolean =>
      from === sender && data.qos > 0 && !data.will;
    this.#count(this.#held.filter(comesAgain), -1);
    this.#held = this.#held.filter((waiting) => !comesAgain(waiting));
  }

  /** Gives up what waits for space: it was never acknowledged. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#heldByOwner.clear();
  }

  #batch(): UplinkBatch {
    if (this.#fresh === undefined) {
      this.#fresh = new UplinkBatch(this.journal);
      setImmediate(() => void this.#flush());
    }
    return this.#fresh;
  }

  async #flush(): Promise<void> {
    const batch = this.#fresh;
    this.#fresh = undefined;
    if (batch === undefined) return;
    if (this.#held !== undefined) {
      // Behind those that came before.
      this.#hold(batch);
      return;
    }
    const startedAt = performance.now();
    let failure: Error | null = null;
    try {
      await batch.append({ yields: true });
      this.#options.onAppended?.((performance.now() - startedAt) / 1_000);
    } catch (error) {
      if (isFull(error)) {
        this.#hold(batch);
        return;
      }
      failure = error as Error;
    }
    for (const receipt of batch.receipts) {
      if ('done' in receipt) receipt.done(failure);
      else this.#options.onDirect?.(receipt.sender, receipt.messageIds, failure, receipt.bytes);
    }
    this.#options.onSettled?.();
  }

  #hold(batch: UplinkBatch): void {
    if (this.#isStopped) return;
    if (this.#held === undefined) {
      this.#held = [];
      this.#refused = 0;
      this.#scheduleRetry();
      void this.#say('error', 'the journal is full: nothing is acknowledged until it has space');
    }
    const { maxHeldBytes = MAX_HELD_BYTES, maxHeldBytesPerOwner = MAX_HELD_BYTES_PER_OWNER } = this.#options;
    for (const waiting of this.#heldOf(batch)) {
      const bytes = sizeOf(waiting);
      const ofOwner = this.#heldByOwner.get(this.#ownerOf(waiting.sender)) ?? 0;
      if (this.#heldBytes + bytes > maxHeldBytes || ofOwner + bytes > maxHeldBytesPerOwner) {
        this.#refused++;
        waiting.done(full(`${this.#heldBytes} bytes wait already, ${ofOwner} of them of this client.`));
        continue;
      }
      this.#held.push(waiting);
      this.#count([waiting], 1);
      if (waiting.blocks) this.#options.onHeld?.(waiting.sender);
    }
  }

  /** Each message of the batch by itself. */
  #heldOf(batch: UplinkBatch): Held[] {
    const { onDirect } = this.#options;
    const told = batch.receipts.flatMap((receipt): Waiting[] => {
      if ('done' in receipt) return [receipt];
      const { sender, messageIds, bytes } = receipt;
      return messageIds.map((messageId, i) => ({
        done: (error = null) => onDirect?.(sender, [messageId], error, i === 0 ? bytes : 0),
        sender,
        blocks: false,
      }));
    });
    return batch.entries().map((entry, i) => {
      // Its payload is a part of a memory many times as large, that of the batch or of what came with it.
      const data = { ...entry.data, payload: Buffer.from(entry.data.payload) };
      return { entry: { ...entry, data }, ...(told[i] as Waiting) };
    });
  }

  #scheduleRetry(): void {
    this.#retry = setTimeout(() => void this.#tryAgain(), this.#options.retryMs ?? RETRY_MS);
  }

  async #tryAgain(): Promise<void> {
    while (this.#held !== undefined && this.#held.length > 0) {
      const batch = this.#held.slice(0, RETRIED_TOGETHER);
      try {
        // Asked first: a full journal would be written to in vain all day.
        if (!(await this.journal.space()).accepting) break;
        const entries = batch.map(({ entry }) => entry);
        await this.journal.append('uplink', entries, { yields: true });
      } catch (error) {
        if (isFull(error)) break;
        this.#settle(batch, error as Error);
        continue;
      }
      this.#settle(batch, null);
    }
    if (this.#held === undefined) return;
    if (this.#held.length > 0) {
      this.#scheduleRetry();
      return;
    }
    this.#held = undefined;
    void this.#say('info', 'the journal has space again: what waited is durable and acknowledged');
  }

  /** Calls back those of the batch that were not released meanwhile. */
  #settle(batch: readonly Held[], error: Error | null): void {
    const settled = new Set(batch);
    const left = (this.#held ?? []).filter((waiting) => settled.has(waiting));
    this.#held = this.#held?.filter((waiting) => !settled.has(waiting));
    this.#count(left, -1);
    for (const { done } of left) done(error);
    this.#options.onSettled?.();
  }

  #ownerOf(sender: object): unknown {
    return this.#options.ownerOf?.(sender) ?? sender;
  }

  #count(messages: readonly Held[], sign: 1 | -1): void {
    for (const waiting of messages) {
      const bytes = sign * sizeOf(waiting);
      this.#heldBytes += bytes;
      const owner = this.#ownerOf(waiting.sender);
      const ofOwner = (this.#heldByOwner.get(owner) ?? 0) + bytes;
      if (ofOwner === 0) this.#heldByOwner.delete(owner);
      else this.#heldByOwner.set(owner, ofOwner);
    }
  }

  async #say(level: 'error' | 'info', text: string): Promise<void> {
    const space: Partial<JournalSpace> = await this.journal.space().catch(() => ({}));
    this.logger[level]({ code: 'JOURNAL_FULL', ...space, messagesRefused: this.#refused }, text);
  }
}

function sizeOf({ entry: { data } }: Held): number {
  // The packet has its payload as well.
  return 2 * data.payload.length + data.topic.length + OVERHEAD_BYTES;
}

function isFull(error: unknown): boolean {
  return error instanceof PantauError && error.code === 'JOURNAL_FULL';
}

function full(detail: string): PantauError {
  return new PantauError('JOURNAL_FULL', detail, { transient: true });
}
