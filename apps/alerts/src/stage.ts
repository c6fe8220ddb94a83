import type { AlertRule } from '#libs/alerting';
import type { Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import { defineStage } from '#libs/journal-transport';

export interface AlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly registry: Registry;
  readonly journal: Journal;
}

/** Readings, and the time that passes without any, become steps of alerts. */
export const alertsStage = defineStage<AlertsOptions>({
  name: 'alerts',
  reads: ['readings', 'liveness'],
  appends: ['alerts'],
  async module({ rules, registry, journal }) {
    const { AlertsModule } = await import('./alerts.module.js');
    return AlertsModule.register(rules, registry, journal);
  },
});
