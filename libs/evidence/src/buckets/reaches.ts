import { isObject, type UtcMillis } from '#libs/kernel';
import type { Series } from './device-bucket-form.js';

/** Of each series of a device the first and the last bucket with a value of it, so that nobody looks through those between. */
export type Reaches = Readonly<
  Partial<Record<Series, { readonly first: UtcMillis; readonly last: UtcMillis }>>
>;

export const NOTHING_REACHED: Reaches = {};

export function isReaches(value: unknown): boolean {
  const isReach = (reach: unknown): boolean =>
    isObject(reach) && Number.isFinite(reach['first']) && Number.isFinite(reach['last']);
  return isObject(value) && Object.values(value).every(isReach);
}

/** @returns the same object where the bucket changes nothing */
export function withBucket(reaches: Reaches, bucket: UtcMillis, series: Iterable<Series>): Reaches {
  let after = reaches;
  for (const one of series) {
    const { first = Infinity, last = -Infinity } = after[one] ?? {};
    if (first <= bucket && bucket <= last) continue;
    after = { ...after, [one]: { first: Math.min(first, bucket), last: Math.max(last, bucket) } };
  }
  return after;
}
