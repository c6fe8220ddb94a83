import type { Journal } from '#libs/journal';
import type { Observation, Rejection } from '#libs/telemetry';
import type { Batch, BatchContext, Pieces } from './batch-context.js';
import { FromStream, InPieces } from './from-stream.js';

/** Compiled and never called: what must not compile is marked, and the type check fails when it does. */
class Handlers {
  @FromStream('readings')
  async readings(batch: Batch<Observation>, context: BatchContext): Promise<void> {
    context.append('alerts', []);
    // @ts-expect-error -- no such stream
    context.append('alert', []);
    // @ts-expect-error -- a reading is not what `rejected` holds
    context.append('rejected', [{ key: 'a', data: batch[0]!.data }]);
  }

  // @ts-expect-error -- no such stream
  @FromStream('reading')
  unknown(): void {
    return;
  }

  // @ts-expect-error -- takes entries of another stream
  @FromStream('readings')
  mistaken(batch: Batch<Rejection>): number {
    return batch.length;
  }

  @InPieces('readings')
  pieces(context: BatchContext): Pieces<Observation> {
    return {
      add: (piece) => context.append('readings', piece),
      end: () => undefined,
    };
  }

  // @ts-expect-error -- takes pieces of another stream
  @InPieces('readings')
  mistakenPieces(): Pieces<Rejection> {
    return { add: () => undefined, end: () => undefined };
  }

  // @ts-expect-error -- returns nothing that takes pieces
  @InPieces('readings')
  whole(): void {
    return;
  }

  async reads(journal: Journal): Promise<readonly Observation[]> {
    // @ts-expect-error -- no such stream
    await journal.waitFor('reading', 0, 0, AbortSignal.abort());
    // @ts-expect-error -- no such stream
    await journal.retain('reading', {});
    const [rejected] = await journal.read('rejected', 0, 0, 1);
    // @ts-expect-error -- not what `rejected` holds
    const wrong: Observation | undefined = rejected?.data;
    return wrong === undefined ? [] : [wrong];
  }
}

describe('FromStream', () => {
  it('hands the handler to Nest under the name of its stream', () => {
    const { readings } = Handlers.prototype as unknown as Record<string, object>;
    expect(Reflect.getMetadata('microservices:pattern', readings!)).toEqual(['readings']);
  });
});
