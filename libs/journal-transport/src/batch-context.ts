import type { Entry, NewEntry, StreamAppend } from '#libs/journal';
import { BaseRpcContext } from '@nestjs/microservices';
import type { StageState } from './stage-state.js';

/** The payload of an `@EventPattern('stream')` handler: consecutive entries of one shard. */
export type Batch<T> = readonly Entry<T>[];

export interface BatchOrigin {
  readonly stage: string;
  readonly stream: string;
  readonly shard: number;
}

/** The `@Ctx()` of a handler: where the batch comes from, and what shall be committed together with it. */
export class BatchContext extends BaseRpcContext<[BatchOrigin]> {
  readonly #appends: StreamAppend[] = [];

  constructor(
    readonly origin: BatchOrigin,
    /** What the stage remembers. */
    readonly state: StageState,
  ) {
    super([origin]);
  }

  /** Appends to a stream in the same commit as the cursor; nothing is appended when the handler fails. */
  append(stream: string, entries: readonly NewEntry[]): void {
    if (entries.length > 0) this.#appends.push({ stream, entries });
  }

  appends(): readonly StreamAppend[] {
    return this.#appends;
  }
}
