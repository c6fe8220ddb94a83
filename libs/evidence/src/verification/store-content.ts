import { pagesOf, type Journal } from '#libs/journal';
import {
  defined,
  localDateOf,
  MINUTE,
  parseJson,
  REQUEST_BOUNDS,
  shardOf,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import { maskOfTests, testsOfMask } from '#libs/quality-control';
import type { QualityFlag, Reading, Rejection } from '#libs/telemetry';
import { doubtLine, type Point, type TimeSeriesStore } from '#libs/timeseries';
import { createHash, type Hash } from 'node:crypto';
import { entriesOfKey } from './journal-source.js';
import type { Check } from './recomputation.js';

const STORE_PAGE = 2_000;
/** A message is in the journal this long after its arrival at the latest. */
const APPENDED_WITHIN = MINUTE;

/** Which rows of a store say nothing of whether it is what the journal says. */
export interface StoreBounds {
  /** Older values the store may have deleted. */
  readonly keptFrom: UtcMillis;
  /** What arrived by then may have been said by an entry that retention took. */
  readonly takenUntil: UtcMillis;
  /** What arrived since may have been written since the journal was read. */
  readonly since: UtcMillis;
}

/** A day of a device on which the store differs. */
export interface DayContent {
  /** A calendar day of the regency. */
  readonly day: string;
  /** SHA-256, hexadecimal, over time, parameter, value, flag, failed tests and doubt of every row, in order of time and parameter. */
  readonly journal: string;
  readonly store: string;
  /** The first row that is not the same: time and parameter, and what each says of it; null: nothing. */
  readonly first?: { readonly row: string; readonly journal: string | null; readonly store: string | null };
}

/** What came of comparing a device with the store. The numbers count values. */
export interface ContentReport {
  readonly counts: ContentCounts;
  readonly byFlag: Readonly<Record<QualityFlag, number>>;
  readonly days: readonly DayContent[];
}

export interface ContentCounts {
  /** That the journal says. */
  distinct: number;
  stored: number;
  refusedByStore: number;
  expired: number;
  missing: number;
  /** In the store with another value, flag, failed test or doubt. */
  different: number;
  /** In the store alone. */
  unsaid: number;
  /** In the store alone, and retention took what may have said them. */
  notVerifiable: number;
}

interface Word {
  said?: { readonly value: number; readonly result: number; readonly doubt?: string | undefined };
  isRefused?: boolean;
  stored?: Point;
}

/** A flag and a bit for each test that a value did not pass have room in it, and stay exact beside the time of a few days. */
const RESULTS = 2 ** 20;
const FLAGS = 16;

/**
 * What the journal says of a device in a few days, gathered entry by entry, to be compared with what a store holds. Takes 16 bytes
 * for each value until it is compared.
 */
export class JournalContent {
  /** Of each parameter, in the order in which it was said: time and result as one number, then the value. */
  readonly #said = new Map<string, number[]>();
  /** Why a device doubts a value, by parameter and place among those numbers: seldom there. */
  readonly #doubts = new Map<string, string>();

  constructor(
    readonly device: string,
    /** At most a month. */
    readonly span: TimeSpan,
  ) {}

  /** The last word on an instant counts. */
  say(ts: UtcMillis, { parameter, value, flag, failed, doubt }: Reading): void {
    const at = this.#add(ts, parameter, maskOfTests(failed) * FLAGS + flag, value);
    if (doubt !== undefined) this.#doubts.set(`${parameter} ${at}`, doubt);
  }

  /** The store did not take it. */
  refuse(ts: UtcMillis, parameter: string): void {
    this.#add(ts, parameter, 0, 0);
  }

  /** @returns its place */
  #add(ts: UtcMillis, parameter: string, result: number, value: number): number {
    let numbers = this.#said.get(parameter);
    if (numbers === undefined) this.#said.set(parameter, (numbers = []));
    return numbers.push((ts - this.span.from) * RESULTS + result, value) - 2;
  }

  async compare(
    store: Pick<TimeSeriesStore, 'query'>,
    bounds: StoreBounds,
    signal?: AbortSignal,
  ): Promise<ContentReport> {
    const words = this.#words();
    await this.#look(store, words, signal);
    const counts = { distinct: 0, stored: 0, refusedByStore: 0, expired: 0, missing: 0 };
    const all: ContentCounts = { ...counts, different: 0, unsaid: 0, notVerifiable: 0 };
    const byFlag = { 1: 0, 2: 0, 3: 0, 4: 0, 9: 0 };
    const days: DayContent[] = [];
    let day: Day | undefined;
    for (const ts of [...words.keys()].sort((a, b) => a - b)) {
      const date = localDateOf(ts);
      if (day?.date !== date) {
        if (day !== undefined) days.push(day.end());
        day = new Day(date);
      }
      const at = words.get(ts) as Map<string, Word>;
      for (const parameter of [...at.keys()].sort()) {
        const word = at.get(parameter) as Word;
        if (word.said !== undefined) {
          all.distinct++;
          byFlag[(word.said.result % FLAGS) as QualityFlag]++;
        }
        const outcome = outcomeOf(word, ts, bounds);
        if (outcome === undefined) continue;
        all[outcome]++;
        const isCompared = outcome !== 'stored' || (word.stored?.receivedAt ?? 0) < bounds.since;
        if (!NOT_COMPARED.has(outcome) && ts >= bounds.keptFrom && isCompared) day.add(ts, parameter, word);
      }
    }
    if (day !== undefined) days.push(day.end());
    return { counts: all, byFlag, days };
  }

  #words(): Map<UtcMillis, Map<string, Word>> {
    const words = new Map<UtcMillis, Map<string, Word>>();
    for (const [parameter, numbers] of this.#said) {
      for (let i = 0; i < numbers.length; i += 2) {
        const number = numbers[i] as number;
        const result = number % RESULTS;
        const word = wordAt(words, this.span.from + Math.floor(number / RESULTS), parameter);
        if (result === 0) word.isRefused = true;
        else
          word.said = {
            ...{ value: numbers[i + 1] as number, result },
            doubt: this.#doubts.get(`${parameter} ${i}`),
          };
      }
    }
    return words;
  }

  async #look(
    store: Pick<TimeSeriesStore, 'query'>,
    words: Map<UtcMillis, Map<string, Word>>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { from, to } = this.span;
    for (let at = from; ;) {
      signal?.throwIfAborted();
      const span = { from: at, to };
      const points = await store.query({ device: this.device, span, order: 'asc', limit: STORE_PAGE });
      for (const point of points) wordAt(words, point.ts, point.parameter).stored = point;
      const last = points.at(-1)?.ts;
      if (last === undefined || points.length < STORE_PAGE) return;
      // The rest of an instant may stand on the next page.
      at = last === at ? last + 1 : last;
    }
  }
}

