import type { EvidenceReader, NeighbourQueries, Recomputation } from '#libs/evidence';
import type { BrokerQueries } from '#libs/broker-state';
import { presenceAt, type BrokerRun, type PresencePolicy } from '#libs/availability';
import { alertEventOf, explanationOf, type AlertEvent, type AlertRule } from '#libs/alerting';
import type { Administration, DeviceTokens, Registry } from '#libs/identity';
import type { IngestQueries } from '#libs/ingest-state';
import { newestFirst, type Journal, type PassedOver, type UnreadableEntry } from '#libs/journal';
import type { AccountQueries } from '#libs/journal-transport';
import { defined, messageOf, PantauError, type Clock } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { IndicatorRecord } from '#libs/indicators';
import { MEASURED_CODES, PARAMETERS, type Rejection } from '#libs/telemetry';
import type { PointQuery, TimeSeriesStore } from '#libs/timeseries';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ZodPipe } from './http/http.js';
import type { FullCheckJob } from './reconciliation/full-check-job.js';
import { iso } from './http/iso.js';
import { assertHeardOf, TakesUnregistered } from './http/names.js';
import { cut } from './http/cut.js';
import {
  alertsQuery,
  ApiZodQuery,
  clockQuery,
  countQuery,
  disagreementsQuery,
  indicatorsQuery,
  readingsQuery,
  rejectedQuery,
  rollupsQuery,
} from './http/queries.js';
import { deviceNotices } from './devices/device-notices.js';
import type { LatestReadings } from './views/latest-readings-form.js';
import {
  ALERT_VIEWS,
  BROKER_RUNS,
  DEVICE_VIEWS,
  deviceStatus,
  LATEST_READINGS,
  REJECTION_COUNTS,
  type AlertView,
  type DeviceView,
  type RejectionCount,
} from './views/views.js';
import type { Watched } from './health/watched.js';

export const DEPENDENCIES = Symbol('GatewayDependencies');

export interface GatewayDependencies {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly registry: Registry;
  /** What the broker set aside. */
  readonly broker: BrokerQueries;
  /** What the stages counted. */
  readonly account: AccountQueries;
  /** What the evidence stage found by comparing devices. */
  readonly neighbours: NeighbourQueries;
  /** What ingest knows of the devices. */
  readonly ingest: IngestQueries;
  readonly store: TimeSeriesStore;
  /** Indicators from the evidence stage's state. */
  readonly evidence: EvidenceReader;
  /** Computes a figure again from the bytes of its devices, and compares its period with the store. */
  verify(indicator: string, subject: string, period: string): Promise<Recomputation>;
  /** Changes who may connect. */
  readonly administration: Administration;
  readonly fullCheck: FullCheckJob;
  readonly deviceTokens: DeviceTokens;
  /** The alert rules in force. */
  readonly rules: readonly AlertRule[];
  readonly presencePolicy: PresencePolicy;
  readonly clock: Clock;
  /** What should run, for health. */
  readonly watched: Watched;
}

const PAYLOAD_SHOWN_BYTES = 1_000;

