import { defined } from '#libs/kernel';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { cursorText } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import {
  definitionOf,
  figureOf,
  figureSchema,
  figuresSchema,
  recomputationOf,
  recomputationSchema,
} from './indicators-answer.js';
import { indicatorsQuery } from './indicators-request.js';

/** Figures, each with what it follows from. */
@ApiTags('Pantau')
@Controller('api/v1/indicators')
export class IndicatorsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Indikator per masa dengan asal-usulnya / Indicators by period with their provenance',
    description:
      'Every period from the registration of a device on, also those in which it was silent; newest first. `device` asks for those of a device, `site` for those of a site and its devices; `from` and `to` for periods that begin on these days. When there are more than `limit`, `truncated` is true: ask again with `after` set to `next`. Figures of this page that cannot be computed are in `notComputed` with the reason (`indicator`, `subject`, `period`, `reason`). The time of day in which a device was shut out is planned time.',
  })
  @ApiZodQuery(indicatorsQuery)
  @ApiZodAnswer(figuresSchema)
  async indicators(
    @Query(new ZodPipe(indicatorsQuery)) query: z.output<typeof indicatorsQuery>,
  ): Promise<Answer<typeof figuresSchema>> {
    const { limit, after: place, ...filter } = query;
    const after = place && { period: place[0], indicator: place[1], subject: place[2] };
    const page = await this.pantau.evidence.list({ ...defined({ ...filter, after }), limit });
    const { items, notComputed, next } = page;
    const more =
      next === undefined
        ? {}
        : { truncated: true as const, next: cursorText([next.period, next.indicator, next.subject]) };
    const without = notComputed.length === 0 ? {} : { notComputed };
    const definitions = this.pantau.evidence.definitions.map(definitionOf);
    return { definitions, items: items.map(figureOf), ...without, ...more };
  }

  @Get(':indicator/:subject/:period')
  @Allow('read')
  @ApiOperation({
    summary: 'Satu indikator / One indicator',
    description:
      '`subject` is the id of a device or site, the name of a district, or `regency`; `period` is `2026-01-31T13`, `2026-01-31`, `2026-01`, `2026-Q1` or `2026`: as the definition of the indicator says.',
  })
  @ApiZodAnswer(figureSchema)
  async indicator(
    @Param('indicator') indicator: string,
    @Param('subject') subject: string,
    @Param('period') period: string,
  ): Promise<Answer<typeof figureSchema>> {
    return figureOf(await this.pantau.evidence.get(indicator, subject, period));
  }

  @Get(':indicator/:subject/:period/recomputation')
  @Allow('examine')
  @ApiOperation({
    summary: 'Hitung ulang dari jurnal / Compute again from the journal',
    description:
      'Decodes and judges the bytes of the devices again, computes the figure from what comes out, and compares its period with the store. `result` is `equal`; `different`, and `difference` says where first: part, stream, shard, offset; or `not_verifiable` when retention removed what it follows from (`missing` says which, and when) or another version of a codec read it (`decoder`).',
  })
  @ApiZodAnswer(recomputationSchema)
  async recompute(
    @Param('indicator') indicator: string,
    @Param('subject') subject: string,
    @Param('period') period: string,
  ): Promise<Answer<typeof recomputationSchema>> {
    return recomputationOf(await this.pantau.verify(indicator, subject, period));
  }
}
