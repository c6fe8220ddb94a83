import type { Beat } from '#libs/alerting';

/** The beats of a shard on their way, at most two: those between them are left out, a later one says the same and more. */
export interface Underway {
  /** Waits until ingest has read what had arrived before it. */
  readonly arriving?: Beat & { readonly uplinks: readonly number[] };
  /** Waits until this stage has judged what ingest had made of that: the readings before this offset. */
  readonly judging?: Beat & { readonly readings: number };
}
