import { defineStage } from '#libs/journal-transport';
import type { IngestOptions } from './ingest-options.js';

/** Messages become readings, signals and answers to commands, or are refused. */
export const ingestStage = defineStage<IngestOptions>({
  name: 'ingest',
  reads: ['uplink'],
  appends: ['readings', 'signals', 'commands', 'rejected'],
  async module(options) {
    const { IngestModule } = await import('./ingest.module.js');
    return IngestModule.register(options);
  },
});
