import type { Millis, UtcMillis } from './time/time.js';

/** `burst` at once, then `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Meters events of one source. Kept small: there is one for every device and address. */
export class TokenBucket {
  #tokens: number;
  #at: UtcMillis;

  constructor(
    private readonly rate: Rate,
    now: UtcMillis,
  ) {
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes a token if there is one. */
  tryTake(now: UtcMillis): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Whether there is a token; it stays there. */
  has(now: UtcMillis): boolean {
    this.#refill(now);
    return this.#tokens >= 1;
  }

  /** How many tokens there are. */
  left(now: UtcMillis): number {
    this.#refill(now);
    return Math.max(0, this.#tokens);
  }

  /** Takes a token, on credit if need be. @returns how long to wait until it would have been there; 0 for at once */
  take(now: UtcMillis): Millis {
    this.#refill(now);
    this.#tokens--;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.rate.perSecond) * 1_000;
  }

  /** Full again: nothing is remembered that a new bucket would not know. */
  isFull(now: UtcMillis): boolean {
    this.#refill(now);
    return this.#tokens >= this.rate.burst;
  }

  #refill(now: UtcMillis): void {
    // A clock that was set back gives nothing and takes nothing.
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.rate.burst, this.#tokens + (elapsed / 1_000) * this.rate.perSecond);
  }
}

const MAX_BUCKETS = 50_000;

/** A bucket for each key. Full buckets are forgotten when there are many. */
export class TokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(private readonly rate: Rate) {}

  of(key: string, now: UtcMillis): TokenBucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MAX_BUCKETS) this.#forget(now);
    const bucket = new TokenBucket(this.rate, now);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forget(now: UtcMillis): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
    // An attacker with that many addresses: the oldest go, whoever they are.
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < MAX_BUCKETS) break;
      this.#buckets.delete(key);
    }
  }
}
