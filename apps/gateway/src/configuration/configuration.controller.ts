import type { Device } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import { changeRow } from '#libs/state';
import type { ConfigurationChange } from '#libs/telemetry';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import {
  assertUnchanged,
  changedMeanwhile,
  etagOf,
  Preconditions,
  type Precondition,
} from '../exchange/conditional.js';
import { iso } from '../http/iso.js';
import { registeredDevice } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { CONFIGURATION_VIEWS, CONFIGURATIONS_REPLACED } from '../namespaces.js';
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
  @ApiPreconditions()
  @ApiZodBody(configurationBody)
  @ApiZodAnswer(configurationChangeSchema, 202)
  async configure(
    @Param('device') deviceId: string,
    @Body(new ZodPipe(configurationBody)) configuration: z.output<typeof configurationBody>,
    @Preconditions() precondition: Precondition,
  ): Promise<Answer<typeof configurationChangeSchema>> {
    const device = await registeredDevice(this.pantau.registry, deviceId);
    return this.#configure(device, configuration, precondition);
  }

  @Delete()
  @HttpCode(202)
  @Allow('operate')
  @ApiOperation({ summary: 'Menarik konfigurasi / Take the configuration away' })
  @ApiPreconditions()
  @ApiZodAnswer(configurationChangeSchema, 202)
  async unconfigure(
    @Param('device') deviceId: string,
    @Preconditions() precondition: Precondition,
  ): Promise<Answer<typeof configurationChangeSchema>> {
    const device = await registeredDevice(this.pantau.registry, deviceId);
    return this.#configure(device, null, precondition);
  }

  @Get()
  @Allow('examine')
  @ApiOperation({ summary: 'Konfigurasi yang berlaku / The configuration in force' })
  @ApiZodAnswer(configurationSchema)
  async configuration(@Param('device') deviceId: string): Promise<Answer<typeof configurationSchema>> {
    const { id } = await registeredDevice(this.pantau.registry, deviceId);
    const shown = await this.#shown(id);
    if (shown === undefined) throw new PantauError('NOT_FOUND', `${id} has no configuration.`);
    return shown;
  }

  async #shown(device: string): Promise<Answer<typeof configurationSchema> | undefined> {
    const change = await this.pantau.state.get(CONFIGURATION_VIEWS, device);
    if (change === undefined) return undefined;
    return { at: new Date(change.at).toISOString(), configuration: change.configuration as Configuration };
  }

  /**
   * That of several who saw the same one replaces it: the view follows the journal, so that what was ordered a moment ago is not in
   * it yet.
   */
  async #replace(device: string, precondition: Precondition): Promise<string> {
    const shown = await this.#shown(device);
    assertUnchanged(shown, precondition);
    const { ifMatch, ifNoneMatch } = precondition;
    const etag = shown === undefined ? '' : etagOf(JSON.stringify(shown));
    await changeRow(this.pantau.state, CONFIGURATIONS_REPLACED, device, (replaced) => {
      if (replaced !== etag) return etag;
      if (ifMatch !== undefined) throw changedMeanwhile('If-Match');
      if (ifNoneMatch !== undefined) throw changedMeanwhile('If-None-Match');
      return replaced;
    });
    return etag;
  }

  async #configure(
    { id: device, site }: Device,
    configuration: Configuration | null,
    precondition: Precondition,
  ): Promise<Answer<typeof configurationChangeSchema>> {
    const { journal, clock, state } = this.pantau;
    const etag = await this.#replace(device, precondition);
    const data: ConfigurationChange = { site, device, at: clock.now(), configuration };
    try {
      await journal.append('configurations', [{ key: device, data }]);
    } catch (error) {
      await changeRow(state, CONFIGURATIONS_REPLACED, device, (replaced) =>
        replaced === etag ? undefined : replaced,
      );
      throw error;
    }
    return iso({ device, at: data.at, configuration });
  }
}
