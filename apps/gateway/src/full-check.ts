import { readPage, type Entry, type Extent, type Journal } from '#libs/journal';
import { DAY, parseJson, REQUEST_BOUNDS, shardOf, type UtcMillis } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';
import type { QualityFlag, Rejection } from '#libs/telemetry';
import type { Point, TimeSeriesStore } from '#libs/timeseries';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
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
  };
  /** The first values that are missing. */
  readonly examples: readonly {
    readonly device: string;
    readonly parameter: string;
    readonly ts: UtcMillis;
  }[];
  /** Entries that were not decoded, or not brought to the store, when the check began. */
  readonly waiting: { readonly messages: number; readonly observations: number };
  /** Entries that retention has taken from the journal: they are not part of this check. */
  readonly takenByRetention: { readonly messages: number; readonly observations: number };
  /** Entries that are kept and cannot be read; what one of them was the trace of counts as unaccounted. */
  readonly unreadable: number;
  readonly balanced: boolean;
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
const STORE_PAGE = 2_000;
/** Some 16 bytes each. */
const VALUES_AT_ONCE = 4_000_000;
/** A byte each. */
const MESSAGES_AT_ONCE = 32_000_000;
const EXAMPLES = 20;
/** So much of a device's time is compared with the store at a time. */
const PERIOD = 8 * DAY;
const FLAG_STEP = 16;

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
  readonly #examples: { device: string; parameter: string; ts: UtcMillis }[] = [];
  readonly #byFlag: Record<QualityFlag, number> = { 1: 0, 2: 0, 3: 0, 4: 0, 9: 0 };
  /** Their places: the journal is read several times. */
  readonly #unreadable = new Set<string>();
  #values = { distinct: 0, stored: 0, refusedByStore: 0, expired: 0, missing: 0 };

  constructor(private readonly options: FullCheckOptions) {
    this.#outcomes = new MessageOutcomes(options.journal);
  }

  async run(): Promise<FullCheck> {
    const { journal, device } = this.options;
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
    await this.#compareWithStore(written);

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
        distinct: this.#values.distinct,
        replaced: this.#decoded - this.#values.distinct,
        byFlag: this.#byFlag,
        stored: this.#values.stored,
        refusedByStore: this.#values.refusedByStore,
        expired: this.#values.expired,
        missing: this.#values.missing,
      },
      examples: this.#examples,
      waiting: {
        messages: await waiting(journal, 'uplink', decoded),
        observations: await waiting(journal, 'readings', written),
      },
      takenByRetention: { messages: firsts(decoded), observations: firsts(written) },
      unreadable: this.#unreadable.size,
      balanced: open - taken === 0 && this.#values.missing === 0,
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
    await this.#each('readings', await this.#all('readings'), ({ data, shard, offset }) => {
      if (data.amendment !== true) this.#outcomes.settle(data.uplink, 'reading');
      if (!countsValues || (device ?? data.device) !== data.device) return;
      if (offset >= (written[shard]?.next ?? 0)) return;
      if (data.amendment !== true) this.#decoded += data.readings.length;
      this.#stated += data.readings.length;
    });
    await this.#each('signals', await this.#all('signals'), ({ data }) => {
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
  }

  async #compareWithStore(written: readonly Extent[]): Promise<void> {
    const { journal, device, valuesAtOnce = VALUES_AT_ONCE } = this.options;
    const passes = Math.max(1, Math.ceil(this.#stated / valuesAtOnce));
    const only = device === undefined ? undefined : shardOf(device, journal.shards);
    const kept: Record<number, Extent> = {};
    for (const [shard, extent] of written.entries()) if ((only ?? shard) === shard) kept[shard] = extent;
    for (let pass = 0; pass < passes; pass++) {
      const groups = new Map<string, Group>();
      const groupOf = (of: string, ts: UtcMillis): Group | undefined => {
        if ((device ?? of) !== of) return undefined;
        const period = Math.floor(ts / PERIOD);
        const key = `${of} ${period}`;
        // Another hash than the one of the shards, or the passes would be as uneven as they are.
        if (shardOf(`${period} ${of}`, passes) !== pass) return undefined;
        let group = groups.get(key);
        if (group === undefined)
          groups.set(key, (group = { device: of, from: period * PERIOD, said: new Map() }));
        return group;
      };
      await this.#each('readings', kept, ({ data: { device: of, ts, readings } }) => {
        const group = groupOf(of, ts);
        if (group === undefined) return;
        for (const { parameter, flag } of readings)
          saidOf(group, parameter).push((ts - group.from) * FLAG_STEP + flag);
      });
      await this.#each('rejected', await this.#all('rejected', only), ({ data }) => {
        const point = refusedPoint(data);
        if (point === undefined) return;
        const group = groupOf(point.device, point.ts);
        if (group !== undefined) saidOf(group, point.parameter).push((point.ts - group.from) * FLAG_STEP);
      });
      for (const group of groups.values()) await this.#compare(group);
    }
  }

  async #compare(group: Group): Promise<void> {
    const { signal, storeKeepsFrom } = this.options;
    const { device, from } = group;
    const values = new Map<string, Map<UtcMillis, Said>>();
    for (const [parameter, said] of group.said) values.set(parameter, lastWords(said, from));
    for (let at = from; ;) {
      signal.throwIfAborted();
      const span = { from: at, to: from + PERIOD };
      const points = await this.options.store.query({ device, span, order: 'asc', limit: STORE_PAGE });
      for (const { parameter, ts } of points) {
        const said = values.get(parameter)?.get(ts);
        if (said !== undefined) said.isStored = true;
      }
      const last = points.at(-1)?.ts;
      if (last === undefined || points.length < STORE_PAGE) break;
      // The rest of an instant may stand on the next page.
      at = last === at ? last + 1 : last;
    }
    for (const [parameter, byTime] of values) {
      for (const [ts, { flag, isStored, isRefused }] of byTime) {
        // Refused, and of an entry that retention has taken.
        if (flag === undefined) continue;
        this.#values.distinct++;
        this.#byFlag[flag]++;
        if (isStored) this.#values.stored++;
        else if (isRefused) this.#values.refusedByStore++;
        else if (ts < storeKeepsFrom) this.#values.expired++;
        else {
          this.#values.missing++;
          if (this.#examples.length < EXAMPLES) this.#examples.push({ device, parameter, ts });
        }
      }
    }
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
    const { journal, signal, onProgress } = this.options;
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
        this.#done += page.next - at;
        at = page.next;
        onProgress?.({ done: this.#done, total: this.#total });
      }
    }
  }
}

