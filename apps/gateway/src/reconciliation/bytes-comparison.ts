import { excuseOf, takenUntil, type DecoderChange } from '#libs/evidence';
import { eachEntry, readPage, type Entry, type Extent, type Journal } from '#libs/journal';
import { localDateOf, shardOf, type UtcMillis } from '#libs/kernel';
import type { JournalRef, Observation, Signal, Uplink } from '#libs/telemetry';
import { EntrySums, type FromMessage } from './entry-sums.js';

type Stream = 'readings' | 'signals';
const STREAMS = ['readings', 'signals'] as const;

/** Reads the bytes of messages again, as ingest did. */
export interface ReplayOfBytes {
  /** Whether the quality tests of this version judged all of it. */
  readonly sameTests: boolean;
  /** Shards of which messages are read. */
  readonly shards: ReadonlySet<number>;
  /** Whether another version decoded a message at its arrival. */
  decoderChange(uplink: Uplink): DecoderChange | undefined;
  /**
   * The windows, one for each shard, begin where those of the call before ended.
   *
   * @param visit - gets every entry that a message becomes
   * @throws what `onRead` throws
   */
  read(
    windows: readonly Extent[],
    visit: (stream: Stream, entry: FromMessage) => void,
    onRead: (count: number) => void,
  ): Promise<void>;
}

export interface BytesReport {
  /** Messages of which something else was written than their bytes say. */
  readonly different: number;
  /** Messages that differ, and what they became may rest on messages that retention has taken, or another version decoded them. */
  readonly notVerifiable: number;
  /** The other versions that decoded such messages. */
  readonly decoders: readonly DecoderChange[];
  /** Whether flags were compared; they rest on all earlier messages, and on the tests of their time. Null: no bytes were read. */
  readonly withFlags: boolean | null;
}

/** Of a device and day: what was written of a message is not what its bytes say. */
export interface EntryDifference {
  readonly part: 'entries';
  readonly device: string;
  /** A calendar day of the regency; of the arrival, where nothing was written. */
  readonly day: string;
  readonly stream: Stream | null;
  readonly shard: number | null;
  /** The first entry that was written of the message, null when there is none. */
  readonly offset: number | null;
  readonly uplink: JournalRef;
}

/** Differing messages that are looked at one by one. */
const NAMED = 10_000;

/** Compares what was written of messages with what their bytes say, a window at a time. */
export class BytesComparison {
  readonly differences: EntryDifference[] = [];
  #sums: EntrySums | undefined;
  #different = 0;
  #notVerifiable = 0;
  readonly #decoders = new Map<string, DecoderChange>();
  #withFlags: boolean | null = null;
  #firsts = '';
  /** By shard the newest message that something names as the one from which it came. */
  readonly #newest = new Map<number, number>();
  readonly #madeUp = new Set<number>();
  readonly #taken = new Map<string, UtcMillis>();

  constructor(
    private readonly journal: Journal,
    private readonly replay: ReplayOfBytes | undefined,
    private readonly device: string | undefined,
    private readonly limit: number,
  ) {}

