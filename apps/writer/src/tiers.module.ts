import type { Registry } from '#libs/identity';
import type { Clock } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';
import { Module, type DynamicModule } from '@nestjs/common';
import { RollupsWriterController } from './rollups.controller.js';
import { storeProviders } from './store-providers.js';

/** Roll-ups into the time-series store. */
@Module({})
export class TiersModule {
  static register(store: TimeSeriesStore, registry: Registry, clock: Clock): DynamicModule {
    return {
      module: TiersModule,
      controllers: [RollupsWriterController],
      providers: storeProviders(store, registry, clock),
    };
  }
}
