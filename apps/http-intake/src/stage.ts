import { defineStage } from '#libs/journal-transport';
import type { HttpIntakeOptions } from './options.js';

/** What devices post becomes durable, and is then acknowledged. It reads no stream. */
export const httpIntakeStage = defineStage<HttpIntakeOptions>({
  name: 'http-intake',
  reads: [],
  appends: ['uplink'],
  async module(options) {
    const { HttpIntakeModule } = await import('./http-intake.module.js');
    return HttpIntakeModule.register(options);
  },
});
