import type { Registry } from '#libs/identity';
import { defineStage } from '#libs/journal-transport';
import type { Millis } from '#libs/kernel';
import type { QcLimitsFile } from '#libs/quality-control';
import { agedRows } from '#libs/state';

export interface EvidenceOptions {
  readonly livenessBeatMs: Millis;
  readonly registry: Registry;
  /** Limits of the quality tests that differ from the shipped ones. */
  readonly qcLimits: QcLimitsFile | undefined;
}

/** Readings and signals become hours, days and the ground of indicators. */
export const evidenceStage = defineStage<EvidenceOptions>({
  name: 'evidence',
  reads: ['readings', 'signals', 'liveness', 'neighbourhoods'],
  appends: ['rollups', 'neighbourhoods'],
  trims: async () => [agedRows((await import('#namespaces/evidence')).CONNECTIONS)],
  async module({ livenessBeatMs, registry, qcLimits }) {
    const { EvidenceModule } = await import('./evidence.module.js');
    return EvidenceModule.register(livenessBeatMs, registry, qcLimits);
  },
});
