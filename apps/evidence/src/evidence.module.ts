import { ComparisonLimits } from '#libs/evidence';
import type { Registry } from '#libs/identity';
import type { Millis } from '#libs/kernel';
import type { QcLimitsFile } from '#libs/quality-control';
import { Module, type DynamicModule } from '@nestjs/common';
import {
  COMPARISON_LIMITS,
  EvidenceController,
  LIVENESS_BEAT_MS,
  EVIDENCE_REGISTRY,
} from './evidence.controller.js';
import { NeighbourhoodsController } from './neighbourhoods.controller.js';

/** Roll-ups, what neighbours say of them, and the ground of the indicators. */
@Module({})
export class EvidenceModule {
  /** @param qcLimits - limits of the quality tests that differ from the shipped ones */
  static register(livenessBeatMs: Millis, registry: Registry, qcLimits?: QcLimitsFile): DynamicModule {
    return {
      module: EvidenceModule,
      controllers: [EvidenceController, NeighbourhoodsController],
      providers: [
        { provide: LIVENESS_BEAT_MS, useValue: livenessBeatMs },
        { provide: EVIDENCE_REGISTRY, useValue: registry },
        { provide: COMPARISON_LIMITS, useValue: new ComparisonLimits(qcLimits) },
      ],
    };
  }
}
