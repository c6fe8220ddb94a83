import { remediesOf } from '#libs/telemetry';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { iso } from '../http/iso.js';
import { registeredDevice } from '../http/names.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { sensorsSchema } from './devices-answer.js';
import { Allow } from '../http/permission.js';

/** Which sensor counts of those that a device's messages name, and which are refused. */
@ApiTags('Pantau')
@Controller('api/v1/devices')
export class DeviceSensorsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get(':device/sensors')
  @Allow('examine')
  @ApiOperation({
    summary: 'Sensor yang dipakai dan yang ditolak / Sensors that count and that are refused',
    description:
      'A series is of one sensor. `counted` names it where it has a name of its own; `refused` lists the others, with lines that map them to a device of their own or let them count.',
  })
  @ApiZodAnswer(sensorsSchema)
  async sensors(@Param('device') device: string): Promise<Answer<typeof sensorsSchema>> {
    await registeredDevice(this.pantau.registry, device);
    const { counted, refused, more } = await this.pantau.ingest.sensors(device);
    const newestFirst = [...refused].sort((a, b) => b.lastAt - a.lastAt);
    return {
      counted,
      refused: newestFirst.map((sensor) => ({ ...iso(sensor), remedy: remediesOf(device, sensor) })),
      more,
    };
  }
}
