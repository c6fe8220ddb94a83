import { UnreadableEntry, type Entry, type Journal } from '#libs/journal';
import { isTransient, messageOf, PantauError, type Clock, type Millis, type Random } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { isIntake, type StreamName } from '#libs/streams';
import type { Rejection } from '#libs/telemetry';
import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { setImmediate as turnOfTheLoop, setTimeout as delay } from 'node:timers/promises';
import { lastValueFrom } from 'rxjs';
import { BatchContext, type Batch, type Pieces } from './batch-context.js';
import { Bell } from './bell.js';
import { codeOf, hasNews, isNextOf, type Consumer, type Failing, type Handled } from './consumer.js';
import { SharedReads, type Reader } from './shared-reads.js';
import { StageCache, StageState } from './stage-state.js';
import { noteLost, noteSetAside } from './tally.js';
import { DEFAULT_GATHER_MS, Ticks, Turns, TURNS } from './ticks.js';

export interface JournalServerOptions {
  /** Name of the stage; its cursors carry it. */
  readonly stage: string;
  /** The streams that its handlers shall read; `listen` refuses handlers of others. Not checked without it. */
  readonly reads?: readonly StreamName[];
  /** The streams that it may append to; any without it. */
  readonly appends?: readonly StreamName[];
  readonly journal: Journal;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  /** The shards this replica works on; all by default. */
  readonly shards?: readonly number[];
  /** Entries of a batch at most. */
  readonly maxBatch?: number | undefined;
  /** Values of the stage's state that a generation of its cache holds, in each shard. */
  readonly cachedValues?: number | undefined;
  /** First pause after a failure, milliseconds; doubled up to {@link MAX_BACKOFF_MS}. */
  readonly backoffMs?: number;
  /** Between two ticks, see {@link JournalServer}. */
  readonly gatherMs?: Millis;
}

/**
 * Reached only by a stage that is behind. What a batch costs once, such as the state of each of its devices, is shared by
 * its entries; but what it holds lives as long as its commit takes, in every shard at once, and the garbage collector moves
 * it about. So a batch is as large as the number of its devices asks for, and who can takes it in pieces.
 */
const DEFAULT_MAX_BATCH = 40_000;
const MIN_FULL_BATCH = 4_000;
const ENTRIES_PER_KEY = 16;
/** Few enough that they are handled and gone before the garbage collector comes by. */
const PIECE_ENTRIES = 512;
/** A batch ends with the piece that brings what is appended to this. The journal bounds what it reads for each piece alone. */
const MAX_APPENDED_BYTES = 16 * 1024 * 1024;
const MAX_BACKOFF_MS = 30_000;
/** How often a failing entry is tried alone before it is set aside. */
const ATTEMPTS_ALONE = 3;

/** What a handler's decorator says of it beside its stream. */
export interface HandlerOptions {
  /** It returns {@link Pieces}, which get one piece of a batch after the other, and there is one commit for all. */
  readonly inPieces?: boolean;
}

/**
 * The journal as a Nest transport. A handler `@FromStream('stream')` receives a batch of consecutive entries whole, one
 * `@InPieces('stream')` returns what receives it in pieces. When that is done, what it put into the {@link BatchContext} and
 * the cursor are committed together.
 *
 * - A handler that fails gets the same batch again. A transient failure ({@link isTransient}: the store is away) is
 *   retried with back-off until it passes; the first shard that succeeds again wakes the others. Any other failure is
 *   narrowed down by halving the batch; an entry that fails alone is set aside in the stream `rejected` with the error, and
 *   the rest goes on.
 * - After a batch that was not full what comes in from outside gathers until the next tick, in all shards together.
 *   What another stage appends is gathered already, so it is handled as it comes; but not more often than {@link TURNS} in a tick.
 * - Within one shard the stage's handlers run one at a time, so its state has a single writer.
 */