function wordAt(words: Map<UtcMillis, Map<string, Word>>, ts: UtcMillis, parameter: string): Word {
  let at = words.get(ts);
  if (at === undefined) words.set(ts, (at = new Map<string, Word>()));
  let word = at.get(parameter);
  if (word === undefined) at.set(parameter, (word = {}));
  return word;
}

type Outcome = Exclude<keyof ContentCounts, 'distinct'>;

const NOT_COMPARED: ReadonlySet<Outcome> = new Set(['refusedByStore', 'expired', 'notVerifiable']);

/** Undefined: not to be judged now. */
function outcomeOf(
  { said, isRefused = false, stored }: Word,
  ts: UtcMillis,
  { keptFrom, takenUntil, since }: StoreBounds,
): Outcome | undefined {
  if (said === undefined) {
    // Refused, and of an entry that retention has taken; or no longer, or only just, in the journal's reach.
    if (stored === undefined || ts < keptFrom || stored.receivedAt >= since) return undefined;
    return stored.receivedAt <= takenUntil ? 'notVerifiable' : 'unsaid';
  }
  if (stored === undefined) return isRefused ? 'refusedByStore' : ts < keptFrom ? 'expired' : 'missing';
  const isSame = rowOf(said, stored) === storedRow(stored);
  if (isSame || ts < keptFrom || stored.receivedAt >= since) return 'stored';
  return isRefused ? 'refusedByStore' : 'different';
}

/** What the journal says, in the words of {@link storedRow}. */
function rowOf({ value, result, doubt }: NonNullable<Word['said']>, stored: Point | undefined): string {
  const flag = (result % FLAGS) as QualityFlag;
  // What was stored before the names of failed tests were kept has none.
  const names = stored === undefined || stored.failed !== undefined;
  const failed = names ? testsOfMask(Math.floor(result / FLAGS)) : [];
  return storedRow({ value, flag, failed, ...defined({ doubt }) });
}

/** The words of a doubt stand beside the test `device` alone; in InfluxDB they are one line. */
function storedRow({ value, flag, failed = [], doubt }: Judged): string {
  const tests = flag === 3 || flag === 4 ? failed : [];
  const words = tests.includes('device') ? doubtLine(doubt ?? '') : '';
  return [value, flag, ...tests, ...(words === '' ? [] : [JSON.stringify(words)])].join(' ');
}

type Judged = Pick<Point, 'value' | 'flag' | 'failed' | 'doubt'>;

class Day {
  readonly #journal = createHash('sha256');
  readonly #store = createHash('sha256');
  #first: DayContent['first'];

  constructor(readonly date: string) {}