  get report(): BytesReport {
    return {
      ...{ different: this.#different, notVerifiable: this.#notVerifiable },
      ...{ decoders: [...this.#decoders.values()], withFlags: this.#withFlags },
    };
  }

  /** Opens a window and reads its bytes. */
  async read(windows: readonly Extent[], onRead: (count: number) => void): Promise<void> {
    if (this.replay === undefined) return;
    if (this.#sums === undefined) {
      this.#firsts = await this.#allFirsts();
      for (const stream of STREAMS)
        for (let shard = 0; shard < this.journal.shards; shard++)
          this.#taken.set(`${stream} ${shard}`, await takenUntil(this.journal, stream, shard));
      this.#withFlags = this.replay.sameTests && (await this.#isWhole());
      this.#sums = new EntrySums(this.#withFlags);
    }
    const sums = this.#sums;
    sums.open(windows);
    await this.replay.read(
      windows,
      (stream, entry) => {
        if (this.#isKept(stream, entry)) sums.said(stream, entry);
      },
      onRead,
    );
  }

  /** An entry that was written, of whatever message. */
  written(stream: Stream, entry: FromMessage): void {
    if (this.#sums === undefined || (this.device ?? entry.key) !== entry.key) return;
    if ('uplink' in entry.data) {
      const { shard, offset } = entry.data.uplink;
      if (offset > (this.#newest.get(shard) ?? -1)) this.#newest.set(shard, offset);
    }
    if (this.#isKept(stream, entry)) this.#sums.written(stream, entry);
  }

  /** Every entry was visited. */
  async close(): Promise<void> {
    if (this.#sums === undefined) return;
    // What retention took while the check went on is missing on one side alone.
    const isDisturbed = this.#firsts !== (await this.#allFirsts());
    const named = new Map<string, JournalRef>();
    for (const ref of this.#sums.differing()) {
      const excuse = await excuseOf(this.journal, ref, (uplink) => this.replay?.decoderChange(uplink));
      const decoder = excuse?.decoder;
      if (decoder !== undefined) this.#decoders.set(`${decoder.decoder} ${decoder.then}`, decoder);
      if (isDisturbed || excuse !== undefined) this.#notVerifiable++;
      else {
        this.#different++;
        if (named.size < NAMED) named.set(`${ref.shard} ${ref.offset}`, ref);
      }
    }
    for (const [shard, offset] of this.#newest) {
      const isThere =
        shard < this.journal.shards && offset < (await this.journal.extent('uplink', shard)).next;
      if (isThere || this.#madeUp.has(shard)) continue;
      this.#madeUp.add(shard);
      this.#different++;
      named.set(`${shard} ${offset}`, { shard, offset });
    }
    if (named.size > 0) await this.#name(named);
  }

  async #name(refs: Map<string, JournalRef>): Promise<void> {
    const seen = new Set<string>();
    const add = (difference: EntryDifference): void => {
      const id = `${difference.device} ${difference.day}`;
      if (this.differences.length >= this.limit || seen.has(id)) return;
      seen.add(id);
      this.differences.push(difference);
    };
    const unwritten = new Map(refs);
    for (const stream of STREAMS)
      await eachEntry(
        this.journal,
        stream,
        ({ key, shard, offset, data }: Entry<Observation | Signal>) => {
          if (!('uplink' in data) || (this.device ?? key) !== key) return;
          const id = `${data.uplink.shard} ${data.uplink.offset}`;
          const uplink = refs.get(id);
          if (uplink === undefined) return;
          unwritten.delete(id);
          add({ part: 'entries', device: key, day: localDateOf(data.ts), stream, shard, offset, uplink });
        },
        () => undefined,
      );
    for (const uplink of unwritten.values()) {
      const { entries } = await readPage(this.journal, 'uplink', uplink.shard, uplink.offset, 1);
      const [entry] = entries;
      const day = localDateOf(entry?.data.receivedAt ?? 0);
      const nowhere = { stream: null, shard: null, offset: null };
      add({ part: 'entries', device: this.device ?? entry?.data.device ?? '', day, ...nowhere, uplink });
    }
  }

  /** Both sides leave out what retention may have taken of what was written. */
  #isKept(stream: Stream, { key, data }: FromMessage): boolean {
    return data.receivedAt > (this.#taken.get(`${stream} ${shardOf(key, this.journal.shards)}`) ?? -Infinity);
  }

  async #isWhole(): Promise<boolean> {
    for (let shard = 0; shard < this.journal.shards; shard++)
      if ((await this.journal.extent('uplink', shard)).first > 0) return false;
    return true;
  }

  async #allFirsts(): Promise<string> {
    const firsts: number[] = [];
    for (const stream of ['uplink', ...STREAMS] as const)
      for (let shard = 0; shard < this.journal.shards; shard++)
        firsts.push((await this.journal.extent(stream, shard)).first);
    return firsts.join(' ');
  }
}
