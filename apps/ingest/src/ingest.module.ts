import type { TimePolicy } from '#libs/telemetry';
import { Module, type DynamicModule } from '@nestjs/common';
import { TIME_POLICY, UplinkController } from './uplink.controller.js';

/** Decode, validate, quality control. */
@Module({})
export class IngestModule {
  static register(policy: TimePolicy): DynamicModule {
    return {
      module: IngestModule,
      controllers: [UplinkController],
      providers: [{ provide: TIME_POLICY, useValue: policy }],
    };
  }
}
