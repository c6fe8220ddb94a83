import { newestFirst, type Entry, type Journal } from '#libs/journal';
import type { UtcMillis } from '#libs/kernel';
import type { StreamTypes } from '#libs/streams';
import type { Rejection, Uplink } from '#libs/telemetry';
import { cursorText, LOOKED_AT, type Page } from '../http/page.js';

/** A message that got in, or what was refused at the door. */
export type SentEntry =
  | { readonly stream: 'uplink'; readonly entry: Entry<Uplink> }
  | { readonly stream: 'rejected'; readonly entry: Entry<Rejection> };

/** What was found of a stream, newest first. */
interface Found {
  readonly matching: SentEntry[];
  /** Down to when all of it was found. */
  readonly until: UtcMillis;
  /** Where to go on once all of it was taken; 0 when there is nothing more. */
  readonly rest: number;
}

const appendedAt = (sent: SentEntry | undefined): UtcMillis => sent?.entry.appendedAt ?? -Infinity;

/**
 * The newest messages that a device sent, with those that were refused at the door and so never became one. Of each stream 5,000
 * entries of the device's shard are looked at; then the page ends before it is full.
 */
export async function newestSent(
  journal: Journal,
  shard: number,
  device: string,
  {
    after = [Infinity, Infinity],
    limit,
  }: { readonly after?: readonly [number, number]; readonly limit: number },
): Promise<Page<SentEntry>> {
  const messages = await foundIn('uplink', after[0], (entry) =>
    entry.key === device ? { stream: 'uplink', entry } : undefined,
  );
  // What was refused after the door has its message among the others.
  const refused = await foundIn('rejected', after[1], (entry) =>
    entry.key === device && entry.data.source === undefined ? { stream: 'rejected', entry } : undefined,
  );
  const lists = [
    { ...messages, place: after[0] },
    { ...refused, place: after[1] },
  ];
  const items: SentEntry[] = [];
  const complete = Math.max(messages.until, refused.until);
  while (items.length < limit) {
    const [list] = lists
      .filter(({ matching }) => matching.length > 0)
      .sort(({ matching: [a] }, { matching: [b] }) => appendedAt(b) - appendedAt(a));
    const [newest] = list?.matching ?? [];
    // Something newer may stand where it was not looked.
    if (list === undefined || newest === undefined || appendedAt(newest) < complete) break;
    list.matching.shift();
    items.push(newest);
    list.place = newest.entry.offset;
  }
  const next = lists.map(({ matching, place, rest }) => (matching.length > 0 ? place : rest));
  if (next.every((offset) => offset === 0)) return { items };
  return {
    items,
    truncated: true,
    next: cursorText(next.map((offset) => Math.min(offset, Number.MAX_SAFE_INTEGER))),
  };

  async function foundIn<S extends SentEntry['stream']>(
    stream: S,
    before: number,
    fitting: (entry: Entry<StreamTypes[S]>) => SentEntry | undefined,
  ): Promise<Found> {
    const matching: SentEntry[] = [];
    if (before === 0) return { matching, until: -Infinity, rest: 0 };
    let looked = 0;
    const end = Math.min(before, Number.MAX_SAFE_INTEGER);
    for await (const entry of newestFirst(journal, stream, shard, () => undefined, limit + 1, end)) {
      const sent = fitting(entry);
      if (sent !== undefined) matching.push(sent);
      if (matching.length > limit || ++looked >= LOOKED_AT)
        return { matching, until: entry.appendedAt, rest: entry.offset };
    }
    return { matching, until: -Infinity, rest: 0 };
  }
}
