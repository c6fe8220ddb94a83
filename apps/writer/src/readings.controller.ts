import type { NewEntry } from '#libs/journal';
import { FromStream, Tally, type Batch, type BatchContext } from '#libs/journal-transport';
import type { Clock } from '#libs/kernel';
import type { Observation, Rejection } from '#libs/telemetry';
import {
  markDays,
  pointOf,
  type Point,
  type StorableObservation,
  type TimeSeriesStore,
} from '#libs/timeseries';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { SeriesGuard } from './guard.js';
import { rejectionOf } from './rejection.js';
import { CLOCK, GUARD, STORE } from './store-providers.js';

/**
 * `readings` → the time-series store. The cursor moves only after the store has the batch, so a store that is away
 * costs delay and nothing else; a batch that is written twice replaces itself.
 *
 * A reading that comes alone is written at once; a write takes what has come in while the one before was under way and in the
 * tenth of a second after it, and under load the batches grow to what the transport hands over.
 */
@Controller()
export class ReadingsWriterController {
  constructor(
    @Inject(STORE) private readonly store: TimeSeriesStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GUARD) private readonly guard: SeriesGuard,
  ) {}

  @FromStream('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    const observations: StorableObservation[] = [];
    const rejected: NewEntry<Rejection>[] = [];
    const faultOf = await this.guard.lookUp(batch.map(({ data }) => data.device));
    const tally = await Tally.begin(context);
    const from = tally.next;
    for (const { shard, offset, data } of batch) {
      const { device, readings } = data;
      if (tally.pass(offset, data.receivedAt)) tally.add('written', readings.length);
      const known = readings.filter((reading) => {
        const fault = faultOf(device, reading.parameter);
        if (fault !== undefined)
          rejected.push(
            rejectionOf(pointOf(data, reading), fault.reason, fault.detail, this.clock.now(), {
              stream: 'readings',
              shard,
              offset,
            }),
          );
        return fault === undefined;
      });
      if (known.length > 0)
        observations.push(known.length === readings.length ? data : { ...data, readings: known });
    }
    const { refused } = await this.store.write(observations);
    const now = this.clock.now();
    for (const { point, message } of refused) {
      const detail = `${point.parameter} at ${new Date(point.ts).toISOString()}: ${message}`;
      rejected.push(rejectionOf(point, 'store_refused', detail, now, sourceOf(point, batch)));
    }
    context.append('rejected', rejected);
    countRefused(tally, from, rejected, batch);
    await tally.end();
    const { shard, offset } = batch.at(-1) ?? { shard: 0, offset: 0 };
    // A day of which something was refused too: at worst its file is written again as it was.
    markDays(context.state, observations, shard, offset + 1);
  }
}

/** Values of entries that are counted for the first time count as refused, and as written no more. */
function countRefused(
  tally: Tally,
  from: number,
  rejected: readonly NewEntry<Rejection>[],
  batch: Batch<Observation>,
): void {
  const first = batch[0]?.offset ?? 0;
  for (const { data } of rejected) {
    // The store named a value of which no entry is known: it is in the batch.
    const offset = data.source?.offset ?? from;
    const entry = batch[offset - first];
    if (entry === undefined || offset < from) continue;
    tally.addOf(entry.data.receivedAt, 'written', -1);
    tally.addOf(entry.data.receivedAt, 'refused');
  }
}

/** The entry that said it last. */
function sourceOf({ device, ts }: Point, batch: Batch<Observation>): Rejection['source'] {
  const entry = batch.findLast(({ data }) => data.ts === ts && data.device === device);
  return entry === undefined ? undefined : { stream: 'readings', shard: entry.shard, offset: entry.offset };
}
