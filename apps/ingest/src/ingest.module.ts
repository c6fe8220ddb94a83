import { Module, type DynamicModule } from '@nestjs/common';
import { INGEST_OPTIONS, type IngestOptions } from './ingest-options.js';
import { UplinkController } from './uplink.controller.js';

/** Decode, convert, quality control. */
@Module({})
export class IngestModule {
  static register(options: IngestOptions): DynamicModule {
    return {
      module: IngestModule,
      controllers: [UplinkController],
      providers: [{ provide: INGEST_OPTIONS, useValue: options }],
    };
  }
}
