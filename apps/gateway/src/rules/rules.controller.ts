import { ruleView } from '#libs/alerting';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Allow } from '../http/permission.js';

/** The alert rules. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/rules')
export class RulesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({ summary: 'Aturan peringatan yang berlaku / The alert rules in force' })
  rules(): unknown {
    return {
      items: this.pantau.rules.map((rule) => ruleView(rule)),
    };
  }
}