@ApiTags('Pantau')
@ApiBearerAuth()
@Controller('api/v1')
export class ApiController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get('sites')
  @ApiOperation({ summary: 'Lokasi / Sites' })
  async sites(): Promise<unknown> {
    return { items: await this.pantau.registry.sites() };
  }

  @Get('devices')
  @ApiOperation({
    summary: 'Perangkat dengan keadaan terakhirnya / Devices with what is known of them now',
    description:
      '`nothingRead` is there for a device whose messages arrive and give no value: since when, how many, why (the reason of the newest refusal, its members named) and what to do. `unkeptInterval`: its readings come much more seldom, or more often, than it is registered to send, with the command that sets the interval. `lateHistory`: readings that it sent were older than its `maxAge` and were refused after the acknowledgement.',
  })
  async devices(): Promise<unknown> {
    const devices = await this.pantau.registry.devices();
    const ids = devices.map(({ id }) => id);
    const views = await this.pantau.state.getMany<DeviceView>(DEVICE_VIEWS, ids);
    const latest = await this.pantau.state.getMany<LatestReadings>(LATEST_READINGS, ids);
    const runs = (await this.pantau.state.list<BrokerRun>(BROKER_RUNS)).map(({ value }) => value);
    const now = this.pantau.clock.now();
    const notices = await deviceNotices(this.pantau.state, devices);
    return {
      items: devices.map((device, i) => {
        const { presence, ...known } = deviceStatus(views[i], latest[i]);
        const view = { ...known, ...notices[i] };
        if (presence === undefined) return { ...device, ...iso(view) };
        const { at, cause } = presence;
        const state = presenceAt(presence, runs, now, this.pantau.presencePolicy);
        return { ...device, ...iso({ presence: { state, cause, at }, ...view }) };
      }),
    };
  }

  @Get('devices/:device/unread')
  @ApiOperation({
    summary: 'Anggota pesan yang tidak dibaca / Members of messages that are not read',
    description:
      'Members of the messages of a device of another maker that held numbers and were not read, beside values that were: the number of messages, the first and the last, the most frequent first. `more` counts messages with members beyond the 50 that are kept of a device.',
  })
  async unread(@Param('device') device: string): Promise<unknown> {
    if ((await this.pantau.registry.device(device)) === undefined)
      throw new PantauError('DEVICE_UNKNOWN', `no device ${device} is registered.`);
    const { members, more } = await this.pantau.ingest.unread(device);
    const items = [...members].sort((a, b) => b.count - a.count);
    return { items: items.map((member) => iso(member)), more };
  }

  @Get('devices/:device/clock')
  @ApiOperation({
    summary: 'Catatan jam perangkat / Ledger of the clock of a device',
    description:
      'By day of arrival, newest first. `skewMaxMs` is the largest device time less arrival: the skew of the clock, less the shortest way of a message.',
  })
  @ApiZodQuery(clockQuery)
  async clock(
    @Param('device') device: string,
    @Query(new ZodPipe(clockQuery)) { limit }: z.output<typeof clockQuery>,
  ): Promise<unknown> {
    if ((await this.pantau.registry.device(device)) === undefined)
      throw new PantauError('DEVICE_UNKNOWN', `no device ${device} is registered.`);
    return cut(await this.pantau.ingest.clockDays(device, limit + 1), limit);
  }

  @Get('readings')
  @ApiOperation({
    summary: 'Pembacaan tersimpan / Stored readings',
    description:
      'QARTOD flags: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. `failed` names the tests that a value of flag 3 or 4 did not pass; it is absent where it passed, and of readings that were stored before the names were kept. `doubt` gives, beside the test `device`, the reason that its maker gives. `truncated` says that there are more than `limit`: go on with `to` (newest first) or `from` (oldest first) at the last `ts`.',
  })
  @ApiZodQuery(readingsQuery)
  async readings(@Query(new ZodPipe(readingsQuery)) query: z.output<typeof readingsQuery>): Promise<unknown> {
    const { order, limit } = query;
    const points = await this.pantau.store.query({ ...filterOf(query), order, limit: limit + 1 });
    return cut(
      points.map((point) => ({ ...iso(point), unit: PARAMETERS[point.parameter].unit })),
      limit,
    );
  }

  @Get('readings/count')
  @ApiOperation({ summary: 'Jumlah pembacaan tersimpan / Number of stored readings' })
  @ApiZodQuery(countQuery)
  async count(@Query(new ZodPipe(countQuery)) query: z.output<typeof countQuery>): Promise<unknown> {
    return { count: await this.pantau.store.count(filterOf(query)) };
  }

  @Get('rollups')
  @ApiOperation({
    summary: 'Ringkasan per jam / Hourly roll-ups',
    description:
      'Mean over time of the readings that passed or are unusual, with the counts it rests on, the share of the hour that is `covered`, and the same hour `withoutUnusual` values (`unusualShare` is their share of the time). Hours without a reading are listed too. `neighbours` says what the devices nearby say of an hour that is over: `flag` 1 they agree, 3 they disagree strongly (`failed` is then `["neighbour"]`); `count` is how many were asked and `median` is theirs. It is absent where too few could be asked. It excludes nothing: the one that differs may be the only one that is right.',
  })
  @ApiZodQuery(rollupsQuery)
  async rollups(@Query(new ZodPipe(rollupsQuery)) query: z.output<typeof rollupsQuery>): Promise<unknown> {
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
  @ApiOperation({
    summary:
      'Jam yang sangat berbeda dari perangkat sekitarnya, terbaru dahulu / Hours that differ strongly from the devices nearby, newest first',
    description:
      'For finding sensors that drift: one that is listed day after day deserves a visit, one that is listed for an evening may have had a fire beside it. `mean` is that of the hour, `neighbours.median` that of the devices around it. Nothing listed here is excluded from any figure.',
  })
  @ApiZodQuery(disagreementsQuery)
  async disagreements(
    @Query(new ZodPipe(disagreementsQuery)) query: z.output<typeof disagreementsQuery>,
  ): Promise<unknown> {
    const { neighbours, registry } = this.pantau;
    const { parameter, limit, ...span } = query;
    const parameters = parameter === undefined ? MEASURED_CODES : [parameter];
    const found = await neighbours.disagreements(parameters, span, limit + 1);
    const items: unknown[] = [];
    for (const hour of found) {
      const site = (await registry.device(hour.device))?.site;
      items.push(iso({ ...defined({ site }), ...hour, unit: PARAMETERS[hour.parameter].unit }));
    }
    return cut(items, limit);
  }

  @Get('alerts')
  @ApiOperation({ summary: 'Peringatan, terbaru dahulu / Alerts, newest first' })
  @ApiZodQuery(alertsQuery)
  async alerts(@Query(new ZodPipe(alertsQuery)) query: z.output<typeof alertsQuery>): Promise<unknown> {
    const views = await this.pantau.state.list<AlertView>(ALERT_VIEWS, { reverse: true });
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

  @Get('indicators')
  @ApiOperation({
    summary: 'Indikator per masa dengan asal-usulnya / Indicators by period with their provenance',
    description:
      'Every period from the registration of a device on, also those in which it was silent; newest first. `device` asks for those of a device, `site` for those of a site and its devices; `from` and `to` for periods that begin on these days. When there are more than `limit`, `truncated` is true: ask again with `after` set to `next`. The time of day in which a device was shut out is planned time.',
  })
  @ApiZodQuery(indicatorsQuery)
  async indicators(
    @Query(new ZodPipe(indicatorsQuery)) query: z.output<typeof indicatorsQuery>,
  ): Promise<unknown> {
    const { limit, ...filter } = query;
    const { items, next } = await this.pantau.evidence.list({ ...defined(filter), limit });
    const more = next === undefined ? {} : { truncated: true, next };
    return { definitions: this.pantau.evidence.definitions, items, ...more };
  }

  @Get('indicators/:indicator/:subject/:period')
  @ApiOperation({
    summary: 'Satu indikator / One indicator',
    description:
      '`subject` is the id of a device or site, the name of a district, or `regency`; `period` is `2026-01-31T13`, `2026-01-31`, `2026-01`, `2026-Q1` or `2026`: as the definition of the indicator says.',
  })
  async indicator(
    @Param('indicator') indicator: string,
    @Param('subject') subject: string,
    @Param('period') period: string,
  ): Promise<IndicatorRecord> {
    return this.pantau.evidence.get(indicator, subject, period);
  }

  @Get('indicators/:indicator/:subject/:period/recomputation')
  @ApiOperation({
    summary: 'Hitung ulang dari jurnal / Compute again from the journal',
    description:
      'Decodes and judges the bytes of the devices again, computes the figure from what comes out, and compares its period with the store. `result` is `equal`; `different`, and `difference` says where first: part, stream, shard, offset; or `not_verifiable` when retention removed what it follows from (`missing` says which, and when) or another version of a codec read it (`decoder`).',
  })
  async recompute(
    @Param('indicator') indicator: string,
    @Param('subject') subject: string,
    @Param('period') period: string,
  ): Promise<unknown> {
    const { result, ...rest } = await this.pantau.verify(indicator, subject, period);
    return { result, identical: result === 'equal', ...rest };
  }

  @Get('rejected')
  @ApiOperation({
    summary: 'Yang ditolak, terbaru dahulu, dengan jumlahnya / What was refused, newest first, with counts',
  })
  @ApiZodQuery(rejectedQuery)
  @TakesUnregistered()
  async rejected(@Query(new ZodPipe(rejectedQuery)) query: z.output<typeof rejectedQuery>): Promise<unknown> {
    const { journal, state } = this.pantau;
    const counts = await state.list<RejectionCount>(REJECTION_COUNTS);
    const wanted = { ...query, limit: query.limit + 1 };
    const found: ListedRejection[] = [];
    const unreadable: UnreadableEntry[] = [];
    for (let shard = 0; shard < journal.shards; shard++)
      found.push(...(await newestMatching(journal, shard, wanted, (fault) => unreadable.push(fault))));
    await assertHeardOf(this.pantau.registry, query.device, found.length > 0);
    found.sort((a, b) => b.receivedAt - a.receivedAt || b.offset - a.offset);
    const items = found.slice(0, query.limit + 1);
    return {
      counts: counts.map(({ value }) => iso(value)),
      ...cut(
        items.map(({ payload, ...rest }) => ({ ...iso(rest), ...shown(payload) })),
        query.limit,
      ),
      // Those that were met on the way.
      ...(unreadable.length === 0 ? {} : { unreadable: unreadable.slice(0, query.limit).map(placeOf) }),
    };
  }
}

/** An alert as it is listed. What its kind says stands beside the rest, and `kind` is the phase: so it was while there was one kind. */
function alertItem(event: AlertEvent, history: AlertView['history']) {
  const { kind, phase, subject, detail, ...rest } = event;
  const explanation = explanationOf(event);
  return {
    ...{ ...rest, ...subject, ...detail, kind: phase, state: phase, ruleKind: kind },
    ...defined({ explanation }),
    history,
  };
}

/** No reading is from after this; an InfluxDB, which counts nanoseconds, can still be asked for it. */
const MAX_TIME = Date.UTC(2200, 0);

const PAGE = 500;

function filterOf({
  site,
  device,
  parameter,
  from,
  to,
}: z.output<typeof countQuery>): Omit<PointQuery, 'order' | 'limit'> {
  return {
    ...(site === undefined ? {} : { site }),
    ...(device === undefined ? {} : { device }),
    ...(parameter === undefined ? {} : { parameter }),
    ...(from === undefined && to === undefined ? {} : { span: { from: from ?? 0, to: to ?? MAX_TIME } }),
  };
}

type ListedRejection = Rejection & { readonly shard: number; readonly offset: number };

async function newestMatching(
  journal: Journal,
  shard: number,
  { reason, device, limit }: z.output<typeof rejectedQuery>,
  passedOver: PassedOver,
): Promise<ListedRejection[]> {
  const matching: ListedRejection[] = [];
  for await (const { offset, data } of newestFirst(journal, 'rejected', shard, passedOver, PAGE)) {
    if ((reason ?? data.reason) === data.reason && (device ?? data.device) === data.device)
      matching.push({ ...data, shard, offset });
    if (matching.length >= limit) break;
  }
  return matching;
}

function placeOf({ shard, offset, cause }: UnreadableEntry): object {
  return { shard, offset, detail: messageOf(cause) };
}

/** The original bytes: as text where they are text, and always in base64, so that nothing is lost in showing them. */
function shown(payload: Uint8Array | undefined): { payloadText?: string; payloadBase64?: string } {
  if (payload === undefined) return {};
  const bytes = Buffer.from(payload);
  return {
    payloadText: bytes.subarray(0, PAYLOAD_SHOWN_BYTES).toString('utf8'),
    payloadBase64: bytes.toString('base64'),
  };
}
