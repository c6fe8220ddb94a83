import type { Device } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { ConfigurationChange } from '#libs/telemetry';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import { registeredDevice } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { CONFIGURATION_VIEWS } from '../namespaces.js';
import { configurationChangeSchema, configurationSchema } from './configuration-answer.js';
import { configurationBody } from './configuration-request.js';

type Configuration = z.output<typeof configurationBody>;

/** What people tell devices until it is replaced. */
@ApiTags('Perangkat / Devices')
@Controller('api/v1/devices/:device/configuration')
export class ConfigurationController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Put()
  @HttpCode(202)
  @Allow('operate')
  @ApiOperation({
    summary: 'Konfigurasi yang harus dipakai perangkat / The configuration that the device shall have',
    description: 'Retained on its topic `config`: the device gets it now or when it subscribes next.',
  })
  @ApiZodBody(configurationBody)
  @ApiZodAnswer(configurationChangeSchema, 202)
  async configure(
    @Param('device') deviceId: string,
    @Body(new ZodPipe(configurationBody)) configuration: z.output<typeof configurationBody>,
  ): Promise<Answer<typeof configurationChangeSchema>> {
    return this.#configure(await registeredDevice(this.pantau.registry, deviceId), configuration);
  }

  @Delete()
  @HttpCode(202)
  @Allow('operate')
  @ApiOperation({ summary: 'Menarik konfigurasi / Take the configuration away' })
  @ApiZodAnswer(configurationChangeSchema, 202)
  async unconfigure(@Param('device') deviceId: string): Promise<Answer<typeof configurationChangeSchema>> {
    return this.#configure(await registeredDevice(this.pantau.registry, deviceId), null);
  }

  @Get()
  @Allow('examine')
  @ApiOperation({ summary: 'Konfigurasi yang berlaku / The configuration in force' })
  @ApiZodAnswer(configurationSchema)
  async configuration(@Param('device') deviceId: string): Promise<Answer<typeof configurationSchema>> {
    const { id } = await registeredDevice(this.pantau.registry, deviceId);
    const change = await this.pantau.state.get(CONFIGURATION_VIEWS, id);
    if (change === undefined) throw new PantauError('NOT_FOUND', `${id} has no configuration.`);
    return { at: new Date(change.at).toISOString(), configuration: change.configuration as Configuration };
  }

  async #configure(
    { id: device, site }: Device,
    configuration: Configuration | null,
  ): Promise<Answer<typeof configurationChangeSchema>> {
    const { journal, clock } = this.pantau;
    const data: ConfigurationChange = { site, device, at: clock.now(), configuration };
    await journal.append('configurations', [{ key: device, data }]);
    return iso({ device, at: data.at, configuration });
  }
}
