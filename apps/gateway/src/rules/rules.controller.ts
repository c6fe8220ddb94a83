import { ruleView } from '#libs/alerting';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';

/** The alert rules. */
@ApiTags('Pendaftaran / Registry')
@ApiBearerAuth()
@Controller('api/v1/rules')
export class RulesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @ApiOperation({ summary: 'Aturan peringatan yang berlaku / The alert rules in force' })
  rules(): unknown {
    return {
      items: this.pantau.rules.map((rule) => ruleView(rule)),
    };
  }
}
