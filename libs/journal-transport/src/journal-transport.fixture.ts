import 'reflect-metadata';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { type AnyJournal, type AnyStreams, lagOf } from '#libs/journal';
import { seededRandom } from '#libs/kernel';
import { STREAMS, type StreamName } from '#libs/streams';
import { namespaceOf, temporaryFolder, waitUntil } from '#libs/testing';
import { Controller, Module, type INestMicroservice, type LoggerService } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { Batch, BatchContext, Pieces } from './batch-context.js';
import { createStage } from './create-stage.js';
import type { HandlerOptions } from './journal-server.js';

export const silent: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };
const clock = { now: () => 1_000 };

export type Handler = (batch: Batch<number>, context: BatchContext<AnyStreams>) => Promise<void>;
type Begin = (context: BatchContext<AnyStreams>) => Promise<Pieces<number>>;
let handler: Handler;
let begin: Begin;
/** From now on batches go to this handler. */
export const handleWith = (wanted: Handler): void => void (handler = wanted);
/** From now on batches in pieces go to this one. */
export const beginWith = (wanted: Begin): void => void (begin = wanted);

@Controller()
class CountingController {
  @EventPattern<string>('numbers')
  async numbers(@Payload() batch: Batch<number>, @Ctx() context: BatchContext<AnyStreams>): Promise<void> {
    await handler(batch, context);
  }

  @EventPattern<string>('pieces', { inPieces: true } satisfies HandlerOptions)
  pieces(@Ctx() context: BatchContext<AnyStreams>): Promise<Pieces<number>> {
    return begin(context);
  }

  @EventPattern<string>('uplink')
  async uplink(@Payload() batch: Batch<number>, @Ctx() context: BatchContext<AnyStreams>): Promise<void> {
    await handler(batch, context);
  }

  @EventPattern<string>('others')
  async others(@Payload() batch: Batch<number>, @Ctx() context: BatchContext<AnyStreams>): Promise<void> {
    await handler(batch, context);
  }
}

@Module({ controllers: [CountingController] })
class CountingModule {}

interface Fixture extends AsyncDisposable {
  readonly journal: AnyJournal;
  readonly state: LmdbStateStore;
  start(options?: {
    backoffMs?: number;
    random?: () => number;
    maxBatch?: number;
    gatherMs?: number;
    reads?: readonly StreamName[];
    appends?: readonly StreamName[];
  }): Promise<INestMicroservice>;
  caughtUp(stream?: string): Promise<void>;
}

export async function open(shards = 1): Promise<Fixture> {
  const folder = temporaryFolder('transport');
  const state = LmdbStateStore.open(folder.path);
  // Numbers come in from outside as well.
  const streams = { rejected: { shape: STREAMS.rejected.shape }, uplink: { intake: true } } as const;
  const journal = await LmdbJournal.open<AnyStreams>({ state, clock, shards, streams });
  const apps: INestMicroservice[] = [];
  return {
    journal,
    state,
    async start({ backoffMs = 1, random = seededRandom(1), maxBatch = 8, gatherMs = 1, ...declared } = {}) {
      const app = await createStage(
        { module: CountingModule },
        {
          stage: 'counter',
          journal,
          state,
          clock,
          random,
          logger: silent,
          maxBatch,
          backoffMs,
          gatherMs,
          ...declared,
        },
      );
      await app.listen();
      apps.push(app);
      return app;
    },
    async caughtUp(stream = 'numbers') {
      await waitUntil(
        'the stage caught up',
        async () => (await lagOf<string, AnyStreams>(journal, 'counter', stream)) === 0,
      );
    },
    async [Symbol.asyncDispose]() {
      for (const app of apps) await app.close();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

export const numbers = (from: number, to: number): { key: string; data: number }[] =>
  Array.from({ length: to - from }, (_, i) => ({ key: 'device', data: from + i }));

/** Adds the batch to a running sum in the stage's state and appends each number to `seen`. */
export const sum: Handler = async (batch, context) => {
  const before = (await context.state.get<number>(namespaceOf('counter'), 'sum')) ?? 0;
  context.state.put(
    namespaceOf('counter'),
    'sum',
    before + batch.reduce((total, entry) => total + entry.data, 0),
  );
  context.append(
    'seen',
    batch.map((entry) => ({ key: entry.key, data: entry.data })),
  );
};

export async function seen(journal: AnyJournal): Promise<number[]> {
  return (await journal.read('seen', 0, 0, 10_000)).map((entry) => entry.data);
}
