import { defineStage } from '#libs/journal-transport';
import type { AlertsOptions } from './alerts-options.js';

/** Readings, and the time that passes without any, become steps of alerts. */
export const alertsStage = defineStage<AlertsOptions>({
  name: 'alerts',
  reads: ['readings', 'liveness'],
  appends: ['alerts'],
  async module(options) {
    const { AlertsModule } = await import('./alerts.module.js');
    return AlertsModule.register(options);
  },
});
