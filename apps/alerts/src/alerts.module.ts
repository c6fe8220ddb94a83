import { ruleKindOf, type AlertRule } from '#libs/alerting';
import type { Registry } from '#libs/identity';
import { Module, type DynamicModule } from '@nestjs/common';
import { AlertsController, REGISTRY, RULE_KINDS, RULES } from './alerts.controller.js';

/** Rules of all kinds over the readings. */
@Module({})
export class AlertsModule {
  /** @param kindOf - the kind of a name */
  static register(rules: readonly AlertRule[], registry: Registry, kindOf = ruleKindOf): DynamicModule {
    return {
      module: AlertsModule,
      controllers: [AlertsController],
      providers: [
        { provide: RULES, useValue: rules },
        { provide: RULE_KINDS, useValue: kindOf },
        { provide: REGISTRY, useValue: registry },
      ],
    };
  }
}