export class JournalServer extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: JournalServerOptions;
  readonly #reads: SharedReads;
  readonly #ticks: Ticks;
  /** Of all its shards together. */
  readonly #intakeTurns: Turns;
  /** Of each shard. */
  readonly #bells = new Set<Bell>();
  readonly #stop = new AbortController();
  /** Aborted when a shard succeeds again after a failure: what the others wait for may be back as well. */
  #recovery = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(options: JournalServerOptions) {
    super();
    this.#options = options;
    this.#reads = SharedReads.of(options.journal);
    this.#ticks = new Ticks(options.gatherMs ?? DEFAULT_GATHER_MS);
    this.#intakeTurns = new Turns(this.#ticks, 1);
  }

  listen(callback: () => void): void {
    this.#assertReads();
    const { journal, shards = Array.from({ length: journal.shards }, (_, i) => i) } = this.#options;
    // A stage that only appends has nothing to wait for.
    if (this.messageHandlers.size > 0) this.#loops = shards.map((shard) => this.#run(shard));
    callback();
  }

  /** Lets the running batches finish, then stops. */
  async close(): Promise<void> {
    this.#end();
    await Promise.all(this.#loops);
    this.#ticks.end();
  }

  /** There are no transport events; required by the base class. */
  on(): void {
    throw new PantauError('USAGE', 'the journal transport has no events.');
  }

  unwrap<T>(): T {
    return this.#options.journal as T;
  }

  /** @throws PantauError `USAGE` when the handlers are not those that the stage declares */
  #assertReads(): void {
    const { stage, reads } = this.#options;
    if (reads === undefined) return;
    const handled = [...this.messageHandlers.keys()].sort().join(', ');
    const declared = [...reads].sort().join(', ');
    if (handled !== declared)
      throw new PantauError(
        'USAGE',
        `stage ${stage} declares that it reads ${declared}, and handles ${handled}.`,
      );
  }

  async #run(shard: number): Promise<void> {
    const { journal } = this.#options;
    // One cache for all streams of the shard, so that no handler sees a value that another one has replaced.
    const cache = new StageCache(this.#options.cachedValues);
    const consumers = await Promise.all(
      Array.from(this.messageHandlers.keys() as Iterable<StreamName>, (stream) =>
        this.#openConsumer(stream, shard, cache),
      ),
    );
    const bell = new Bell();
    this.#bells.add(bell);
    const endWatches = consumers.map((consumer) =>
      journal.watch(consumer.stream, shard, (end) => {
        consumer.end = end;
        bell.ring();
      }),
    );
    while (!this.#stop.signal.aborted) {
      let worked = false;
      for (const consumer of consumers)
        if (this.#isDue(consumer)) worked = (await this.#step(consumer)) || worked;
      if (worked) continue;
      for (const { reader } of consumers) this.#reads.rest(reader);
      if (consumers.some(hasNews)) this.#ticks.ringAtNext(bell);
      await bell.rung();
    }
    for (const endWatch of endWatches) endWatch();
    for (const { reader } of consumers) this.#reads.leave(reader);
  }

  async #openConsumer(stream: StreamName, shard: number, cache: StageCache): Promise<Consumer> {
    const { stage, journal } = this.#options;
    const next = await journal.enter(stage, stream, shard);
    const reader = this.#reads.join(stream, shard);
    const { inPieces = false } = (this.getHandlerByPattern(stream)?.extras ?? {}) as HandlerOptions;
    const piece = inPieces ? PIECE_ENTRIES : Infinity;
    const limit = this.#fullBatch(1);
    return {
      stream,
      shard,
      reader,
      next,
      wasMoved: false,
      limit,
      piece,
      failures: 0,
      cache,
      end: next,
      isBehind: false,
      turns: isIntake(stream) ? this.#intakeTurns : new Turns(this.#ticks, TURNS),
    };
  }

  /** Entries of a full batch, of which so many keys were seen together. */
  #fullBatch(keys: number): number {
    const { maxBatch = DEFAULT_MAX_BATCH } = this.#options;
    return Math.min(maxBatch, Math.max(MIN_FULL_BATCH, keys * ENTRIES_PER_KEY));
  }

  /** Handles one batch of one stream. @returns whether there was one */
  async #step(consumer: Consumer): Promise<boolean> {
    const { stage, journal } = this.#options;
    const { stream, shard } = consumer;
    try {
      if (consumer.wasMoved) consumer.next = await journal.position(stage, stream, shard);
      consumer.wasMoved = false;
      const { count, isFull, keys, context } = await this.#handle(consumer);
      if (count === 0) return false;
      await this.#commit(consumer, count, context);
      if (consumer.failures > 0) this.#recovered();
      consumer.failures = 0;
      consumer.isBehind = isFull;
      if (!isFull) this.#gather(consumer);
      // After trouble, grow back to full batches step by step.
      consumer.limit = Math.min(consumer.limit * 2, this.#fullBatch(keys));
    } catch (error) {
      await this.#recover(consumer, error).catch((cause: unknown) => this.#stumbled(consumer, cause));
    }
    return true;
  }

  /** Does what a batch that failed asks for; afterwards the same or the next one is tried. */
  async #recover(consumer: Consumer, error: unknown): Promise<void> {
    const { stage, journal } = this.#options;
    const { stream, shard, next } = consumer;
    if (codeOf(error) === 'JOURNAL_CLOSED') {
      this.#end();
    } else if (codeOf(error) === 'CURSOR_CONFLICT') {
      this.logger.warn(messageOf(error));
      consumer.cache.clear();
      consumer.wasMoved = true;
      await this.#pause(consumer);
    } else if (codeOf(error) === 'CURSOR_LOST_ENTRIES') {
      this.logger.error(`stage ${stage} lost entries: ${messageOf(error)}`);
      const { first } = await journal.extent(stream, shard);
      const context = this.#contextOf(consumer);
      await noteLost(context.origin, context.state, first - next);
      await this.#commit(consumer, first - next, context);
    } else if (isTransient(error)) {
      this.logger.warn(`stage ${stage} waits, ${stream}/${shard} at ${next}: ${messageOf(error)}`);
      await this.#pause(consumer);
    } else if (isNextOf(consumer, error)) {
      await this.#setAside(consumer, error, error);
    } else {
      await this.#isolate(consumer, error);
    }
  }

  /** Reads a batch and has it handled. */
  async #handle(consumer: Consumer): Promise<Handled> {
    const { reader, next, limit, piece } = consumer;
    const context = this.#contextOf(consumer);
    let pieces: Pieces<unknown> | undefined;
    const keys = new Set<string>();
    let count = 0;
    let isFull = false;
    for (;;) {
      const wanted = Math.min(piece, limit - count);
      const entries = await this.#read(reader, next + count, wanted, count > 0);
      if (entries.length === 0) break;
      pieces ??= await this.#begin(consumer, context);
      await pieces.add(entries);
      for (const { key } of entries) keys.add(key);
      count += entries.length;
      isFull = count === limit || context.bytes >= MAX_APPENDED_BYTES;
      // A piece that is not full is the last one: there is no more, or its entries are large.
      if (isFull || entries.length < wanted) break;
      // Whoever else has something to do, the other shards among them, need not wait for the whole batch.
      await turnOfTheLoop();
    }
    await pieces?.end();
    return { count, isFull, keys: keys.size, context };
  }

  /** What takes the entries of a batch. */
  async #begin({ stream, piece }: Consumer, context: BatchContext): Promise<Pieces<unknown>> {
    const handler = this.getHandlerByPattern(stream);
    if (handler === null) throw new PantauError('USAGE', `no handler for the stream ${stream}.`);
    const call = async (batch?: Batch<unknown>): Promise<unknown> =>
      lastValueFrom(this.transformToObservable(await handler(batch, context)), { defaultValue: undefined });
    if (piece < Infinity) return (await call()) as Pieces<unknown>;
    return {
      async add(batch) {
        await call(batch);
      },
      end: () => undefined,
    };
  }

  /** @param isGoingOn - an entry that cannot be read ends a batch that has others before it, and begins the next one */
  async #read(reader: Reader, from: number, limit: number, isGoingOn: boolean): Promise<readonly Entry[]> {
    try {
      return await this.#reads.read(reader, from, limit);
    } catch (error) {
      if (isGoingOn && error instanceof UnreadableEntry) return [];
      throw error;
    }
  }

  #contextOf({ stream, shard, next: first, cache }: Consumer, appends = this.#options.appends): BatchContext {
    const { stage, state, journal } = this.#options;
    return new BatchContext({ stage, stream, shard, first }, new StageState(state, cache), journal, appends);
  }

  async #commit(consumer: Consumer, count: number, context: BatchContext): Promise<void> {
    const { stage, journal } = this.#options;
    const { stream, shard, next } = consumer;
    await journal.commit({
      cursor: stage,
      stream,
      shard,
      expected: next,
      next: next + count,
      state: context.state.writes(),
      append: context.appends(),
    });
    context.state.settle(count);
    consumer.next = next + count;
  }

  /** Narrows a failure down to one entry, and sets that one aside when it keeps failing alone. */
  async #isolate(consumer: Consumer, error: unknown): Promise<void> {
    const { stage } = this.#options;
    const { stream, shard, reader, next } = consumer;
    const entries = await this.#reads.read(reader, next, Math.min(consumer.piece, consumer.limit));
    const [entry] = entries;
    if (entry === undefined) return;
    this.logger.warn(
      `stage ${stage} failed on up to ${consumer.limit} entries of ${stream}/${shard} at ${next}: ${messageOf(error)}`,
    );
    if (entries.length > 1) {
      consumer.limit = Math.floor(entries.length / 2);
      return;
    }
    if (consumer.failures + 1 < ATTEMPTS_ALONE) {
      await this.#pause(consumer);
      return;
    }
    await this.#setAside(consumer, entry, error);
    consumer.limit = this.#fullBatch(1);
  }

  /** Passes over one entry; its key is known when at least that could be read. */
  async #setAside(consumer: Consumer, { key, appendedAt }: Failing, error: unknown): Promise<void> {
    const { stage } = this.#options;
    const { stream, shard, next } = consumer;
    this.logger.error(`stage ${stage} sets aside ${stream}/${shard} offset ${next}: ${messageOf(error)}`);
    const context = this.#contextOf(consumer, ['rejected']);
    const rejection: Rejection = {
      reason: 'handler_failed',
      detail: `stage ${stage}: ${messageOf(error)}`.slice(0, 1000),
      receivedAt: this.#options.clock.now(),
      ...(key === undefined ? {} : { device: key }),
      count: 1,
      source: { stream, shard, offset: next },
    };
    // One that fails on what was set aside would set aside for ever.
    if (stream !== 'rejected') context.append('rejected', [{ key: key ?? '', data: rejection }]);
    await noteSetAside(context.origin, context.state, appendedAt);
    await this.#commit(consumer, 1, context);
    consumer.failures = 0;
  }

  /** What even recovering failed on; the entry is tried again. */
  async #stumbled(consumer: Consumer, error: unknown): Promise<void> {
    if (codeOf(error) === 'JOURNAL_CLOSED' || codeOf(error) === 'CURSOR_CONFLICT')
      return this.#recover(consumer, error);
    const { stream, shard, next } = consumer;
    this.logger.error(
      `stage ${this.#options.stage} waits, ${stream}/${shard} at ${next}: ${messageOf(error)}`,
    );
    await this.#pause(consumer);
  }

  #isDue(consumer: Consumer): boolean {
    return hasNews(consumer) && (consumer.isBehind || consumer.turns.isLeft);
  }

  #gather(consumer: Consumer): void {
    this.#reads.rest(consumer.reader);
    consumer.turns.take();
  }

  async #pause(consumer: Consumer): Promise<void> {
    const { backoffMs = 100, random } = this.#options;
    const backoff = Math.min(backoffMs * 2 ** consumer.failures, MAX_BACKOFF_MS);
    consumer.failures++;
    this.#reads.rest(consumer.reader);
    // Jitter: the shards of a stage must not hammer a store that is coming back in step.
    const signal = AbortSignal.any([this.#stop.signal, this.#recovery.signal]);
    await delay(backoff * (0.5 + random() / 2), undefined, { signal }).catch(() => undefined);
  }

  #end(): void {
    this.#stop.abort();
    for (const bell of this.#bells) bell.ring();
  }

  /** Ends the pauses of the other shards. */
  #recovered(): void {
    this.#recovery.abort();
    this.#recovery = new AbortController();
  }
}