/** What the journal says of a device in a {@link PERIOD}: of each parameter, in the order in which it was said, time and flag. */
interface Group {
  readonly device: string;
  readonly from: UtcMillis;
  /** A number each: milliseconds since `from` times {@link FLAG_STEP}, and the flag; flag 0 says that the store refused it. */
  readonly said: Map<string, number[]>;
}

interface Said {
  flag: QualityFlag | undefined;
  isStored: boolean;
  isRefused: boolean;
}

function saidOf({ said }: Group, parameter: string): number[] {
  let numbers = said.get(parameter);
  if (numbers === undefined) said.set(parameter, (numbers = []));
  return numbers;
}

function lastWords(numbers: readonly number[], from: UtcMillis): Map<UtcMillis, Said> {
  const byTime = new Map<UtcMillis, Said>();
  for (const number of numbers) {
    const ts = from + Math.floor(number / FLAG_STEP);
    const flag = number % FLAG_STEP;
    let said = byTime.get(ts);
    if (said === undefined) byTime.set(ts, (said = { flag: undefined, isStored: false, isRefused: false }));
    if (flag === 0) said.isRefused = true;
    else said.flag = flag as QualityFlag;
  }
  return byTime;
}

/** The value that the store did not take; undefined when the entry is about something else. */
function refusedPoint({ reason, source, payload }: Rejection): Point | undefined {
  if (payload === undefined || reason === 'handler_failed') return undefined;
  // Entries of an earlier version name no source.
  if (source?.stream !== 'readings' && !(source === undefined && reason === 'store_refused'))
    return undefined;
  try {
    const point = parseJson(Buffer.from(payload).toString('utf8'), REQUEST_BOUNDS, 'rejected') as
      Point | { readonly tier: string };
    return 'tier' in point ? undefined : point;
  } catch {
    return undefined;
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
