import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { PantauError } from '#libs/kernel';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import type { Answer } from '../http/answer.js';
import { id, limit } from '../http/members.js';
import { afterName, matchingPage, shownAs } from '../http/page.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { stationOf, stationSchema, stationsSchema, type Station } from './stations-answer.js';
import { RECENT_HOURS } from '../namespaces.js';

export const stationsQuery = z.strictObject({
  site: id.optional(),
  after: afterName,
  limit: limit(1_000, 10_000),
});

/** The air now, station by station. */
@ApiTags('Pantau')
@Controller('api/v1/stations')
export class StationsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Indeks udara saat ini di setiap stasiun / The current air quality index of every station',
    description:
      'ISPU over the last 24 full hours, computed anew every hour, with the critical parameter, and how many valid hours each mean rests on. Without hours enough there is no index, which is not an index of 0.',
  })
  @ApiZodQuery(stationsQuery)
  @ApiZodAnswer(stationsSchema)
  async list(
    @Query(new ZodPipe(stationsQuery)) { site, after, limit }: z.output<typeof stationsQuery>,
  ): Promise<Answer<typeof stationsSchema>> {
    const { registry, state, clock } = this.pantau;
    const page = await matchingPage(
      async (behind, most) =>
        (await registry.devicesAfter(behind, most)).map((device) => ({ key: device.id, device })),
      (batch) => batch.filter(({ device }) => device.kind === 'air' && (site ?? device.site) === device.site),
      { after: after?.[0], limit },
    );
    const hours = await state.getMany(
      RECENT_HOURS,
      page.items.map(({ key }) => key),
    );
    const now = clock.now();
    return shownAs(page, ({ device }, i) => stationOf(device, hours[i], now));
  }

  @Get(':device')
  @Allow('read')
  @ApiOperation({ summary: 'Indeks udara saat ini di satu stasiun / The current index of one station' })
  @ApiZodAnswer(stationSchema)
  async one(@Param('device') id: string): Promise<Station> {
    const { registry, state, clock } = this.pantau;
    const device = await registry.device(id);
    if (device?.kind !== 'air')
      throw new PantauError('NOT_FOUND', `${id} is no air station.`, { remedy: 'GET /api/v1/stations' });
    return stationOf(device, await state.get(RECENT_HOURS, id), clock.now());
  }
}
