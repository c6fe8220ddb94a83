import { readPage, type Entry, type Journal } from '#libs/journal';
import { PantauError } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';

/** @throws PantauError `NOT_FOUND` when there is none: not written yet, taken by retention, or not readable */
export async function readEntry<S extends StreamName>(
  journal: Journal,
  stream: S,
  shard: number,
  offset: number,
): Promise<Entry<StreamTypes[S]>> {
  const none = (message: string, remedy?: string): PantauError =>
    new PantauError('NOT_FOUND', message, {
      ...(remedy === undefined ? {} : { remedy }),
      fields: [{ field: shard < journal.shards ? 'offset' : 'shard', message }],
    });
  if (shard >= journal.shards)
    throw none(`there is no shard ${shard} of ${stream}; there are 0 to ${journal.shards - 1}.`);
  const { first, next } = await journal.extent(stream, shard);
  if (offset >= next)
    throw none(`shard ${shard} of ${stream} ends before offset ${offset}: the next is ${next}.`);
  if (offset < first) {
    const removal = (await journal.removals(stream)).find(
      ({ shard: of, from, to }) => of === shard && offset >= from && offset < to,
    );
    const when = removal === undefined ? '' : ` on ${new Date(removal.at).toISOString().slice(0, 10)}`;
    throw none(
      `retention took offset ${offset} of shard ${shard} of ${stream}${when}; the oldest is ${first}.`,
      'Keep the stream for longer: journal.retention in pantau.yaml.',
    );
  }
  const { entries, unreadable } = await readPage(journal, stream, shard, offset, 1);
  const [entry] = entries;
  if (entry?.offset !== offset)
    throw none(
      `offset ${offset} of shard ${shard} of ${stream} cannot be read${unreadable === undefined ? '' : `: ${unreadable.message}`}.`,
    );
  return entry;
}
