import { UnreadableEntry } from '#libs/journal';
import { PantauError, type UtcMillis } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import type { BatchContext } from './batch-context.js';
import type { Reader } from './shared-reads.js';
import type { StageCache } from './stage-state.js';
import type { Turns } from './ticks.js';

export function codeOf(error: unknown): string | undefined {
  return error instanceof PantauError ? error.code : undefined;
}

/** Whether it is the entry that the consumer has to read next that cannot be read, and not one that its handler looked at. */
export function isNextOf({ stream, shard, next }: Consumer, error: unknown): error is UnreadableEntry {
  return (
    error instanceof UnreadableEntry &&
    error.stream === stream &&
    error.shard === shard &&
    error.offset === next
  );
}

/** An entry that is set aside: of one that cannot be read its key is known at most. */
export interface Failing {
  readonly key: string | undefined;
  readonly appendedAt?: UtcMillis;
}

/** A batch that was handled and is not committed yet. */
export interface Handled {
  /** Its entries. */
  readonly count: number;
  /** Whether it ended because it took as much as a batch may, so that there may be more. */
  readonly isFull: boolean;
  /** Different ones among its entries. */
  readonly keys: number;
  readonly context: BatchContext;
}

/** One cursor of the stage: a stream within a shard. */
export interface Consumer {
  readonly stream: StreamName;
  readonly shard: number;
  readonly cache: StageCache;
  readonly reader: Reader;
  /** At most so many entries are handled at once. */
  readonly piece: number;
  next: number;
  /** Another process moved the cursor: `next` is not where it stands. */
  wasMoved: boolean;
  limit: number;
  /** Failures in a row, for the back-off. */
  failures: number;
  /** Where the shard ends, as it was told last. */
  end: number;
  /** Its last batch was full: it goes on without rest. */
  isBehind: boolean;
  /** After a batch that was not full it waits for one. */
  readonly turns: Turns;
}

/** Whether there is something for it to do. */
export function hasNews({ end, next, wasMoved }: Consumer): boolean {
  return end > next || wasMoved;
}
