import type { AlertRule } from '#libs/alerting';
import type { Registry } from '#libs/identity';
import { Module, type DynamicModule } from '@nestjs/common';
import { AlertsController, REGISTRY, RULES } from './alerts.controller.js';

/** Rules of all kinds over the readings. */
@Module({})
export class AlertsModule {
  static register(rules: readonly AlertRule[], registry: Registry): DynamicModule {
    return {
      module: AlertsModule,
      controllers: [AlertsController],
      providers: [
        { provide: RULES, useValue: rules },
        { provide: REGISTRY, useValue: registry },
      ],
    };
  }
}
