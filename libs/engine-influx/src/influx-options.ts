import type { Millis } from '#libs/kernel';
import type { StoreRetention } from '#libs/timeseries';

export interface InfluxStoreOptions {
  readonly url: string;
  readonly version: 1 | 2;
  /** Database (1.x) or bucket (2.x). */
  readonly database: string;
  /** 2.x. */
  readonly org?: string | undefined;
  readonly token?: string | undefined;
  /** 1.x with authentication. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly timeoutMs: Millis;
  /** Everything is kept by default. */
  readonly retention?: StoreRetention;
}

/** Readings or one tier of roll-ups: what has a retention policy (1.x) or a bucket (2.x) of its own. */
export type Place = keyof StoreRetention;

/** The bucket of a place in 2.x. */
export function bucketName({ database }: InfluxStoreOptions, place: Place): string {
  return place === 'raw' ? database : `${database}_${place}`;
}
