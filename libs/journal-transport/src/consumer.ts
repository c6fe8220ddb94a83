import { UnreadableEntry, type Journal } from '#libs/journal';
import { PantauError } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import type { BatchContext } from './batch-context.js';
import type { Reader } from './shared-reads.js';
import type { StageCache } from './stage-state.js';

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
  /** Ends when it has gathered long enough; undefined otherwise. */
  rest: Promise<unknown> | undefined;
}

/** Waits for the next entry of any consumer of a shard, again and again. */
export class NextOfAny {
  #ending: AbortController | undefined;

  /** @param stop - ends the wait, and each one to come */
  constructor(
    private readonly journal: Journal,
    private readonly stop: AbortSignal,
  ) {
    // Once for all waits: a signal that is made of others for each of them costs more than the wait.
    stop.addEventListener('abort', () => this.#ending?.abort(DONE), { once: true });
  }

  async wait(consumers: readonly Consumer[]): Promise<void> {
    if (this.stop.aborted) return;
    const ending = new AbortController();
    this.#ending = ending;
    await Promise.race(
      consumers.map(
        ({ stream, shard, next, rest }) => rest ?? this.journal.waitFor(stream, shard, next, ending.signal),
      ),
    ).catch(() => undefined);
    // With a reason, because making one up costs a stack trace.
    ending.abort(DONE);
  }
}

const DONE = 'one of them has something';
