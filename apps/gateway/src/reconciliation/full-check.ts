import { JournalContent, refusedPoint, takenUntil, unreadSince, type ContentCounts } from '#libs/evidence';
import { readPage, type Entry, type Extent, type Journal } from '#libs/journal';
import { DAY, localDaySpan, shardOf, type UtcMillis } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';
import type { QualityFlag } from '#libs/telemetry';
import type { TimeSeriesStore } from '#libs/timeseries';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import {
  BytesComparison,
  type BytesReport,
  type EntryDifference,
  type ReplayOfBytes,
} from './bytes-comparison.js';
import { MessageOutcomes } from './message-outcomes.js';

/** What the journal and the store hold, looked at entry by entry and value by value. */
export interface FullCheck {
  readonly device?: string;
  readonly messages: {
    /** Kept in the journal and decoded when the check began. */
    readonly kept: number;
    readonly becameReadings: number;
    readonly becameSignals: number;
    readonly becameCommandResults: number;
    readonly refused: number;
    readonly ignored: number;
    readonly repeated: number;
    /** What they became is older than what retention has kept. */
    readonly outcomeTakenByRetention: number;
    /** Decoded without a trace. Always 0, or Pantau has a fault. */
    readonly unaccounted: number;
  };
  readonly values: {
    /** In the kept entries that the writer had passed when the check began. */
    readonly decoded: number;
    readonly distinct: number;
    readonly replaced: number;
    readonly byFlag: Readonly<Record<QualityFlag, number>>;
    /** Distinct values that were found in the store. */
    readonly stored: number;
    readonly refusedByStore: number;
    /** Older than the store keeps values. */
    readonly expired: number;
    /** In the journal, and neither in the store nor refused by it. Always 0, or something was lost. */
    readonly missing: number;
    /** In the store with another value, flag, failed test or doubt than in the journal. */
    readonly different: number;
    /** In the store alone: nothing that devices sent says so. */
    readonly unsaid: number;
    /** In the store alone, and retention took from the journal what may have said them. */
    readonly notVerifiable: number;
  };
  /** What the bytes of the messages say, beside what was made of them. */
  readonly bytes: BytesReport;
  /** The first days of a device on which something differs: for each its first difference. */
  readonly differences: readonly (StoreDifference | EntryDifference)[];
  /** Entries that were not decoded, or not brought to the store, when the check began. */
  readonly waiting: { readonly messages: number; readonly observations: number };
  /** Entries that retention has taken from the journal: they are not part of this check. */
  readonly takenByRetention: { readonly messages: number; readonly observations: number };
  /** Entries that are kept and cannot be read; what one of them was the trace of counts as unaccounted. */
  readonly unreadable: number;
  readonly balanced: boolean;
}

/** Of a device and day: the store is not what the journal says. */
export interface StoreDifference {
  readonly part: 'store';
  readonly device: string;
  /** A calendar day of the regency. */
  readonly day: string;
  /** Time and parameter of the first row that differs; value, flag and failed tests by each, null for nothing. */
  readonly row: string;
  readonly journal: string | null;
  readonly store: string | null;
  /** SHA-256 over all rows of the day, by each. */
  readonly digests: { readonly journal: string; readonly store: string };
}

/** How far a check is, in entries read. The total grows when it turns out that more passes are needed. */
export interface CheckProgress {
  readonly done: number;
  readonly total: number;
}

export interface FullCheckOptions {
  readonly journal: Journal;
  readonly store: Pick<TimeSeriesStore, 'query'>;
  /** One device alone. */
  readonly device?: string;
  /** Reads the bytes of the messages again; without it they are not compared. */
  readonly replay?: ReplayOfBytes;
  /** When the check begins. */
  readonly now: UtcMillis;
  /** Older values the store may have deleted. */
  readonly storeKeepsFrom: UtcMillis;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CheckProgress) => void;
  /** Values held at a time. More are checked in as many passes over the journal as it takes. */
  readonly valuesAtOnce?: number;
  /** Messages of a shard looked at at a time, likewise. */
  readonly messagesAtOnce?: number;
}

const PAGE = 1_000;
/** Some 16 bytes each. */
const VALUES_AT_ONCE = 4_000_000;
/** Five bytes each. */
const MESSAGES_AT_ONCE = 16_000_000;
const DIFFERENCES = 20;
/** So much of a device's time is compared with the store at a time. */
const PERIOD = 8 * DAY;
/** A midnight of the regency: periods are whole days. */
const ORIGIN = localDaySpan('1970-01-01')?.from ?? 0;

/**
 * Goes through what the journal keeps and through the store, and compares them value by value. Memory is bounded, whatever they
 * hold: see {@link FullCheckOptions.valuesAtOnce}.
 *
 * @throws the signal's reason when it aborts
 */
export async function fullCheck(options: FullCheckOptions): Promise<FullCheck> {
  return new Check(options).run();
}

