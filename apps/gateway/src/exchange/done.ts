import type { UtcMillis } from '#libs/kernel';

/** What a request with an idempotency key did. */
export interface Done {
  readonly at: UtcMillis;
  /** Of method, path and body, keyed with the credential. */
  readonly digest: string;
  /** Absent until it is done, and for ever when it failed or Pantau was ended before: then nobody knows whether it was. */
  readonly status?: number;
  /** JSON; absent for one that may hold a secret, which is shown once. */
  readonly answer?: string;
}
