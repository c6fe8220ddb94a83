import type { NewEntry } from '#libs/journal';
import { FromStream, type Batch, type BatchContext } from '#libs/journal-transport';
import type { Clock } from '#libs/kernel';
import type { Rejection, Rollup } from '#libs/telemetry';
import type { TimeSeriesStore } from '#libs/timeseries';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { SeriesGuard } from './guard.js';
import { rejectionOf } from './rejection.js';
import { CLOCK, GUARD, STORE } from './store-providers.js';

/** `rollups` → the hourly and daily tiers of the time-series store. A roll-up that comes again replaces itself. */
@Controller()
export class RollupsWriterController {
  constructor(
    @Inject(STORE) private readonly store: TimeSeriesStore,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GUARD) private readonly guard: SeriesGuard,
  ) {}

  @FromStream('rollups')
  async rollups(@Payload() batch: Batch<Rollup>, @Ctx() context: BatchContext): Promise<void> {
    const rollups: Rollup[] = [];
    const rejected: NewEntry<Rejection>[] = [];
    const faultOf = await this.guard.lookUp(batch.map(({ data }) => data.device));
    for (const { data } of batch) {
      const fault = faultOf(data.device, data.parameter);
      if (fault === undefined) rollups.push(data);
      else rejected.push(rejectionOf(data, fault.reason, fault.detail, this.clock.now()));
    }
    const { refused } = await this.store.writeRollups(rollups);
    for (const { point, message } of refused) {
      const at = new Date(point.from).toISOString();
      const detail = `${point.parameter}, the ${point.tier} from ${at}: ${message}`;
      rejected.push(rejectionOf(point, 'store_refused', detail, this.clock.now()));
    }
    context.append('rejected', rejected);
  }
}