class Check {
  readonly #outcomes: MessageOutcomes;
  #done = 0;
  #total = 0;
  #decoded = 0;
  #stated = 0;
  readonly #differences: StoreDifference[] = [];
  readonly #byFlag: Record<QualityFlag, number> = { 1: 0, 2: 0, 3: 0, 4: 0, 9: 0 };
  /** Their places: the journal is read several times. */
  readonly #unreadable = new Set<string>();
  readonly #values: ContentCounts = {
    ...{ distinct: 0, stored: 0, refusedByStore: 0, expired: 0 },
    ...{ missing: 0, different: 0, unsaid: 0, notVerifiable: 0 },
  };
  readonly #bytes: BytesComparison;

  constructor(private readonly options: FullCheckOptions) {
    const { journal, replay, device } = options;
    this.#outcomes = new MessageOutcomes(journal);
    this.#bytes = new BytesComparison(journal, replay, device, DIFFERENCES);
  }

  async run(): Promise<FullCheck> {
    const { journal, device, now } = this.options;
    const since = await unreadSince(journal, now);
    // What is decoded by now has left its traces by now: they are committed together.
    const decoded = await this.#read('ingest', 'uplink');
    const written = await this.#read('writer', 'readings');
    const { messagesAtOnce = MESSAGES_AT_ONCE } = this.options;
    const longest = Math.max(...decoded.map(({ first, next }) => next - first));
    for (let from = 0; from === 0 || from < longest; from += messagesAtOnce) {
      const window = decoded.map(({ first, next }) => ({
        first: Math.min(first + from, next),
        next: Math.min(first + from + messagesAtOnce, next),
      }));
      await this.#messages(window, written, from === 0);
    }
    await this.#compareWithStore(written, since);
    const bytes = this.#bytes.report;

    const { open, reading, signal, command, refused, ignored, repeated, kept, taken } = this.#outcomes.counts;
    return {
      ...(device === undefined ? {} : { device }),
      messages: {
        kept,
        becameReadings: reading,
        becameSignals: signal,
        becameCommandResults: command,
        refused,
        ignored,
        repeated,
        outcomeTakenByRetention: taken,
        unaccounted: open - taken,
      },
      values: {
        decoded: this.#decoded,
        replaced: this.#decoded - this.#values.distinct,
        byFlag: this.#byFlag,
        ...this.#values,
      },
      bytes,
      differences: [...this.#bytes.differences, ...this.#differences],
      waiting: {
        messages: await waiting(journal, 'uplink', decoded),
        observations: await waiting(journal, 'readings', written),
      },
      takenByRetention: { messages: firsts(decoded), observations: firsts(written) },
      unreadable: this.#unreadable.size,
      balanced:
        open - taken === 0 &&
        bytes.different === 0 &&
        this.#values.missing + this.#values.different + this.#values.unsaid === 0,
    };
  }

  /** By shard, the entries that a stage has read and that are kept. */
  async #read(stage: string, stream: StreamName): Promise<Extent[]> {
    const { journal } = this.options;
    const extents: Extent[] = [];
    for (let shard = 0; shard < journal.shards; shard++) {
      const { first } = await journal.extent(stream, shard);
      extents.push({ first, next: Math.max(first, await journal.position(stage, stream, shard)) });
    }
    return extents;
  }

  async #messages(
    decoded: readonly Extent[],
    written: readonly Extent[],
    countsValues: boolean,
  ): Promise<void> {
    const { device } = this.options;
    for (const [shard, { first, next }] of decoded.entries())
      if (device === undefined) this.#outcomes.open(shard, first, next);
    if (device !== undefined) {
      const shard = shardOf(device, this.options.journal.shards);
      const { first, next } = decoded[shard] ?? { first: 0, next: 0 };
      this.#outcomes.open(shard, first, next, false);
      await this.#each('uplink', { [shard]: { first, next } }, ({ data, offset }) => {
        if (data.device === device) this.#outcomes.begin({ shard, offset });
      });
    }
    for (const shard of this.options.replay?.shards ?? []) {
      const { first, next } = decoded[shard] ?? { first: 0, next: 0 };
      this.#total += next - first;
    }
    await this.#bytes.read(decoded, (count) => this.#pass(count));
    await this.#each('readings', await this.#all('readings'), (entry) => {
      const { data, shard, offset } = entry;
      this.#bytes.written('readings', entry);
      if (data.amendment !== true) this.#outcomes.settle(data.uplink, 'reading');
      if (!countsValues || (device ?? data.device) !== data.device) return;
      if (offset >= (written[shard]?.next ?? 0)) return;
      if (data.amendment !== true) this.#decoded += data.readings.length;
      this.#stated += data.readings.length;
    });
    await this.#each('signals', await this.#all('signals'), (entry) => {
      const { data } = entry;
      this.#bytes.written('signals', entry);
      if ('uplink' in data) this.#outcomes.settle(data.uplink, 'signal');
    });
    const commands = await this.#all('commands');
    await this.#each('commands', commands, ({ data: { uplink } }) => {
      if (uplink !== undefined) this.#outcomes.settle(uplink, 'command');
    });
    await this.#each('rejected', await this.#all('rejected'), ({ data: { source, reason } }) => {
      if (source?.stream !== 'uplink') return;
      const isHarmless = reason === 'nothing_to_keep' || reason === 'repeated';
      this.#outcomes.settle(source, !isHarmless ? 'refused' : reason === 'repeated' ? 'repeated' : 'ignored');
    });
    await this.#outcomes.close();
    await this.#bytes.close();
  }

  async #compareWithStore(written: readonly Extent[], since: UtcMillis): Promise<void> {
    const { journal, device, valuesAtOnce = VALUES_AT_ONCE } = this.options;
    const passes = Math.max(1, Math.ceil(this.#stated / valuesAtOnce));
    const only = device === undefined ? undefined : shardOf(device, journal.shards);
    const kept: Record<number, Extent> = {};
    for (const [shard, extent] of written.entries()) if ((only ?? shard) === shard) kept[shard] = extent;
    for (let pass = 0; pass < passes; pass++) {
      const groups = new Map<string, JournalContent>();
      const groupOf = (of: string, ts: UtcMillis): JournalContent | undefined => {
        if ((device ?? of) !== of) return undefined;
        const period = Math.floor((ts - ORIGIN) / PERIOD);
        const key = `${of} ${period}`;
        // Another hash than the one of the shards, or the passes would be as uneven as they are.
        if (shardOf(`${period} ${of}`, passes) !== pass) return undefined;
        let group = groups.get(key);
        const from = ORIGIN + period * PERIOD;
        if (group === undefined)
          groups.set(key, (group = new JournalContent(of, { from, to: from + PERIOD })));
        return group;
      };
      await this.#each('readings', kept, ({ data: { device: of, ts, readings } }) => {
        const group = groupOf(of, ts);
        if (group === undefined) return;
        for (const reading of readings) group.say(ts, reading);
      });
      await this.#each('rejected', await this.#all('rejected', only), ({ data }) => {
        const point = refusedPoint(data);
        if (point === undefined) return;
        groupOf(point.device, point.ts)?.refuse(point.ts, point.parameter);
      });
      for (const group of groups.values()) await this.#compare(group, since);
    }
  }

  async #compare(content: JournalContent, since: UtcMillis): Promise<void> {
    const { journal, signal, store, storeKeepsFrom: keptFrom } = this.options;
    const { device } = content;
    const taken = await takenUntil(journal, 'readings', shardOf(device, journal.shards));
    const { counts, byFlag, days } = await content.compare(
      store,
      { keptFrom, takenUntil: taken, since },
      signal,
    );
    for (const name of Object.keys(counts) as (keyof ContentCounts)[]) this.#values[name] += counts[name];
    for (const flag of [1, 2, 3, 4, 9] as const) this.#byFlag[flag] += byFlag[flag];
    for (const { day, first, ...digests } of days)
      if (first !== undefined && this.#differences.length < DIFFERENCES)
        this.#differences.push({ part: 'store', device, day, ...first, digests });
  }

  async #all(stream: StreamName, only?: number): Promise<Record<number, Extent>> {
    const { journal } = this.options;
    const extents: Record<number, Extent> = {};
    for (let shard = 0; shard < journal.shards; shard++)
      if ((only ?? shard) === shard) extents[shard] = await journal.extent(stream, shard);
    return extents;
  }

  /** Visits the entries of the shards; between two pages others have their turn. */
  async #each<S extends StreamName>(
    stream: S,
    shards: Readonly<Record<number, Extent>>,
    visit: (entry: Entry<StreamTypes[S]>) => void,
  ): Promise<void> {
    const { journal, signal } = this.options;
    for (const { first, next } of Object.values(shards)) this.#total += next - first;
    for (const [name, { first, next }] of Object.entries(shards)) {
      const shard = Number(name);
      for (let at = first; at < next;) {
        await turnOfTheLoop();
        signal.throwIfAborted();
        // Retention goes on meanwhile.
        at = Math.max(at, (await journal.extent(stream, shard)).first);
        const page = await readPage(journal, stream, shard, at, Math.min(PAGE, next - at));
        if (page.next === at) break;
        for (const entry of page.entries) if (entry.offset < next) visit(entry);
        if (page.unreadable !== undefined) this.#unreadable.add(`${stream}/${shard}/${at}`);
        this.#pass(page.next - at);
        at = page.next;
      }
    }
  }

  #pass(count: number): void {
    this.options.signal.throwIfAborted();
    this.#done += count;
    this.options.onProgress?.({ done: this.#done, total: this.#total });
  }
}

async function waiting(journal: Journal, stream: StreamName, read: readonly Extent[]): Promise<number> {
  let sum = 0;
  for (const [shard, { next }] of read.entries())
    sum += Math.max(0, (await journal.extent(stream, shard)).next - next);
  return sum;
}

function firsts(extents: readonly Extent[]): number {
  return extents.reduce((sum, { first }) => sum + first, 0);
}
