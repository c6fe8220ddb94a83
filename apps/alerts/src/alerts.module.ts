import { Module, type DynamicModule } from '@nestjs/common';
import { AlertRulesController, ALERTS_OPTIONS } from './alerts.controller.js';
import type { AlertsOptions } from './alerts-options.js';

/** Rules of all kinds over the readings and the time. */
@Module({})
export class AlertsModule {
  static register(options: AlertsOptions): DynamicModule {
    return {
      module: AlertsModule,
      controllers: [AlertRulesController],
      providers: [{ provide: ALERTS_OPTIONS, useValue: options }],
    };
  }
}
