import { Share, type Quota } from '../quota.js';

/** What each level of a filter costs, and the filter itself: entries of the tries in which it is found. */
const LEVEL_BYTES = 256;
/** Of one client, kept whatever others keep: the filters of a device. */
export const ALWAYS_FILTER_BYTES = 8_192;

/** What a filter takes of a bound: once while its client is connected, once more in a kept session. */
export function filterBytes(filter: string): number {
  return filter.length + LEVEL_BYTES * (filter.split('/').length + 1);
}

/** The filters that one connection holds, and what they take of the bound. */
export class HeldFilters {
  readonly #filters = new Set<string>();
  readonly #share: Share;

  constructor(quota: Quota, principal: string) {
    this.#share = new Share(quota, principal, ALWAYS_FILTER_BYTES);
  }

  get size(): number {
    return this.#filters.size;
  }

  has(filter: string): boolean {
    return this.#filters.has(filter);
  }

  /** Whether there is room for it. */
  fits(filter: string): boolean {
    return this.#filters.has(filter) || this.#share.fits(filterBytes(filter));
  }

  /** Counts it, whether it fits or not. */
  add(filter: string): void {
    if (this.#filters.has(filter)) return;
    this.#filters.add(filter);
    this.#share.set(this.#share.amount + filterBytes(filter));
  }

  delete(filter: string): void {
    if (this.#filters.delete(filter)) this.#share.set(this.#share.amount - filterBytes(filter));
  }

  /** The client is gone. */
  end(): void {
    this.#filters.clear();
    this.#share.end();
  }
}
