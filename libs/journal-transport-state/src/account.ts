/** A stage, and the shard of a stream that it reads. */
export interface BatchOrigin {
  readonly stage: string;
  readonly stream: string;
  readonly shard: number;
}

/** What a stage counted on one shard of a stream, committed with its cursor. */
export interface Counted {
  /** The first entry that was counted: above 0 where the stage had read some before it counted. */
  readonly since: number;
  /** The first entry that was not counted yet. */
  readonly next: number;
  /** Of the entries between: how many the cursor passed over without the handler, see {@link PassedOver}. */
  readonly skipped: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Entries that the cursor of a stage passed without its handler. */
export interface PassedOver {
  /** The handler failed on it again and again; it is in `rejected` as `handler_failed`. */
  readonly setAside: number;
  /** Retention took it before the stage had read it. */
  readonly lost: number;
}

export const NOTHING_PASSED: PassedOver = { setAside: 0, lost: 0 };

export function countedKey({ stage, stream, shard }: BatchOrigin): string {
  return `counted/${stage}/${stream}/${shard}`;
}

export function passedOverKey({ stage, stream, shard }: BatchOrigin): string {
  return `passed-over/${stage}/${stream}/${shard}`;
}
