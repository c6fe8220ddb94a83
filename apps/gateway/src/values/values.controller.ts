import type { Device } from '#libs/identity';
import { SECOND, type UtcMillis } from '#libs/kernel';
import { PARAMETERS } from '#libs/telemetry';
import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { id } from '../http/members.js';
import { ApiZodQuery } from '../http/openapi.js';
import { Allow } from '../http/permission.js';
import { ZodPipe } from '../http/zod-pipe.js';
import { LATEST_READINGS, RECENT_HOURS } from '../namespaces.js';
import { stationOf } from '../stations/stations-answer.js';
import { readingsOf } from '../views/latest-readings-form.js';
import { Exposition, type Metric } from './exposition.js';

const valuesQuery = z.strictObject({ site: id.optional().describe('Only its devices') });

/** Devices of one answer. More are scraped by site. */
const MOST_DEVICES = 10_000;
const BATCH = 500;
const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const VALUE: Metric = {
  name: 'pantau_value',
  help: 'Latest reading, in the unit of its label.',
  labels: ['site', 'device', 'parameter', 'unit'],
};
const AGE: Metric = {
  name: 'pantau_value_age_seconds',
  help: 'Time since the latest reading was measured.',
  labels: ['site', 'device', 'parameter'],
};
const FLAG: Metric = {
  name: 'pantau_value_flag',
  help: 'QARTOD flag of the latest reading: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing.',
  labels: ['site', 'device', 'parameter'],
};
const INDEX: Metric = {
  name: 'pantau_ispu_index',
  help: 'ISPU over the last 24 full hours (Permen LHK P.14/2020); absent without hours enough.',
  labels: ['site', 'device', 'critical', 'category'],
};
const INDEX_AGE: Metric = {
  name: 'pantau_ispu_age_seconds',
  help: 'Time since the end of the newest hour of a station of which there is a mean.',
  labels: ['site', 'device'],
};
const CUT: Metric = {
  name: 'pantau_values_cut',
  help: '1 when there are more devices than one answer holds.',
  labels: [],
};

/** What Grafana and others draw: the newest values, for Prometheus. */
@ApiTags('Pantau')
@Controller('api/v1/metrics/values')
export class ValuesController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'Nilai terakhir untuk Prometheus / Current values for Prometheus',
    description: `Text format 0.0.4. Of each device the latest reading of each parameter with its unit, age and QARTOD flag; of each air station the index of now. A value stays until there is a newer one: look at its age. At most ${MOST_DEVICES} devices; \`pantau_values_cut\` is 1 when there are more, which \`site\` divides.`,
  })
  @ApiZodQuery(valuesQuery)
  @ApiResponse({
    status: 200,
    description: 'Berhasil / Success',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  async values(
    @Query(new ZodPipe(valuesQuery)) { site }: z.output<typeof valuesQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { registry, clock } = this.pantau;
    const exposition = new Exposition([VALUE, AGE, FLAG, INDEX, INDEX_AGE, CUT]);
    const now = clock.now();
    let after: string | undefined;
    let looked = 0;
    let isCut = false;
    do {
      const batch = await registry.devicesAfter(after, BATCH);
      after = batch.length < BATCH ? undefined : batch.at(-1)?.id;
      looked += batch.length;
      isCut = after !== undefined && looked >= MOST_DEVICES;
      const wanted = batch.filter((device) => (site ?? device.site) === device.site);
      await this.#add(exposition, wanted, now);
    } while (after !== undefined && !isCut);
    exposition.add(CUT, {}, isCut ? 1 : 0);
    void reply.header('content-type', TYPE);
    return exposition.toString();
  }

  async #add(exposition: Exposition, devices: readonly Device[], now: UtcMillis): Promise<void> {
    const { state } = this.pantau;
    const ids = devices.map((device) => device.id);
    const latest = await state.getMany(LATEST_READINGS, ids);
    const hours = await state.getMany(RECENT_HOURS, ids);
    for (const [i, device] of devices.entries()) {
      const labels = { site: device.site, device: device.id };
      const readings = latest[i] === undefined ? {} : readingsOf(latest[i]);
      for (const [parameter, { ts, value, flag }] of Object.entries(readings)) {
        const { unit } = PARAMETERS[parameter as keyof typeof PARAMETERS];
        const series = { ...labels, parameter };
        exposition.add(VALUE, { ...series, unit }, value);
        exposition.add(AGE, series, (now - ts) / SECOND);
        exposition.add(FLAG, series, flag);
      }
      if (device.kind !== 'air') continue;
      const { ispu, newestHourEnd } = stationOf(device, hours[i], now);
      if (ispu !== undefined)
        exposition.add(
          INDEX,
          { ...labels, critical: ispu.critical, category: ispu.category.code },
          ispu.index,
        );
      if (newestHourEnd !== undefined)
        exposition.add(INDEX_AGE, labels, (now - Date.parse(newestHourEnd)) / SECOND);
    }
  }
}
