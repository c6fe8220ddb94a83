import type { Batch, BatchContext } from '#libs/journal-transport';
import type { Clock } from '#libs/kernel';
import type { Observation, Rejection } from '#libs/telemetry';
import type { Point, TimeSeriesStore } from '#libs/timeseries';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';

export const STORE = Symbol('TimeSeriesStore');
export const CLOCK = Symbol('Clock');

/**
 * `readings` → the time-series store. The cursor moves only after the store has the batch, so a store that is away
 * costs delay and nothing else; a batch that is written twice replaces itself.
 */
@Controller()
export class ReadingsController {
  constructor(
    @Inject(STORE) private readonly store: TimeSeriesStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    const points: Point[] = [];
    for (const { data } of batch) {
      const { site, device, ts, receivedAt } = data;
      for (const { parameter, value, flag } of data.readings)
        points.push({ site, device, parameter, ts, value, flag, receivedAt });
    }
    const { refused } = await this.store.write(points);
    if (refused.length === 0) return;
    const receivedAt = this.clock.now();
    context.append(
      'rejected',
      refused.map(({ point, message }) => ({
        key: point.device,
        data: {
          reason: 'store_refused',
          detail: `${point.parameter} at ${new Date(point.ts).toISOString()}: ${message}`.slice(0, 1_000),
          receivedAt,
          site: point.site,
          device: point.device,
          payload: Buffer.from(JSON.stringify(point)),
          count: 1,
        } satisfies Rejection,
      })),
    );
  }
}
