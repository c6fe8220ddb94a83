import { pagesOf, type Entry, type Journal } from '#libs/journal';
import type { UtcMillis } from '#libs/kernel';
import type { StreamTypes } from '#libs/streams';
import type { CommandEvent, JournalRef, Observation, Rejection, Signal } from '#libs/telemetry';
import { LOOKED_AT } from '../http/page.js';
import { firstAppendedSince } from '../journal/appended-since.js';

/** The streams that hold what becomes of messages. */
const TRACES = ['readings', 'signals', 'commands', 'rejected'] as const;
type Trace = (typeof TRACES)[number];
const PAGE = 500;

/** What the stages wrote of one message. */
export interface MessageTraces {
  readonly readings: Entry<Observation>[];
  readonly signals: Entry<Signal>[];
  readonly commands: Entry<CommandEvent>[];
  readonly rejected: Entry<Rejection>[];
}

/** Messages of one shard, by their offsets. */
export interface SoughtMessages {
  readonly shard: number;
  readonly offsets: readonly number[];
  /** When the oldest of them was appended: what came of it was appended later. */
  readonly since: UtcMillis;
}

/**
 * What became of some messages that stand near each other. Of each stream and shard 5,000 entries are looked at, from the oldest
 * message on; the stages leave traces in the order of the messages, so it ends behind the newest.
 *
 * @param shards - where what came of them may stand: those of the devices that they tell of
 */
export async function tracesOf(
  journal: Journal,
  { shard, offsets, since }: SoughtMessages,
  shards: readonly number[],
): Promise<ReadonlyMap<number, MessageTraces>> {
  const found = new Map<number, MessageTraces>(
    offsets.map((offset) => [offset, { readings: [], signals: [], commands: [], rejected: [] }]),
  );
  const newest = Math.max(...offsets);

  /** @returns whether it stands behind all that is sought */
  function take<S extends Trace>(stream: S, entry: Entry<StreamTypes[S]>): boolean {
    const ref = messageOf(stream, entry.data);
    if (ref === undefined || ref.shard !== shard) return false;
    const traces = found.get(ref.offset)?.[stream] as Entry<StreamTypes[S]>[] | undefined;
    traces?.push(entry);
    return ref.offset > newest;
  }

  async function lookThrough(stream: Trace, place: number): Promise<void> {
    const extent = await journal.extent(stream, place);
    const from = await firstAppendedSince(journal, stream, place, since, extent);
    const to = Math.min(extent.next, from + LOOKED_AT);
    for await (const page of pagesOf(journal, stream, place, () => undefined, { from, to, page: PAGE }))
      for (const entry of page) if (take(stream, entry)) return;
  }

  if (offsets.length > 0)
    for (const stream of TRACES) for (const place of shards) await lookThrough(stream, place);
  return found;
}

/** The message of `uplink` that an entry came of. */
function messageOf(stream: Trace, data: StreamTypes[Trace]): JournalRef | undefined {
  if (stream !== 'rejected') return 'uplink' in data ? data.uplink : undefined;
  const { source } = data as Rejection;
  return source?.stream === 'uplink' ? source : undefined;
}
