import { alertEventOf } from '#libs/alerting';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { cut } from '../http/cut.js';
import { iso } from '../http/iso.js';
import type { Answer } from '../http/answer.js';
import { ApiZodAnswer, ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { ALERT_VIEWS } from '../namespaces.js';
import { alertItem } from './alert-item.js';
import { alertsSchema } from './alerts-answer.js';
import { alertsQuery } from './alerts-request.js';

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
    const views = await this.pantau.state.list(ALERT_VIEWS, { reverse: true });
    const items = views
      .map(({ value: { latest, history } }) => ({ event: alertEventOf(latest), history }))
      .filter(
        ({ event: { phase, subject } }) =>
          (query.state ?? phase) === phase && (query.device ?? subject.device) === subject.device,
      )
      .slice(0, query.limit + 1)
      .map(({ event, history }) => alertItem(event, history));
    return cut(
      items.map((alert) => iso(alert)),
      query.limit,
    );
  }
}
