import type { Journal } from '#libs/journal';
import type { TimeSpan } from '#libs/kernel';
import { shardOf } from '#libs/kernel';
import type { Point, TimeSeriesStore } from '#libs/timeseries';
import { createHash } from 'node:crypto';
import { entriesOfKey } from './journal-source.js';
import type { Check } from './recomputation.js';

const PAGE = 10_000;

/** Digests of a device's day in the journal and in the store: SHA-256, hexadecimal, over time, parameter, value and flag. */
export interface StoreCheck extends Check {
  readonly journal?: string;
  readonly store?: string;
  /** Why it was not compared. */
  readonly reason?: string;
}

/** Compares what the store holds of a device for a span with what the writer took from the journal. */
export async function verifyStore(
  device: string,
  span: TimeSpan,
  journal: Pick<Journal, 'extent' | 'position' | 'read' | 'shards'>,
  store: Pick<TimeSeriesStore, 'query'>,
): Promise<StoreCheck> {
  const shard = shardOf(device, journal.shards);
  const taken = await journal.position('writer', 'readings', shard);
  const stored = await storedRows(device, span, store);
  const rows = new Map<string, { readonly row: string; readonly offset: number }>();
  const waiting = new Set<string>();
  for await (const { key, offset, data } of entriesOfKey(journal, 'readings', device)) {
    if (key !== device || data.ts < span.from || data.ts >= span.to) continue;
    for (const reading of data.readings) {
      const id = idOf({ ...reading, ts: data.ts });
      if (offset >= taken) waiting.add(id);
      else rows.set(id, { row: rowOf({ ...reading, ts: data.ts }), offset });
    }
  }
  // What the writer is about to replace may be there already, or not yet.
  for (const id of waiting) {
    rows.delete(id);
    stored.delete(id);
  }
  const ids = [...new Set([...rows.keys(), ...stored.keys()])].sort();
  const digests = {
    journal: digestOf(ids.map((id) => rows.get(id)?.row)),
    store: digestOf(ids.map((id) => stored.get(id))),
  };
  const at = ids.find((id) => rows.get(id)?.row !== stored.get(id));
  if (at === undefined) return { result: 'equal', ...digests };
  const offset = rows.get(at)?.offset ?? null;
  return {
    ...{ result: 'different', ...digests },
    difference: { part: 'store', stream: 'readings', shard, offset, row: at },
  };
}

async function storedRows(
  device: string,
  { from, to }: TimeSpan,
  store: Pick<TimeSeriesStore, 'query'>,
): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for (let next = from; ;) {
    const points = await store.query({ device, span: { from: next, to }, limit: PAGE, order: 'asc' });
    for (const point of points) rows.set(idOf(point), rowOf(point));
    // The last instant may go on on the next page; one instant has fewer parameters than a page has rows.
    if (points.length < PAGE) return rows;
    next = points.at(-1)?.ts ?? to;
  }
}

function idOf({ ts, parameter }: Pick<Point, 'ts' | 'parameter'>): string {
  return `${new Date(ts).toISOString()} ${parameter}`;
}

function rowOf(point: Pick<Point, 'ts' | 'parameter' | 'value' | 'flag'>): string {
  return `${idOf(point)} ${point.value} ${point.flag}`;
}

function digestOf(rows: readonly (string | undefined)[]): string {
  const hash = createHash('sha256');
  for (const row of rows) if (row !== undefined) hash.update(row).update('\n');
  return hash.digest('hex');
}
