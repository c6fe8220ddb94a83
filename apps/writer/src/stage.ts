import type { Registry } from '#libs/identity';
import { defineStage } from '#libs/journal-transport';
import type { Clock } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';

export interface WriterOptions {
  readonly store: TimeSeriesStore;
  readonly registry: Registry;
  readonly clock: Clock;
}

/** Readings into the store. */
export const writerStage = defineStage<WriterOptions>({
  name: 'writer',
  reads: ['readings'],
  appends: ['rejected'],
  async module({ store, registry, clock }) {
    const { WriterModule } = await import('./writer.module.js');
    return WriterModule.register(store, registry, clock);
  },
});

/** Roll-ups into the store: apart from the writer, so that trouble with them does not hold up the readings. */
export const tiersStage = defineStage<WriterOptions>({
  name: 'tiers',
  reads: ['rollups'],
  appends: ['rejected'],
  async module({ store, registry, clock }) {
    const { TiersModule } = await import('./tiers.module.js');
    return TiersModule.register(store, registry, clock);
  },
});
