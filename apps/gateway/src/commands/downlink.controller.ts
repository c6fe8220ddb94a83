import { ROLES_THAT_OPERATE, type Device, type Principal } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { CommandEvent, ConfigurationChange } from '#libs/telemetry';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../api.controller.js';
import { Caller, Roles, ZodPipe } from '../http/http.js';
import { iso } from '../http/iso.js';
import { ApiZodBody, ApiZodQuery, commandBody, commandsQuery, configurationBody } from '../http/queries.js';
import { COMMAND_VIEWS, commandViewKey, CONFIGURATION_VIEWS, type CommandView } from '../views/views.js';
import { cut } from '../http/cut.js';

/** What people tell devices: commands once, configuration until it is replaced. */
@ApiTags('Perangkat / Devices')
@ApiBearerAuth()
@Controller('api/v1/devices/:device')
export class DownlinkController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Post('commands')
  @HttpCode(202)
  @Roles(...ROLES_THAT_OPERATE)
  @ApiOperation({
    summary: 'Mengirim perintah ke perangkat / Send a command to a device',
    description:
      'Durable when the answer is here. Waits until the device listens on its `cmd/#`, goes out at QoS 1, and is not sent after it expired. The device answers on its topic `result`.',
  })
  @ApiZodBody(commandBody)
  async command(
    @Param('device') deviceId: string,
    @Body(new ZodPipe(commandBody)) { name, params, expiresIn }: z.output<typeof commandBody>,
    @Caller() caller: Principal,
  ): Promise<unknown> {
    const { id: device, site } = await this.#device(deviceId);
    const { journal, clock } = this.pantau;
    const at = clock.now();
    const data: CommandEvent = {
      // Time first, so that a device's commands list in their order.
      id: `${String(at).padStart(15, '0')}-${randomBytes(6).toString('hex')}`,
      site,
      device,
      state: 'queued',
      at,
      command: { name, params: params ?? null, expiresAt: at + expiresIn, orderedBy: caller.name },
    };
    await journal.append('commands', [{ key: device, data }]);
    return iso({ id: data.id, device, state: data.state, at, expiresAt: at + expiresIn });
  }

  @Get('commands')
  @ApiOperation({
    summary: 'Perintah dan keadaannya, terbaru dahulu / Commands and what became of them, newest first',
  })
  @ApiZodQuery(commandsQuery)
  async commands(
    @Param('device') deviceId: string,
    @Query(new ZodPipe(commandsQuery)) { limit }: z.output<typeof commandsQuery>,
  ): Promise<unknown> {
    const { id } = await this.#device(deviceId);
    const views = await this.pantau.state.list<CommandView>(COMMAND_VIEWS, {
      prefix: commandViewKey(id, ''),
      reverse: true,
      limit: limit + 1,
    });
    return cut(
      views.map(({ value }) => iso(value)),
      limit,
    );
  }

  @Get('commands/:command')
  @ApiOperation({ summary: 'Satu perintah / One command' })
  async oneCommand(@Param('device') deviceId: string, @Param('command') command: string): Promise<unknown> {
    const view = await this.pantau.state.get<CommandView>(COMMAND_VIEWS, commandViewKey(deviceId, command));
    if (view === undefined) throw new PantauError('NOT_FOUND', `${deviceId} has no command ${command}.`);
    return iso(view);
  }

  @Put('configuration')
  @HttpCode(202)
  @Roles(...ROLES_THAT_OPERATE)
  @ApiOperation({
    summary: 'Konfigurasi yang harus dipakai perangkat / The configuration that the device shall have',
    description: 'Retained on its topic `config`: the device gets it now or when it subscribes next.',
  })
  @ApiZodBody(configurationBody)
  async configure(
    @Param('device') deviceId: string,
    @Body(new ZodPipe(configurationBody)) configuration: z.output<typeof configurationBody>,
  ): Promise<unknown> {
    return this.#configure(await this.#device(deviceId), configuration);
  }

  @Delete('configuration')
  @HttpCode(202)
  @Roles(...ROLES_THAT_OPERATE)
  @ApiOperation({ summary: 'Menarik konfigurasi / Take the configuration away' })
  async unconfigure(@Param('device') deviceId: string): Promise<unknown> {
    return this.#configure(await this.#device(deviceId), null);
  }

  @Get('configuration')
  @ApiOperation({ summary: 'Konfigurasi yang berlaku / The configuration in force' })
  async configuration(@Param('device') deviceId: string): Promise<unknown> {
    const { id } = await this.#device(deviceId);
    const change = await this.pantau.state.get<ConfigurationChange>(CONFIGURATION_VIEWS, id);
    if (change === undefined) throw new PantauError('NOT_FOUND', `${id} has no configuration.`);
    return { at: new Date(change.at).toISOString(), configuration: change.configuration };
  }

  async #configure({ id: device, site }: Device, configuration: unknown): Promise<unknown> {
    const { journal, clock } = this.pantau;
    const data: ConfigurationChange = { site, device, at: clock.now(), configuration };
    await journal.append('configurations', [{ key: device, data }]);
    return iso({ device, at: data.at, configuration });
  }

  async #device(id: string): Promise<Device> {
    const device = await this.pantau.registry.device(id);
    if (device === undefined) throw new PantauError('DEVICE_UNKNOWN', `no device ${id} is registered.`);
    return device;
  }
}
