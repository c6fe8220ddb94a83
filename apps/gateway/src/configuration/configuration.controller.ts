import type { Device } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { ConfigurationChange } from '#libs/telemetry';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertTagUnchanged, etagOf, Preconditions, type Precondition } from '../exchange/conditional.js';
import { iso } from '../http/iso.js';
import { registeredDevice } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiPreconditions, ApiZodAnswer, ApiZodBody } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { CONFIGURATION_VIEWS, CONFIGURATIONS_ORDERED } from '../namespaces.js';
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

  async #shown(device: string): Promise<Shown | undefined> {
    const change = await this.pantau.state.get(CONFIGURATION_VIEWS, device);
    return change && shownOf(change);
  }

  /**
   * Of several who saw the same one, one replaces it. The view follows the journal, so that what was ordered a moment ago is not in it
   * yet: the ETag that it will have is written in one commit with the order, so that nobody who is ended amid it leaves the one
   * without the other.
   */
  async #configure(
    { id: device, site }: Device,
    configuration: Configuration | null,
    precondition: Precondition,
  ): Promise<Answer<typeof configurationChangeSchema>> {
    const { journal, clock, state } = this.pantau;
    for (;;) {
      const ordered = await state.get(CONFIGURATIONS_ORDERED, device);
      assertTagUnchanged(ordered ?? tagOf(await this.#shown(device)), precondition);
      const data: ConfigurationChange = { site, device, at: clock.now(), configuration };
      const isDone = await journal.appendIf(
        'configurations',
        [{ key: device, data }],
        [CONFIGURATIONS_ORDERED.seen(device, ordered)],
        [CONFIGURATIONS_ORDERED.put(device, tagOf(shownOf(data)))],
      );
      if (isDone) return iso({ device, at: data.at, configuration });
    }
  }
}

type Shown = Answer<typeof configurationSchema>;

/** As it is answered; undefined for one that was taken away. */
function shownOf({ at, configuration }: ConfigurationChange): Shown | undefined {
  if (configuration === null) return undefined;
  return { at: new Date(at).toISOString(), configuration: configuration as Configuration };
}

/** Of that answer; empty without one. */
function tagOf(shown: Shown | undefined): string {
  return shown === undefined ? '' : etagOf(JSON.stringify(shown));
}
