import { DAY, localDateOf, type UtcMillis } from '#libs/kernel';

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
  /** The first day of which all is counted by day too; all days where it is empty. Absent where none is. */
  readonly daysFrom?: string;
}

/** What a stage counted on one shard of a stream of what arrived on one day of the regency, committed with its cursor. */
export interface CountedOfDay {
  /** The first entry that was not counted yet when the row was written. */
  readonly next: number;
  /** Under the names of the stage, and {@link OF_DAY}. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Counters of a day beside those of the stage. */
export const OF_DAY = {
  /** Entries that arrived on the day. */
  entries: 'entries',
  /** Of these: appended on another day, because midnight was between. */
  appendedElsewhere: 'appended elsewhere',
  /** Entries that were appended on the day and had arrived on another one. */
  arrivedElsewhere: 'arrived elsewhere',
  /** Of the entries: set aside, see {@link PassedOver}. */
  setAside: 'set aside',
} as const;

/** Entries that the cursor of a stage passed without its handler. */
export interface PassedOver {
  /** The handler failed on it again and again; it is in `rejected` as `handler_failed`. */
  readonly setAside: number;
  /** Of these: those that could not be read, so nobody knows when they arrived. */
  readonly undated?: number;
  /** Retention took it before the stage had read it. */
  readonly lost: number;
}

export const NOTHING_PASSED: PassedOver = { setAside: 0, lost: 0 };

export function countedKey({ stage, stream, shard }: BatchOrigin): string {
  return `counted/${stage}/${stream}/${shard}`;
}

/** The days in their order. */
export function countedOfDayKey(day: string, { stage, stream, shard }: BatchOrigin): string {
  return `${day}/${stage}/${stream}/${shard}`;
}

export function passedOverKey({ stage, stream, shard }: BatchOrigin): string {
  return `passed-over/${stage}/${stream}/${shard}`;
}

/** Rows of days are kept so long: the same month of last year can be looked at. */
const DAYS_KEPT = 400;

/** The first day of which rows are kept. */
export function accountDaysFrom(now: UtcMillis): string {
  return localDateOf(now - DAYS_KEPT * DAY);
}
