import type { NewEntry } from '#libs/journal';
import { defined, type UtcMillis } from '#libs/kernel';
import type { Rejection, RejectionReason } from '#libs/telemetry';

/** Longest detail that is kept. */
const DETAIL_LENGTH = 1_000;

/** What the store does not hold goes into `rejected` whole, so that it can be put in later. */
export function rejectionOf(
  item: { readonly site: string; readonly device: string },
  reason: RejectionReason,
  detail: string,
  receivedAt: UtcMillis,
  source?: Rejection['source'],
): NewEntry<Rejection> {
  const { site, device } = item;
  const payload = Buffer.from(JSON.stringify(item));
  return {
    key: device,
    data: {
      reason,
      detail: detail.slice(0, DETAIL_LENGTH),
      receivedAt,
      site,
      device,
      payload,
      count: 1,
      ...defined({ source }),
    },
  };
}
