import type { Registry } from '#libs/identity';
import type { Millis } from '#libs/kernel';
import { Module, type DynamicModule } from '@nestjs/common';
import { EvidenceController, LIVENESS_BEAT_MS, REGISTRY } from './evidence.controller.js';

/** Roll-ups and the ground of the indicators. */
@Module({})
export class EvidenceModule {
  static register(livenessBeatMs: Millis, registry: Registry): DynamicModule {
    return {
      module: EvidenceModule,
      controllers: [EvidenceController],
      providers: [
        { provide: LIVENESS_BEAT_MS, useValue: livenessBeatMs },
        { provide: REGISTRY, useValue: registry },
      ],
    };
  }
}
