import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { ruleOf, rulesSchema } from './rules-answer.js';
import { Allow } from '../http/permission.js';

/** The alert rules. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/rules')
export class RulesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({ summary: 'Aturan peringatan yang berlaku / The alert rules in force' })
  @ApiZodAnswer(rulesSchema)
  rules(): Answer<typeof rulesSchema> {
    return { items: this.pantau.rules.map(ruleOf) };
  }
}
