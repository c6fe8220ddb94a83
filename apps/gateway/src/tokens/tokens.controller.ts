import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { registeredDevice } from '../http/names.js';
import { ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { tokenSchema } from './tokens-answer.js';
import { tokenBody } from './tokens-request.js';

/** Gives devices what they connect with for a while. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/devices/:device/tokens')
export class TokensController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Post()
  @HttpCode(201)
  @Allow('register')
  @ApiOperation({
    summary: 'Kata sandi berjangka bagi perangkat / A password of limited life for a device',
    description:
      'The token stands in the place of the password. Rotating or revoking the device ends it earlier.',
  })
  @ApiZodBody(tokenBody)
  @ApiZodAnswer(tokenSchema, 201)
  async token(
    @Param('device') id: string,
    @Body(new ZodPipe(tokenBody)) { expiresIn }: z.output<typeof tokenBody>,
  ): Promise<z.output<typeof tokenSchema>> {
    await registeredDevice(this.pantau.registry, id);
    const expiresAt = new Date(this.pantau.clock.now() + expiresIn).toISOString();
    return { token: await this.pantau.deviceTokens.issue(id, expiresIn), expiresAt };
  }
}
