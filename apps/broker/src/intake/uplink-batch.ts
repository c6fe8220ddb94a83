import { type Callback } from '../callback.js';
import type { AppendOptions, DirectBatch, Journal, NewEntry } from '#libs/journal';
import type { Uplink } from '#libs/telemetry';

/** One message with whom to tell. */
export interface Waiting {
  readonly done: Callback;
  /** The connection it came over. */
  readonly sender: object;
  /** Whether the connection is not read until it is called back. */
  readonly blocks: boolean;
}

/** Messages that one connection sent in a row, told together. */
export interface Run {
  readonly sender: object;
  /** In the order of the messages. */
  readonly messageIds: number[];
  /** Of topics and payloads. */
  bytes: number;
}

/** The messages of one turn of the event loop, and whom to tell of them, in the order in which they came. */
export class UplinkBatch {
  /** Where the journal offers it; otherwise they are kept as they are. */
  readonly #direct: DirectBatch<Uplink> | undefined;
  readonly #listed: NewEntry<Uplink>[] = [];
  readonly #receipts: (Waiting | Run)[] = [];
  #run: Run | undefined;

  constructor(private readonly journal: Pick<Journal, 'append' | 'direct'>) {
    this.#direct = journal.direct?.begin('uplink');
  }

  get receipts(): readonly (Waiting | Run)[] {
    return this.#receipts;
  }

  /** @throws PantauError `JOURNAL_ENTRY_TOO_LARGE` */
  add(data: Uplink, waiting: Waiting): void {
    const entry = { key: data.device, data };
    if (this.#direct === undefined) this.#listed.push(entry);
    else this.#direct.add(entry);
    this.#receipts.push(waiting);
    this.#run = undefined;
  }

  /** Takes note of a message of QoS 1 that is to be written with a template. @returns what to write it into */
  addDirect(sender: object, messageId: number, bytes: number): DirectBatch<Uplink> {
    if (this.#direct === undefined) throw new TypeError('the journal offers no direct appends');
    if (this.#run?.sender === sender) {
      this.#run.messageIds.push(messageId);
      this.#run.bytes += bytes;
    } else this.#receipts.push((this.#run = { sender, messageIds: [messageId], bytes }));
    return this.#direct;
  }

  /** The entries of all messages, in the order in which they came. */
  entries(): readonly NewEntry<Uplink>[] {
    return this.#direct?.entries() ?? this.#listed;
  }

  /** As the journal's own. The batch is not to be used once it is stored. */
  async append(options: AppendOptions): Promise<void> {
    if (this.#direct === undefined) await this.journal.append('uplink', this.#listed, options);
    else await this.#direct.append(options);
  }
}
