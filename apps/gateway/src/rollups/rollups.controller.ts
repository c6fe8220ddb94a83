import { defined } from '#libs/kernel';
import { MEASURED_CODES, PARAMETERS } from '#libs/telemetry';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { pageOf, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { disagreementsSchema, rollupsSchema } from './rollups-answer.js';
import { disagreementsQuery, rollupsQuery } from './rollups-request.js';

/** Hours of devices, and how they compare with those nearby. */
@ApiTags('Pantau')
@Controller('api/v1')
export class RollupsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get('rollups')
  @Allow('read')
  @ApiOperation({
    summary: 'Ringkasan per jam / Hourly roll-ups',
    description:
      'Mean over time of the readings that passed or are unusual, with the counts it rests on, the share of the hour that is `covered`, and the same hour `withoutUnusual` values (`unusualShare` is their share of the time). Hours without a reading are listed too. `neighbours` says what the devices nearby say of an hour that is over: `flag` 1 they agree, 3 they disagree strongly (`failed` is then `["neighbour"]`); `count` is how many were asked and `median` is theirs. It is absent where too few could be asked. It excludes nothing: the one that differs may be the only one that is right.',
  })
  @ApiZodQuery(rollupsQuery)
  @ApiZodAnswer(rollupsSchema)
  async rollups(
    @Query(new ZodPipe(rollupsQuery)) query: z.output<typeof rollupsQuery>,
  ): Promise<Answer<typeof rollupsSchema>> {
    const { device, parameter, from, to } = query;
    const items = await this.pantau.evidence.rollups(device, parameter, { from, to });
    const hours = items.map(({ hour }) => hour);
    const opinions = await this.pantau.neighbours.opinions(device, parameter, hours);
    return {
      unit: PARAMETERS[parameter].unit,
      items: items.map((rollup, i) => iso({ ...rollup, ...defined({ neighbours: opinions[i] }) })),
    };
  }

  @Get('disagreements')
  @Allow('read')
  @ApiOperation({
    summary:
      'Jam yang sangat berbeda dari perangkat sekitarnya, terbaru dahulu / Hours that differ strongly from the devices nearby, newest first',
    description:
      'For finding sensors that drift: one that is listed day after day deserves a visit, one that is listed for an evening may have had a fire beside it. `mean` is that of the hour, `neighbours.median` that of the devices around it. Nothing listed here is excluded from any figure.',
  })
  @ApiZodQuery(disagreementsQuery)
  @ApiZodAnswer(disagreementsSchema)
  async disagreements(
    @Query(new ZodPipe(disagreementsQuery)) query: z.output<typeof disagreementsQuery>,
  ): Promise<Answer<typeof disagreementsSchema>> {
    const { neighbours, registry } = this.pantau;
    const { parameter, limit, after: place, ...span } = query;
    const after = place && { hour: place[0], parameter: place[1], device: place[2] };
    const parameters = parameter === undefined ? MEASURED_CODES : [parameter];
    const found = await neighbours.disagreements(parameters, span, limit + 1, after);
    const page = pageOf(found, limit, ({ hour, parameter: of, device }) => [hour, of, device]);
    const devices = await registry.devicesNamed(page.items.map(({ device }) => device));
    return shownAs(page, (hour, i) => ({
      ...defined({ site: devices[i]?.site }),
      ...iso(hour),
      unit: PARAMETERS[hour.parameter].unit,
    }));
  }
}
