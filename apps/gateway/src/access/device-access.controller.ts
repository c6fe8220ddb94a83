import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Preconditions, type Precondition } from '../exchange/conditional.js';
import type { Answer } from '../http/answer.js';
import { iso } from '../http/iso.js';
import { registeredDevice } from '../http/names.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { deviceAccessSchema, issuedPasswordSchema } from './access-answer.js';
import { accessBody } from './access-request.js';
import { setService } from './set-service.js';

/** What lets a device in, and whether it is in service. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/devices/:device')
export class DeviceAccessController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get('access')
  @Allow('register')
  @ApiOperation({
    summary: 'Akses perangkat / Access of a device',
    description: 'Its ETag goes into `If-Match` of a change.',
  })
  @ApiZodAnswer(deviceAccessSchema)
  async access(@Param('device') id: string): Promise<Answer<typeof deviceAccessSchema>> {
    await registeredDevice(this.pantau.registry, id);
    return iso(await this.pantau.administration.access(id));
  }

  @Put('access')
  @Allow('register')
  @ApiOperation({
    summary: 'Menonaktifkan perangkat, atau memakainya lagi / Take a device out of service, or back into it',
    description:
      '`revoked` ends its password, its tokens and its connection at once, and its alerts; its readings and figures stay. From then on it owes nothing: its silence is planned time, in no ratio. `open` takes that back; a new password comes from `POST …/password`.',
  })
  @ApiPreconditions()
  @ApiZodBody(accessBody)
  @ApiZodAnswer(deviceAccessSchema)
  async setAccess(
    @Param('device') id: string,
    @Body(new ZodPipe(accessBody)) { service }: z.output<typeof accessBody>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<Answer<typeof deviceAccessSchema>> {
    await registeredDevice(this.pantau.registry, id);
    return iso(await setService(this.pantau.administration, id, service, note, precondition));
  }

  @Post('password')
  @HttpCode(201)
  @Allow('register')
  @ApiOperation({
    summary: 'Kata sandi tetap yang baru bagi perangkat / A new permanent password for a device',
    description:
      'The one before it and every token end at once, as does its connection. A device that is out of service is in it again. A password of limited life: `POST …/tokens`.',
  })
  @ApiZodAnswer(issuedPasswordSchema, 201)
  async renew(@Param('device') id: string): Promise<z.output<typeof issuedPasswordSchema>> {
    await registeredDevice(this.pantau.registry, id);
    return { password: await this.pantau.administration.rotate(id) };
  }
}
