import { localDaySpan, shardOf, canonicalJson, type TimeSpan } from '#libs/kernel';
import type { Entry, Journal } from '#libs/journal';
import type { JournalRef, Observation, Signal } from '#libs/telemetry';
import { entriesOfKey } from './journal-source.js';
import { missingOf, type Check } from './recomputation.js';

/** What the bytes of a device say when ingest reads them again. */
export interface DecodedAgain {
  readonly readings: readonly Observation[];
  readonly signals: readonly Signal[];
  /** The uplinks that were read, by shard. */
  readonly read: readonly { readonly shard: number; readonly first: number; readonly next: number }[];
  /** Whether the flags were given by the quality tests of this version. */
  readonly sameTests: boolean;
}

type FromUplink = (Observation | Signal) & { readonly uplink: JournalRef };

/**
 * Compares what ingest wrote of a device for a day with what it writes when it reads the same bytes again, entry by entry.
 * Where retention took the first bytes, or other tests judged, flags cannot be repeated: what differs in them alone is
 * `not_verifiable`; every other difference is one.
 */
export async function verifyEntries(
  stream: 'readings' | 'signals',
  device: string,
  date: string,
  again: DecodedAgain,
  journal: Pick<Journal, 'extent' | 'read' | 'removals' | 'shards'>,
): Promise<Check> {
  const span = localDaySpan(date) ?? { from: 0, to: 0 };
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
  written.sort((a, b) => byUplink(a.data, b.data));
  expected.sort(byUplink);
  const isWhole = again.sameTests && again.read.every(({ first }) => first === 0);
  const at = firstDifference(written, expected, isWhole);
  if (at === undefined) {
    const inFlags = isWhole ? undefined : firstDifference(written, expected, true);
    if (inFlags === undefined) return { result: 'equal' };
    const { shard, offset } = (expected[inFlags] ?? written[inFlags]?.data)?.uplink ?? {
      shard: 0,
      offset: 0,
    };
    return {
      result: 'not_verifiable',
      missing: { stream: 'uplink', shard, offset: Math.max(0, offset - 1) },
    };
  }
  const entry = written[at];
  const uplink = (entry?.data ?? expected[at])?.uplink ?? { shard: 0, offset: 0 };
  const [shard, offset] =
    entry === undefined ? [shardOf(device, journal.shards), null] : [entry.shard, entry.offset];
  return { result: 'different', difference: { part: 'entries', stream, shard, offset, uplink } };
}

function isWithin(data: Observation | Signal, { from, to }: TimeSpan): data is FromUplink {
  return 'uplink' in data && data.ts >= from && data.ts < to;
}

/** Those of one uplink keep their order. */
function byUplink({ uplink: a }: FromUplink, { uplink: b }: FromUplink): number {
  return a.shard - b.shard || a.offset - b.offset;
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

/** An entry as it is compared: canonical JSON. Without flags an amendment says nothing. */
export function shownOf(data: Observation | Signal, withFlags: boolean): string {
  if (withFlags || !('readings' in data)) return canonicalJson(data);
  if (data.amendment === true) return '';
  return canonicalJson({
    ...data,
    readings: data.readings.map(({ parameter, value }) => ({ parameter, value })),
  });
}
