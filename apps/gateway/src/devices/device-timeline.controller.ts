import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { registeredDevice } from '../http/names.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { timelineQuery } from './devices-request.js';
import { timelineAnswer, timelineSchema } from './timeline-answer.js';

/** Why there is nothing of a device where there is nothing. */
@ApiTags('Pantau')
@Controller('api/v1/devices')
export class DeviceTimelineController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get(':device/timeline')
  @Allow('read')
  @ApiOperation({
    summary:
      'Keadaan perangkat sepanjang waktu, dengan sebabnya / The states of a device over time, with their causes',
    description:
      'From its heartbeats, from when Pantau listened, and from when it was out of service: every moment up to when Pantau was last awake has one cause. A device that sends no heartbeats is `silent` while Pantau listened; `connection` tells a device that was connected and said nothing from one whose connection broke.',
  })
  @ApiZodQuery(timelineQuery)
  @ApiZodAnswer(timelineSchema)
  async timeline(
    @Param('device') id: string,
    @Query(new ZodPipe(timelineQuery)) span: z.output<typeof timelineQuery>,
  ): Promise<Answer<typeof timelineSchema>> {
    await registeredDevice(this.pantau.registry, id);
    const { evidence } = this.pantau;
    return timelineAnswer(await evidence.timeline(id, span), await evidence.connections(id, span));
  }
}
