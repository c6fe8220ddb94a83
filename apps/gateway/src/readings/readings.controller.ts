import { defined, PantauError } from '#libs/kernel';
import { PARAMETERS, type Parameter } from '#libs/telemetry';
import type { PointQuery } from '#libs/timeseries';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { pageOf, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { instant, parameter, spanOf } from '../http/members.js';
import { AlsoParquet } from '../tables/table.interceptor.js';
import { originOf } from './reading-origin.js';
import { countSchema, envelopeSchema, explainedReadingSchema, readingsSchema } from './readings-answer.js';
import { countQuery, envelopeQuery, readingsQuery } from './readings-request.js';

/** What devices measured, as it is stored. */
@ApiTags('Pantau')
@Controller('api/v1/readings')
export class ReadingsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @AlsoParquet()
  @ApiOperation({
    summary: 'Pembacaan tersimpan / Stored readings',
    description:
      'QARTOD flags: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. `failed` names the tests that a value of flag 3 or 4 did not pass; it is absent where it passed, and of readings that were stored before the names were kept. `doubt` gives, beside the test `device`, the reason that its maker gives. `truncated` says that there are more than `limit`: go on with `after`; what comes meanwhile moves nothing.',
  })
  @ApiZodQuery(readingsQuery)
  @ApiZodAnswer(readingsSchema)
  async readings(
    @Query(new ZodPipe(readingsQuery)) query: z.output<typeof readingsQuery>,
  ): Promise<Answer<typeof readingsSchema>> {
    const { order, limit, after: place } = query;
    const after = place && { ts: place[0], device: place[1], parameter: place[2] };
    const points = await this.pantau.store.query({
      ...this.#filterOf(query),
      ...defined({ after }),
      order,
      limit: limit + 1,
    });
    return shownAs(
      pageOf(points, limit, ({ ts, device, parameter }) => [ts, device, parameter]),
      (point) => ({ ...iso(point), unit: PARAMETERS[point.parameter].unit }),
    );
  }

  @Get(':device/:parameter/:ts')
  @Allow('examine')
  @ApiOperation({
    summary: 'Satu pembacaan dengan kirimannya / One reading with its message',
    description:
      'The reading with the tests that it did not pass, the entry of the journal that said it, and the message that it was read from: its place in the stream `uplink`, its original bytes and the codec. `GET /api/v1/journal/uplink/{shard}/{offset}` gives the whole entry.',
  })
  @ApiZodParam('parameter', parameter)
  @ApiZodParam('ts', instant)
  @ApiZodAnswer(explainedReadingSchema)
  async reading(
    @Param('device') device: string,
    @Param('parameter', new ZodPipe(parameter)) code: Parameter,
    @Param('ts', new ZodPipe(instant)) ts: number,
  ): Promise<Answer<typeof explainedReadingSchema>> {
    const at = { device, parameter: code, span: { from: ts, to: ts + 1 } };
    const [point] = await this.pantau.store.query({ ...at, order: 'desc', limit: 1 });
    if (point === undefined)
      throw new PantauError(
        'NOT_FOUND',
        `no reading of ${code} of ${device} at ${new Date(ts).toISOString()}.`,
        {
          remedy: 'GET /api/v1/readings lists them.',
        },
      );
    return { ...iso(point), unit: PARAMETERS[code].unit, ...(await originOf(this.pantau, device, code, ts)) };
  }

  @Get('count')
  @Allow('read')
  @ApiOperation({ summary: 'Jumlah pembacaan tersimpan / Number of stored readings' })
  @ApiZodQuery(countQuery)
  @ApiZodAnswer(countSchema)
  async count(
    @Query(new ZodPipe(countQuery)) query: z.output<typeof countQuery>,
  ): Promise<z.output<typeof countSchema>> {
    return { count: await this.pantau.store.count(this.#filterOf(query)) };
  }

  @Get('envelope')
  @Allow('read')
  @ApiOperation({
    summary: 'Selubung pembacaan untuk grafik / Envelope of readings, for charts',
    description:
      'Lowest, highest and mean value of each part of a span, so that a chart of any number of readings shows each peak: one reading among 100,000 is the `max` of its bucket. What quality control doubts stands apart with its count and extremes. Buckets begin at multiples of `bucketMs`, whatever the span is, and those without a reading are left out: two that are not adjacent have nothing between them. For a span of few readings `GET /api/v1/readings` gives each.',
  })
  @ApiZodQuery(envelopeQuery)
  @ApiZodAnswer(envelopeSchema)
  async envelope(
    @Query(new ZodPipe(envelopeQuery)) query: z.output<typeof envelopeQuery>,
  ): Promise<Answer<typeof envelopeSchema>> {
    const { device, parameter, from, buckets } = query;
    const now = this.pantau.clock.now();
    const span = spanOf({ from, to: query.to ?? Math.max(now, (from ?? 0) + 1) }, now);
    const bucketMs = Math.ceil((span.to - span.from) / buckets);
    const items = await this.pantau.store.envelope({ device, parameter, span, bucketMs });
    return { unit: PARAMETERS[parameter].unit, bucketMs, items: items.map((bucket) => iso(bucket)) };
  }

  #filterOf({
    site,
    device,
    parameter,
    ...span
  }: z.output<typeof countQuery>): Omit<PointQuery, 'order' | 'limit' | 'after'> {
    return { ...defined({ site, device, parameter }), span: spanOf(span, this.pantau.clock.now()) };
  }
}