  add(ts: UtcMillis, parameter: string, { said, stored }: Word): void {
    const row = `${new Date(ts).toISOString()} ${parameter}`;
    const journal = said === undefined ? null : rowOf(said, stored);
    const store = stored === undefined ? null : storedRow(stored);
    update(this.#journal, row, journal);
    update(this.#store, row, store);
    if (journal !== store) this.#first ??= { row, journal, store };
  }

  end(): DayContent {
    const digests = { journal: this.#journal.digest('hex'), store: this.#store.digest('hex') };
    return { day: this.date, ...digests, ...(this.#first === undefined ? {} : { first: this.#first }) };
  }
}

function update(hash: Hash, row: string, content: string | null): void {
  if (content !== null) hash.update(`${row} ${content}\n`);
}

/** Digests of a device's day in the journal and in the store, see {@link DayContent}: of several days the first that differs. */
export interface StoreCheck extends Check {
  readonly journal?: string;
  readonly store?: string;
  /** Why it was not compared. */
  readonly reason?: string;
}

type Readable = Pick<Journal, 'extent' | 'position' | 'read' | 'shards'>;

/** Compares what the store holds of a device in a span, at most a month, with what the writer took from the journal. */
export async function verifyStore(
  device: string,
  span: TimeSpan,
  journal: Readable,
  store: Pick<TimeSeriesStore, 'query'>,
  { now, keptFrom }: { readonly now: UtcMillis; readonly keptFrom: UtcMillis },
): Promise<StoreCheck> {
  const shard = shardOf(device, journal.shards);
  const since = await unreadSince(journal, now);
  const taken = await journal.position('writer', 'readings', shard);
  const content = new JournalContent(device, span);
  const offsets = new Map<string, number>();
  for await (const { key, offset, data } of entriesOfKey(journal, 'readings', device)) {
    if (key !== device || data.ts < span.from || data.ts >= span.to || offset >= taken) continue;
    for (const reading of data.readings) {
      content.say(data.ts, reading);
      offsets.set(`${new Date(data.ts).toISOString()} ${reading.parameter}`, offset);
    }
  }
  for await (const { data } of entriesOfKey(journal, 'rejected', device)) {
    const point = refusedPoint(data);
    if (point?.device === device && point.ts >= span.from && point.ts < span.to)
      content.refuse(point.ts, point.parameter);
  }
  const bounds = { keptFrom, takenUntil: await takenUntil(journal, 'readings', shard), since };
  const { days, counts } = await content.compare(store, bounds);
  const day = days.find(({ first }) => first !== undefined) ?? days[0];
  const unconfirmed = counts.notVerifiable;
  if (day?.first === undefined && unconfirmed > 0)
    return {
      result: 'not_verifiable',
      reason: `retention took from the journal what may have said ${unconfirmed} of its rows`,
    };
  if (day === undefined) return { result: 'equal' };
  const digests = { journal: day.journal, store: day.store };
  if (day.first === undefined) return { result: 'equal', ...digests };
  const { row, ...words } = day.first;
  const offset = offsets.get(row) ?? null;
  return {
    ...{ result: 'different', ...digests },
    difference: { part: 'store', stream: 'readings', shard, offset, row, ...words },
  };
}

/** When everything had arrived that retention has taken of a shard, at the latest; -Infinity when it took nothing. */
export async function takenUntil(
  journal: Pick<Journal, 'extent' | 'read'>,
  stream: 'readings' | 'signals',
  shard: number,
): Promise<UtcMillis> {
  const { first, next } = await journal.extent(stream, shard);
  if (first === 0) return -Infinity;
  for await (const [oldest] of pagesOf(journal, stream, shard, () => undefined, {
    from: first,
    to: next,
    page: 1,
  }))
    if (oldest !== undefined) return oldest.appendedAt;
  return Infinity;
}

/** What arrived before is decoded and with the writer, at this moment already. */
export async function unreadSince(journal: Readable, now: UtcMillis): Promise<UtcMillis> {
  let since = now;
  for (const [stage, stream] of [
    ['ingest', 'uplink'],
    ['writer', 'readings'],
  ] as const) {
    for (let shard = 0; shard < journal.shards; shard++) {
      const { first } = await journal.extent(stream, shard);
      const next = Math.max(first, await journal.position(stage, stream, shard));
      for await (const [waiting] of pagesOf(journal, stream, shard, () => undefined, {
        from: next,
        page: 1,
      })) {
        since = Math.min(since, waiting?.data.receivedAt ?? Infinity);
        break;
      }
    }
  }
  return since - APPENDED_WITHIN;
}

/** The value that the store did not take; undefined when the entry is about something else. */
export function refusedPoint({ reason, source, payload }: Rejection): Point | undefined {
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
