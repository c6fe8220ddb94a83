import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { Public } from '../http/permission.js';
import { pageSchema } from './page-answer.js';

/** What a page has to know before anybody has signed in. */
@ApiTags('Pantau')
@Controller('api/v1/page')
export class PageController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Public()
  @ApiOperation({ summary: 'Cara masuk yang ada / The ways to sign in that there are' })
  @ApiZodAnswer(pageSchema)
  page(): Answer<typeof pageSchema> {
    const { openId, publicUrl } = this.pantau;
    return { singleSignOn: openId !== undefined && publicUrl !== undefined };
  }
}
