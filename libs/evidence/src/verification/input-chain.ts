import { canonicalJson, defined, shardOf, type TimeSpan } from '#libs/kernel';
import { readPage, type Entry, type Journal } from '#libs/journal';
import type { JournalRef, Observation, Signal, Uplink } from '#libs/telemetry';
import { entriesOfKey } from './journal-source.js';
import { missingOf, type Check, type DecoderChange, type Missing } from './recomputation.js';

/** What the bytes of a device say when ingest reads them again. */
export interface DecodedAgain {
  readonly readings: readonly Observation[];
  readonly signals: readonly Signal[];
  /** The uplinks that were read, by shard. */
  readonly read: readonly { readonly shard: number; readonly first: number; readonly next: number }[];
  /** Set where quality tests of another version may have given the flags. */
  readonly testsChange?: DecoderChange | undefined;
  /** Whether another version decoded a message at its arrival. */
  readonly decoderChange?: (uplink: Uplink) => DecoderChange | undefined;
}

type FromUplink = (Observation | Signal) & { readonly uplink: JournalRef };

/**
 * Compares what ingest wrote of a device in a span with what it writes when it reads the same bytes again, entry by entry.
 * Where retention took the first bytes, or other tests judged, flags cannot be repeated: what differs in them alone is
 * `not_verifiable`, and so is what has an {@link Excuse}; every other difference is one.
 */
export async function verifyEntries(
  stream: 'readings' | 'signals',
  device: string,
  span: TimeSpan,
  again: DecodedAgain,
  journal: Pick<Journal, 'extent' | 'read' | 'removals' | 'shards'>,
): Promise<Check> {
  const reach = new Map(again.read.map((of) => [of.shard, of]));
  const written: Entry<FromUplink>[] = [];
  for await (const entry of entriesOfKey(journal, stream, device)) {
    if (entry.key !== device || !isWithin(entry.data, span)) continue;
    const { uplink } = entry.data;
    const { first = 0, next = 0 } = reach.get(uplink.shard) ?? {};
    if (uplink.offset < first) {
      const missing = { stream: 'uplink', ...uplink };
      const removal = (await journal.removals('uplink')).find(
        ({ shard, from, to }) => shard === uplink.shard && uplink.offset >= from && uplink.offset < to,
      );
      return { result: 'not_verifiable', missing: missingOf(missing, removal) };
    }
    // What ingest took since the bytes were read is for the next time; what no uplink holds is made up.
    if (reach.has(uplink.shard) && uplink.offset >= next) {
      const { next: end } = await journal.extent('uplink', uplink.shard);
      if (uplink.offset < end) continue;
    }
    written.push(entry as Entry<FromUplink>);
  }
  const expected = again[stream].filter((data): data is FromUplink => isWithin(data, span));
  const isWhole = again.testsChange === undefined && again.read.every(({ first }) => first === 0);
  let excused: Excuse | undefined;
  let inFlags: JournalRef | undefined;
  for (const { uplink, before, now } of inPairs(written, expected)) {
    const at = firstDifference(before, now, isWhole);
    if (at === undefined) {
      if (!isWhole && firstDifference(before, now, true) !== undefined) inFlags ??= uplink;
      continue;
    }
    const excuse = await excuseOf(journal, uplink, again.decoderChange);
    if (excuse === undefined) {
      const entry = before[at];
      const [shard, offset] =
        entry === undefined ? [shardOf(device, journal.shards), null] : [entry.shard, entry.offset];
      return { result: 'different', difference: { part: 'entries', stream, shard, offset, uplink } };
    }
    excused ??= excuse;
  }
  if (excused !== undefined) return { result: 'not_verifiable', ...excused };
  if (inFlags === undefined) return { result: 'equal' };
  // Flags rest on what came before, of every sender that speaks for the device: their shards may be others.
  const shards = new Set([inFlags.shard, ...again.read.map(({ shard }) => shard)]);
  for (const shard of shards) {
    const missing = await takenBefore(journal, shard);
    if (missing !== undefined) return { result: 'not_verifiable', missing };
  }
  return { result: 'not_verifiable', ...defined({ decoder: again.testsChange }) };
}

/** Why what a message became may differ from what its bytes say now, without a fault. */
export type Excuse = Pick<Check, 'missing' | 'decoder'>;

/**
 * A message may rest on messages before it, which retention has taken: codecs of other makers remember, and a message that is
 * sent again is known by the first. Or another version decoded it.
 */
export async function excuseOf(
  journal: Pick<Journal, 'extent' | 'read' | 'removals'>,
  { shard, offset }: JournalRef,
  decoderChange: DecodedAgain['decoderChange'],
): Promise<Excuse | undefined> {
  const { first, next } = await journal.extent('uplink', shard);
  if (offset >= next) return undefined;
  if (offset >= first) {
    const [entry] = (await readPage(journal, 'uplink', shard, offset, 1)).entries;
    const decoder = entry === undefined ? undefined : decoderChange?.(entry.data);
    if (decoder !== undefined) return { decoder };
    const restsOnEarlier = entry === undefined || entry.data.kind === 'foreign' || entry.data.dup;
    if (!restsOnEarlier) return undefined;
  }
  const missing = await takenBefore(journal, shard);
  return missing === undefined ? undefined : { missing };
}

/** The last message that retention took of a shard. */
async function takenBefore(
  journal: Pick<Journal, 'extent' | 'removals'>,
  shard: number,
): Promise<Missing | undefined> {
  const { first } = await journal.extent('uplink', shard);
  if (first === 0) return undefined;
  const removal = (await journal.removals('uplink')).find(
    ({ shard: of, from, to }) => shard === of && first > from && first <= to,
  );
  return missingOf({ stream: 'uplink', shard, offset: first - 1 }, removal);
}

interface Pair {
  readonly uplink: JournalRef;
  readonly before: Entry<FromUplink>[];
  readonly now: FromUplink[];
}

/** What was written of each message and what its bytes say, in order of the messages. */
function inPairs(written: readonly Entry<FromUplink>[], expected: readonly FromUplink[]): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  const pairOf = ({ uplink }: FromUplink): Pair => {
    const key = `${uplink.shard} ${uplink.offset}`;
    let pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, (pair = { uplink, before: [], now: [] }));
    return pair;
  };
  for (const entry of written) pairOf(entry.data).before.push(entry);
  for (const data of expected) pairOf(data).now.push(data);
  return [...pairs.values()].sort(({ uplink: a }, { uplink: b }) => a.shard - b.shard || a.offset - b.offset);
}

function isWithin(data: Observation | Signal, { from, to }: TimeSpan): data is FromUplink {
  return 'uplink' in data && data.ts >= from && data.ts < to;
}

function firstDifference(
  written: readonly Entry<FromUplink>[],
  expected: readonly FromUplink[],
  withFlags: boolean,
): number | undefined {
  const before = written.map(({ data }) => shownOf(data, withFlags));
  const now = expected.map((data) => shownOf(data, withFlags));
  for (let i = 0; i < Math.max(before.length, now.length); i++) if (before[i] !== now[i]) return i;
  return undefined;
}

/** An entry as it is compared: canonical JSON. Without flags an amendment says nothing; a doubt is the device's own word. */
export function shownOf(data: Observation | Signal, withFlags: boolean): string {
  if (withFlags || !('readings' in data)) return canonicalJson(data);
  if (data.amendment === true) return '';
  return canonicalJson({
    ...data,
    readings: data.readings.map(({ parameter, value, doubt }) => ({
      parameter,
      value,
      ...defined({ doubt }),
    })),
  });
}
