import { alertEventOf } from '#libs/alerting';
import { defined, PantauError, sortable } from '#libs/kernel';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { iso } from '../http/iso.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodParam, ApiZodQuery } from '../http/openapi.js';
import { matchingPage, shownAs } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { ALERT_VIEWS } from '../namespaces.js';
import { alertItem } from './alert-item.js';
import { alertKey } from '../views/views.js';
import { alertSchema, alertsSchema } from './alerts-answer.js';
import { alertsQuery, since } from './alerts-request.js';

/** What a rule said of a device, from its first transition to its last. */
@ApiTags('Pantau')
@Controller('api/v1/alerts')
export class AlertsController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({ summary: 'Peringatan, terbaru dahulu / Alerts, newest first' })
  @ApiZodQuery(alertsQuery)
  @ApiZodAnswer(alertsSchema)
  async alerts(
    @Query(new ZodPipe(alertsQuery)) query: z.output<typeof alertsQuery>,
  ): Promise<Answer<typeof alertsSchema>> {
    const { state, device, site, severity, rule, from, to, limit } = query;
    const latest = to === undefined ? undefined : `${sortable(to)}/`;
    const page = await matchingPage(
      (after, limit) =>
        this.pantau.state.list(ALERT_VIEWS, {
          ...defined({ to: after ?? latest, from: from === undefined ? undefined : `${sortable(from)}/` }),
          reverse: true,
          limit,
        }),
      (batch) =>
        batch.filter(({ value: { latest } }) => {
          const { phase, subject, severity: gravity, rule: of } = alertEventOf(latest);
          return (
            (state ?? phase) === phase &&
            (device ?? subject.device) === subject.device &&
            (site ?? subject.site) === subject.site &&
            (severity ?? gravity) === gravity &&
            (rule ?? of) === of
          );
        }),
      { after: query.after?.[0], limit },
    );
    return shownAs(page, ({ value: { latest, history } }) => iso(alertItem(alertEventOf(latest), history)));
  }

  @Get(':rule/:device/:since')
  @Allow('read')
  @ApiOperation({
    summary: 'Satu peringatan / One alert',
    description: 'By its id, `{rule}/{device}/{since}`, with all that it came through.',
  })
  @ApiZodParam('since', since)
  @ApiZodAnswer(alertSchema)
  async alert(
    @Param('rule') rule: string,
    @Param('device') device: string,
    @Param('since', new ZodPipe(since)) from: number,
  ): Promise<Answer<typeof alertSchema>> {
    const alert = `${rule}/${device}/${from}`;
    const view = await this.pantau.state.get(ALERT_VIEWS, alertKey(from, alert));
    if (view === undefined)
      throw new PantauError('NOT_FOUND', `no alert ${alert}.`, { remedy: 'GET /api/v1/alerts lists them.' });
    return iso(alertItem(alertEventOf(view.latest), view.history));
  }
}
