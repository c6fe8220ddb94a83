import { deviceSchema, type Device } from '#libs/identity';
import { defined } from '#libs/kernel';
import { Body, Controller, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Note, type AuditNote } from '../audit/audit-note.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { assertUnchanged, Preconditions, type Precondition } from '../exchange/conditional.js';
import { iso } from '../http/iso.js';
import { registeredDevice, Registers } from '../http/names.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodBody, ApiPreconditions, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { matchingPage, pageOf, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { devicesNow } from './devices-now.js';
import {
  clockSchema,
  deviceNowSchema,
  devicesSchema,
  registeredDeviceSchema,
  unreadSchema,
} from './devices-answer.js';
import { clockQuery, deviceBody, devicesQuery } from './devices-request.js';

/** Devices, what is known of them now, and their registration. */
@ApiTags('Pantau')
@Controller('api/v1/devices')
export class DevicesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Perangkat dengan keadaan terakhirnya / Devices with what is known of them now',
    description:
      '`nothingRead` is there for a device whose messages arrive and give no value: since when, how many, why (the reason of the newest refusal, its members named) and what to do. `unkeptInterval`: its readings come much more seldom, or more often, than it is registered to send, with the command that sets the interval. `lateHistory`: readings that it sent were older than its `maxAge` and were refused after the acknowledgement.',
  })
  @ApiZodQuery(devicesQuery)
  @ApiZodAnswer(devicesSchema)
  async devices(
    @Query(new ZodPipe(devicesQuery)) query: z.output<typeof devicesQuery>,
  ): Promise<Answer<typeof devicesSchema>> {
    const { site, kind, after, limit } = query;
    const { registry } = this.pantau;
    const page = await matchingPage(
      async (behind, most) =>
        (await registry.devicesAfter(behind, most)).map((device) => ({ key: device.id, device })),
      async (batch) => {
        const wanted = batch.map(({ device }) => device);
        const now = await devicesNow(
          this.pantau,
          wanted.filter((one) => (site ?? one.site) === one.site && (kind ?? one.kind) === one.kind),
        );
        const asked = now.filter((one) => isAskedFor(one, query));
        return asked.map((device) => ({ key: device.id, device }));
      },
      { after: after?.[0], limit },
    );
    return shownAs(page, ({ device }) => device);
  }

  @Get(':device')
  @Allow('read')
  @ApiOperation({
    summary: 'Satu perangkat dengan keadaan terakhirnya / One device with what is known of it now',
  })
  @ApiZodAnswer(deviceNowSchema)
  async device(@Param('device') id: string): Promise<Answer<typeof deviceNowSchema>> {
    const [now] = await devicesNow(this.pantau, [await registeredDevice(this.pantau.registry, id)]);
    return now as Answer<typeof deviceNowSchema>;
  }

  @Get(':device/registration')
  @Allow('read')
  @ApiOperation({
    summary: 'Pendaftaran satu perangkat / The registration of one device',
    description: 'Its ETag goes into `If-Match` of a change (`PUT /api/v1/devices/{device}`).',
  })
  @ApiZodAnswer(registeredDeviceSchema)
  async registration(@Param('device') id: string): Promise<Device> {
    return registeredDevice(this.pantau.registry, id);
  }

  @Put(':device')
  @Registers('device')
  @Allow('register')
  @ApiOperation({
    summary: 'Mendaftarkan atau mengubah perangkat / Register or change a device',
    description: 'It gets no password here: issue a token, or `pantau device rotate`.',
  })
  @ApiZodParam('device', deviceSchema.shape.id)
  @ApiPreconditions()
  @ApiZodBody(deviceBody)
  @ApiZodAnswer(registeredDeviceSchema)
  async putDevice(
    @Param('device', new ZodPipe(deviceSchema.shape.id)) id: string,
    @Body(new ZodPipe(deviceBody)) { interval, maxAge, intervalFrom, ...rest }: z.output<typeof deviceBody>,
    @Note() note: AuditNote,
    @Preconditions() precondition: Precondition,
  ): Promise<Device> {
    // As it is kept, member by member: the ETag of this answer is that of the next one.
    const device = deviceSchema.parse({
      id,
      ...rest,
      intervalMs: interval,
      ...defined({ maxAgeMs: maxAge }),
    });
    await this.pantau.registry.putDevice(device, intervalFrom, (before) => {
      assertUnchanged(before, precondition);
      Object.assign(note, { before, after: device });
    });
    return device;
  }

  @Get(':device/unread')
  @Allow('examine')
  @ApiOperation({
    summary: 'Anggota pesan yang tidak dibaca / Members of messages that are not read',
    description:
      'Members of the messages of a device of another maker that held numbers and were not read, beside values that were: the number of messages, the first and the last, the most frequent first. `more` counts messages with members beyond the 50 that are kept of a device.',
  })
  @ApiZodAnswer(unreadSchema)
  async unread(@Param('device') device: string): Promise<Answer<typeof unreadSchema>> {
    await registeredDevice(this.pantau.registry, device);
    const { members, more } = await this.pantau.ingest.unread(device);
    const items = [...members].sort((a, b) => b.count - a.count);
    return { items: items.map((member) => iso(member)), more };
  }

  @Get(':device/clock')
  @Allow('examine')
  @ApiOperation({
    summary: 'Catatan jam perangkat / Ledger of the clock of a device',
    description:
      'By day of arrival, newest first. `skewMaxMs` is the largest device time less arrival: the skew of the clock, less the shortest way of a message.',
  })
  @ApiZodQuery(clockQuery)
  @ApiZodAnswer(clockSchema)
  async clock(
    @Param('device') device: string,
    @Query(new ZodPipe(clockQuery)) { after, limit }: z.output<typeof clockQuery>,
  ): Promise<Answer<typeof clockSchema>> {
    await registeredDevice(this.pantau.registry, device);
    const days = await this.pantau.ingest.clockDays(device, limit + 1, after?.[0]);
    return pageOf(days, limit, ({ day }) => [day]);
  }
}

function isAskedFor(
  { presence, lastSeen, outOfService }: Answer<typeof deviceNowSchema>,
  { state, service, from, to }: z.output<typeof devicesQuery>,
): boolean {
  if ((state ?? presence?.state) !== presence?.state) return false;
  if (service !== undefined && (service === 'revoked') !== (outOfService !== undefined)) return false;
  if (from === undefined && to === undefined) return true;
  const seen = Date.parse(lastSeen ?? '');
  return seen >= (from ?? 0) && seen < (to ?? Infinity);
}
