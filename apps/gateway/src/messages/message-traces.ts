import { pagesOf, type Entry, type Extent, type Journal } from '#libs/journal';
import type { StreamTypes } from '#libs/streams';
import type { CommandEvent, JournalRef, Observation, Rejection, Signal } from '#libs/telemetry';
import { LOOKED_AT } from '../http/page.js';
import { firstAppendedSince } from '../journal/appended-since.js';

/** The streams that hold what becomes of messages. */
const TRACES = ['readings', 'signals', 'commands', 'rejected'] as const;
type Trace = (typeof TRACES)[number];
/** Entries at a time: what came of a message stands near it. */
const PAGE = 50;

/** What the stages wrote of one message. */
export interface MessageTraces {
  readonly readings: Entry<Observation>[];
  readonly signals: Entry<Signal>[];
  readonly commands: Entry<CommandEvent>[];
  readonly rejected: Entry<Rejection>[];
}

/** A message of `uplink`. */
type Sought = Pick<Entry, 'shard' | 'offset' | 'appendedAt'>;

/**
 * What became of messages, by their offsets. The stages leave traces after a message was appended and in the order of the messages, so those
 * of each are looked for from its instant on and behind what came of earlier ones, up to what came of a later one. Of each stream and shard 5,000 entries are looked at, those of the
 * first messages first.
 *
 * @param shards - where what came of them may stand: those of the devices that they tell of
 */
export async function tracesOf(
  journal: Journal,
  messages: readonly Sought[],
  shards: readonly number[],
): Promise<ReadonlyMap<number, MessageTraces>> {
  const found = new Map<number, MessageTraces>(
    messages.map(({ offset }) => [offset, { readings: [], signals: [], commands: [], rejected: [] }]),
  );
  for (const stream of TRACES) for (const place of shards) await lookThrough(stream, place);
  return found;

  async function lookThrough(stream: Trace, place: number): Promise<void> {
    const extent = await journal.extent(stream, place);
    let left = LOOKED_AT;
    for (const message of messages) {
      const from = await beginningOf(message, journal, stream, place, extent);
      left -= await lookFor(message, stream, place, { from, to: Math.min(extent.next, from + left) });
      if (left <= 0) return;
    }
  }

  /** @returns how many entries it looked at */
  async function lookFor<S extends Trace>(
    { shard, offset }: Sought,
    stream: S,
    place: number,
    span: { readonly from: number; readonly to: number },
  ): Promise<number> {
    const traces = found.get(offset)?.[stream] as Entry<StreamTypes[S]>[] | undefined;
    let looked = 0;
    for await (const page of pagesOf(journal, stream, place, () => undefined, { ...span, page: PAGE }))
      for (const entry of page) {
        looked++;
        const ref = messageOf(stream, entry.data);
        if (ref?.shard !== shard) continue;
        if (ref.offset > offset) return looked;
        if (ref.offset === offset) traces?.push(entry);
      }
    return looked;
  }
}

/** Where the traces of a message begin at the earliest, and not far before that also where a stage was behind when the message came. */
async function beginningOf(
  { shard, offset, appendedAt }: Sought,
  journal: Journal,
  stream: Trace,
  place: number,
  extent: Extent,
): Promise<number> {
  let low = await firstAppendedSince(journal, stream, place, appendedAt, extent);
  let step = PAGE;
  while (low + step < extent.next && (await isBefore(low + step))) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, extent.next);
  while (high - low > PAGE) {
    const middle = Math.floor((low + high) / 2);
    if (await isBefore(middle)) low = middle;
    else high = middle;
  }
  return low;

  /** Whether an entry near a place came of an earlier message. */
  async function isBefore(from: number): Promise<boolean> {
    const span = { from, to: from + PAGE, page: PAGE };
    for await (const page of pagesOf(journal, stream, place, () => undefined, span))
      for (const { data } of page) {
        const ref = messageOf(stream, data);
        // What amends a reading stands behind its message.
        if (ref?.shard === shard && !('amendment' in data)) return ref.offset < offset;
      }
    return false;
  }
}

/** The message of `uplink` that an entry came of. */
function messageOf(stream: Trace, data: StreamTypes[Trace]): JournalRef | undefined {
  if (stream !== 'rejected') return 'uplink' in data ? data.uplink : undefined;
  const { source } = data as Rejection;
  return source?.stream === 'uplink' ? source : undefined;
}
