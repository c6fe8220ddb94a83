import { FromStream, type Batch, type BatchContext } from '#libs/journal-transport';
import type { Rollup } from '#libs/telemetry';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { updateDevices } from '../views/update-devices.js';
import { RECENT_HOURS } from '../namespaces.js';
import { NO_HOURS, withRollup, type RecentHours } from './recent-hours-form.js';

/** Hourly roll-ups → what the current index is computed from. */
@Controller()
export class StationsProjection {
  @FromStream('rollups')
  async rollups(@Payload() batch: Batch<Rollup>, @Ctx() { state }: BatchContext): Promise<void> {
    await updateDevices<RecentHours, Rollup>(RECENT_HOURS, batch, state, NO_HOURS, withRollup);
  }
}
