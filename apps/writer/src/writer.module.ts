import type { Registry } from '#libs/identity';
import type { Clock } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';
import { Module, type DynamicModule } from '@nestjs/common';
import { ReadingsWriterController } from './readings.controller.js';
import { storeProviders } from './store-providers.js';

/** Readings into the time-series store. */
@Module({})
export class WriterModule {
  static register(store: TimeSeriesStore, registry: Registry, clock: Clock): DynamicModule {
    return {
      module: WriterModule,
      controllers: [ReadingsWriterController],
      providers: storeProviders(store, registry, clock),
    };
  }
}
