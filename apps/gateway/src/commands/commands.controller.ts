import type { Principal } from '#libs/identity';
import { PantauError, sortable } from '#libs/kernel';
import type { CommandEvent } from '#libs/telemetry';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Caller } from '../http/auth.js';
import { KeepsAnswer } from '../exchange/idempotency.js';
import { iso } from '../http/iso.js';
import { registeredDevice } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodBody, ApiZodQuery } from '../http/openapi.js';
import { pageOf, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { COMMAND_VIEWS } from '../namespaces.js';
import { commandViewKey, type CommandView } from '../views/views.js';
import { commandOrderedSchema, commandSchema, commandsSchema } from './commands-answer.js';
import { commandBody, commandsQuery } from './commands-request.js';

/** What people tell devices once. */
@ApiTags('Perangkat / Devices')
@Controller('api/v1/devices/:device/commands')
export class CommandsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Post()
  @HttpCode(202)
  @Allow('operate')
  @KeepsAnswer()
  @ApiOperation({
    summary: 'Mengirim perintah ke perangkat / Send a command to a device',
    description:
      'Durable when the answer is here. Waits until the device listens on its `cmd/#`, goes out at QoS 1, and is not sent after it expired. The device answers on its topic `result`.',
  })
  @ApiZodBody(commandBody)
  @ApiZodAnswer(commandOrderedSchema, 202)
  async command(
    @Param('device') deviceId: string,
    @Body(new ZodPipe(commandBody)) { name, params, expiresIn }: z.output<typeof commandBody>,
    @Caller() caller: Principal,
    @Note() note: AuditNote,
  ): Promise<Answer<typeof commandOrderedSchema>> {
    const { id: device, site } = await registeredDevice(this.pantau.registry, deviceId);
    const { journal, clock } = this.pantau;
    const at = clock.now();
    note.after = { name };
    const data: CommandEvent = {
      // Time first, so that a device's commands list in their order.
      id: `${sortable(at)}-${randomBytes(6).toString('hex')}`,
      site,
      device,
      state: 'queued',
      at,
      command: { name, params: params ?? null, expiresAt: at + expiresIn, orderedBy: caller.name },
    };
    await journal.append('commands', [{ key: device, data }]);
    return iso({ id: data.id, device, state: data.state, at, expiresAt: at + expiresIn });
  }

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Perintah dan keadaannya, terbaru dahulu / Commands and what became of them, newest first',
  })
  @ApiZodQuery(commandsQuery)
  @ApiZodAnswer(commandsSchema)
  async commands(
    @Param('device') deviceId: string,
    @Query(new ZodPipe(commandsQuery)) { after, limit }: z.output<typeof commandsQuery>,
  ): Promise<Answer<typeof commandsSchema>> {
    const { id } = await registeredDevice(this.pantau.registry, deviceId);
    const views = await this.pantau.state.list(COMMAND_VIEWS, {
      prefix: commandViewKey(id, ''),
      ...(after === undefined ? {} : { to: commandViewKey(id, after[0]) }),
      reverse: true,
      limit: limit + 1,
    });
    const page = pageOf(views, limit, ({ value }) => [value.id]);
    return shownAs(page, ({ value }) => shown(value));
  }

  @Get(':command')
  @Allow('read')
  @ApiOperation({ summary: 'Satu perintah / One command' })
  @ApiZodAnswer(commandSchema)
  async oneCommand(
    @Param('device') deviceId: string,
    @Param('command') command: string,
  ): Promise<Answer<typeof commandSchema>> {
    const view = await this.pantau.state.get(COMMAND_VIEWS, commandViewKey(deviceId, command));
    if (view === undefined) throw new PantauError('NOT_FOUND', `${deviceId} has no command ${command}.`);
    return shown(view);
  }
}

/** What was ordered came as JSON. */
function shown(view: CommandView): Answer<typeof commandSchema> {
  return iso(view) as Answer<typeof commandSchema>;
}
