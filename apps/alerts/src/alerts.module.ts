import type { AlertRule } from '#libs/alerting';
import type { Registry } from '#libs/identity';
import type { Journal } from '#libs/journal';
import { Module, type DynamicModule } from '@nestjs/common';
import { AlertsController, JOURNAL, REGISTRY, RULES } from './alerts.controller.js';

/** Rules of all kinds over the readings and the time. */
@Module({})
export class AlertsModule {
  static register(rules: readonly AlertRule[], registry: Registry, journal: Journal): DynamicModule {
    return {
      module: AlertsModule,
      controllers: [AlertsController],
      providers: [
        { provide: RULES, useValue: rules },
        { provide: REGISTRY, useValue: registry },
        { provide: JOURNAL, useValue: journal },
      ],
    };
  }
}
