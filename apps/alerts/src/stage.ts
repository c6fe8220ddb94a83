import type { AlertRule } from '#libs/alerting';
import type { Registry } from '#libs/identity';
import { defineStage } from '#libs/journal-transport';

export interface AlertsOptions {
  readonly rules: readonly AlertRule[];
  readonly registry: Registry;
}

/** Readings become steps of alerts. */
export const alertsStage = defineStage<AlertsOptions>({
  name: 'alerts',
  reads: ['readings'],
  appends: ['alerts'],
  async module({ rules, registry }) {
    const { AlertsModule } = await import('./alerts.module.js');
    return AlertsModule.register(rules, registry);
  },
});
