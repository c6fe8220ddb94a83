import type { NewEntry } from '#libs/journal';
import type { Batch, BatchContext } from '#libs/journal-transport';
import type { Clock } from '#libs/kernel';
import type { Observation, Rejection } from '#libs/telemetry';
import { dayMarks, type Point, type TimeSeriesStore } from '#libs/timeseries';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { SeriesGuard } from './guard.js';
import { rejectionOf } from './rejection.js';
import { CLOCK, GUARD, STORE } from './store-providers.js';

/**
 * `readings` → the time-series store. The cursor moves only after the store has the batch, so a store that is away
 * costs delay and nothing else; a batch that is written twice replaces itself.
 *
 * A write takes what has come in while the one before was under way: a reading that comes alone is written at once, and
 * under load the batches grow to what the transport hands over. Waiting for more would only delay the single one.
 */
@Controller()
export class ReadingsController {
  constructor(
    @Inject(STORE) private readonly store: TimeSeriesStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GUARD) private readonly guard: SeriesGuard,
  ) {}

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    const points: Point[] = [];
    const rejected: NewEntry<Rejection>[] = [];
    const faultOf = await this.guard.lookUp(batch.map(({ data }) => data.device));
    for (const { data } of batch) {
      const { site, device, ts, receivedAt, readings } = data;
      for (const { parameter, value, flag } of readings) {
        const point: Point = { site, device, parameter, ts, value, flag, receivedAt };
        const fault = faultOf(device, parameter);
        if (fault === undefined) points.push(point);
        else rejected.push(rejectionOf(point, fault.reason, fault.detail, this.clock.now()));
      }
    }
    const { refused } = await this.store.write(points);
    for (const { point, message } of refused) {
      const detail = `${point.parameter} at ${new Date(point.ts).toISOString()}: ${message}`;
      rejected.push(rejectionOf(point, 'store_refused', detail, this.clock.now()));
    }
    context.append('rejected', rejected);
    const lost = new Set(refused.map(({ point }) => point));
    const stored = lost.size === 0 ? points : points.filter((point) => !lost.has(point));
    const { shard, offset } = batch.at(-1) ?? { shard: 0, offset: 0 };
    for (const { namespace, key, value } of dayMarks(stored, shard, offset + 1))
      context.state.put(namespace, key, value);
  }
}
