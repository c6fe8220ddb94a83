import { alertEventOf } from '#libs/alerting';
import type { Principal } from '#libs/identity';
import { defined } from '#libs/kernel';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { TellsOfItsSites } from '../accounts/site-scope.guard.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { devicesNow } from '../devices/devices-now.js';
import type { Answer } from '../http/answer.js';
import { Caller } from '../http/auth.js';
import { iso } from '../http/iso.js';
import { ApiZodAnswer } from '../http/openapi.js';
import { matchingPage } from '../http/page.js';
import { Allow } from '../http/permission.js';
import { ALERT_VIEWS, RECENT_HOURS } from '../namespaces.js';
import { stationOf } from '../stations/stations-answer.js';
import { displaySchema } from './display-answer.js';

type Display = Answer<typeof displaySchema>;

/** More of them nobody reads on a wall. */
const MOST_ALERTS = 100;

/** The regency for a screen on a wall. */
@ApiTags('Pantau')
@Controller('api/v1/display')
export class DisplayController {
  constructor(@Inject(DEPENDENCIES) private readonly pantau: GatewayDependencies) {}

  @Get()
  @Allow('display')
  @TellsOfItsSites()
  @ApiOperation({
    summary: 'Ikhtisar untuk layar dinding / The overview for a screen on a wall',
    description:
      'The one route of a display link, which is a token with the scope `display` alone: sites, devices with their state, indexes of the stations, alerts that fire. A token that is limited to sites sees those alone.',
  })
  @ApiZodAnswer(displaySchema)
  async display(@Caller() caller: Principal | undefined): Promise<Display> {
    const { registry, state, clock } = this.pantau;
    const isShown = (site: string): boolean => caller?.sites?.includes(site) ?? true;
    const now = clock.now();
    const sites = (await registry.sites()).filter(({ id }) => isShown(id));
    const registered = (await registry.devices()).filter(
      ({ site, kind }) => isShown(site) && (kind === 'air' || kind === 'camera'),
    );
    const devices = await devicesNow(this.pantau, registered);
    const air = registered.filter(({ kind }) => kind === 'air');
    const hours = await state.getMany(
      RECENT_HOURS,
      air.map(({ id }) => id),
    );
    const { items: alerts, truncated } = await this.#firing(isShown);
    return {
      at: new Date(now).toISOString(),
      ...(caller?.expiresAt === undefined ? {} : { expiresAt: new Date(caller.expiresAt).toISOString() }),
      sites: sites.map(({ id, name, district, latitude, longitude }) => ({
        ...{ id, name, ...defined({ district, latitude, longitude }) },
      })),
      devices: devices.map(shownOnWall),
      stations: air.map((device, i) => stationOf(device, hours[i], now)),
      ...{ alerts, moreAlerts: truncated === true },
    };
  }

  async #firing(
    isShown: (site: string) => boolean,
  ): Promise<{ items: Display['alerts']; truncated?: boolean }> {
    const page = await matchingPage(
      (to, limit) => this.pantau.state.list(ALERT_VIEWS, { ...defined({ to }), reverse: true, limit }),
      (batch) =>
        batch.filter(({ value: { latest } }) => {
          const { phase, subject } = alertEventOf(latest);
          return phase === 'firing' && isShown(subject.site);
        }),
      { after: undefined, limit: MOST_ALERTS },
    );
    const items = page.items.map(({ value: { latest } }) => {
      const { alert, severity, title, subject, since } = alertEventOf(latest);
      return iso({ alert, severity, title, site: subject.site, device: subject.device, since });
    });
    return { items, ...defined({ truncated: page.truncated }) };
  }
}

function shownOnWall(device: Awaited<ReturnType<typeof devicesNow>>[number]): Display['devices'][number] {
  const { id, site, kind, name, intervalMs, outOfService, presence, heartbeat, lastSeen, nothingRead } =
    device;
  return {
    ...{ id, site, kind: kind === 'camera' ? kind : 'air', name, intervalMs },
    ...defined({ outOfService, lastSeen }),
    ...(presence === undefined ? {} : { presence: { state: presence.state } }),
    ...(heartbeat === undefined ? {} : { heartbeat: { state: heartbeat.state } }),
    ...(nothingRead === undefined ? {} : { nothingRead: { since: nothingRead.since } }),
  };
}
