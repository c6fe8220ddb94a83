import { Controller, Get, Inject, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { brokerSchema } from './broker-answer.js';

/** Where devices connect. */
@ApiTags('Pendaftaran / Registry')
@Controller('api/v1/broker')
export class BrokerController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('register')
  @ApiOperation({
    summary: 'Ke mana perangkat tersambung / Where devices connect',
    description:
      'Host and ports for commands, sheets and QR codes. A proxy or a router in between may show devices others.',
  })
  @ApiZodAnswer(brokerSchema)
  broker(@Req() { hostname }: FastifyRequest): Answer<typeof brokerSchema> {
    const { publicUrl, brokerListeners: listeners } = this.pantau;
    return { host: publicUrl === undefined ? hostname : new URL(publicUrl.origin).hostname, listeners };
  }
}
