import { newestFirst, type Journal, type PassedOver } from '#libs/journal';
import type { Rejection } from '#libs/telemetry';
import type { z } from 'zod';
import type { rejectedQuery } from './rejected-request.js';

/** Entries that are read at a time. */
const PAGE = 500;

export type ListedRejection = Rejection & { readonly shard: number; readonly offset: number };

/** The newest rejections of a shard that are asked for, newest first. */
export async function newestMatching(
  journal: Journal,
  shard: number,
  { reason, device, limit }: z.output<typeof rejectedQuery>,
  passedOver: PassedOver,
): Promise<ListedRejection[]> {
  const matching: ListedRejection[] = [];
  for await (const { offset, data } of newestFirst(journal, 'rejected', shard, passedOver, PAGE)) {
    if ((reason ?? data.reason) === data.reason && (device ?? data.device) === data.device)
      matching.push({ ...data, shard, offset });
    if (matching.length >= limit) break;
  }
  return matching;
}
