import type { Clock } from '#libs/kernel';
import type { TimeSeriesStore } from '#libs/timeseries';
import { Module, type DynamicModule } from '@nestjs/common';
import { CLOCK, ReadingsController, STORE } from './readings.controller.js';

/** Readings into the time-series store. */
@Module({})
export class WriterModule {
  static register(store: TimeSeriesStore, clock: Clock): DynamicModule {
    return {
      module: WriterModule,
      controllers: [ReadingsController],
      providers: [
        { provide: STORE, useValue: store },
        { provide: CLOCK, useValue: clock },
      ],
    };
  }
}
