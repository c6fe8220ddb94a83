import { newestFirst, type Journal, type UnreadableEntryListener } from '#libs/journal';
import type { Rejection } from '#libs/telemetry';
import type { z } from 'zod';
import { cursorText, LOOKED_AT, type Page } from '../http/page.js';
import type { rejectedQuery } from './rejected-request.js';

export type ListedRejection = Rejection & { readonly shard: number; readonly offset: number };

/** What was found in a shard, newest first. */
interface Found {
  readonly matching: ListedRejection[];
  /** Where to go on once all of it was taken; 0 when there is nothing more. */
  readonly rest: number;
}

/** The newest rejections that are asked for; each shard in the order of its offsets, the newer head first. */
export async function newestMatching(
  journal: Journal,
  query: z.output<typeof rejectedQuery>,
  passedOver: UnreadableEntryListener,
): Promise<Page<ListedRejection>> {
  const shards: Found[] = [];
  const places: number[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const before = query.after === undefined ? Infinity : (query.after[shard] ?? 0);
    places.push(before);
    shards.push(await matchingIn(journal, shard, query, before, passedOver));
  }
  const items: ListedRejection[] = [];
  while (items.length < query.limit) {
    const heads = shards.flatMap(({ matching }) => matching[0] ?? []);
    const newest = heads.sort((a, b) => b.receivedAt - a.receivedAt || b.offset - a.offset)[0];
    if (newest === undefined) break;
    items.push(newest);
    places[newest.shard] = newest.offset;
    shards[newest.shard]?.matching.shift();
  }
  const next = shards.map(({ matching, rest }, shard) =>
    matching.length > 0 ? (places[shard] as number) : rest,
  );
  if (next.every((offset) => offset === 0)) return { items };
  // Behind no entry of a shard: before an offset that none will ever have.
  return {
    items,
    truncated: true,
    next: cursorText(next.map((offset) => Math.min(offset, Number.MAX_SAFE_INTEGER))),
  };
}

async function matchingIn(
  journal: Journal,
  shard: number,
  { reason, device, site, from = 0, to = Infinity, limit }: z.output<typeof rejectedQuery>,
  before: number,
  passedOver: UnreadableEntryListener,
): Promise<Found> {
  const matching: ListedRejection[] = [];
  if (before === 0) return { matching, rest: 0 };
  let looked = 0;
  const entries = newestFirst(journal, 'rejected', shard, passedOver, limit + 1, before);
  for await (const { offset, appendedAt, data } of entries) {
    // What was appended before had arrived before.
    if (appendedAt < from) break;
    if (
      (reason ?? data.reason) === data.reason &&
      (device ?? data.device) === data.device &&
      (site ?? data.site) === data.site &&
      data.receivedAt >= from &&
      data.receivedAt < to
    )
      matching.push({ ...data, shard, offset });
    if (matching.length > limit || ++looked >= LOOKED_AT) return { matching, rest: offset };
  }
  return { matching, rest: 0 };
}
