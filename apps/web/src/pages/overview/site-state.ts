import type { Alert, DeviceNow, Site, Station } from '../../../client';
import type { StateName } from '../../ui/meanings';

/** What the state of a device follows from. */
export interface DeviceKnown {
  readonly intervalMs: number;
  readonly lastSeen?: string;
  readonly outOfService?: unknown;
  readonly nothingRead?: unknown;
  readonly presence?: { readonly state: NonNullable<DeviceNow['presence']>['state'] };
  readonly heartbeat?: { readonly state: NonNullable<DeviceNow['heartbeat']>['state'] };
}

/** A device as the overview names it. */
export interface DeviceHere extends DeviceKnown {
  readonly id: string;
  readonly site: string;
  readonly kind: DeviceNow['kind'];
  readonly name: string;
}

const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** Alerts as they are worked on. */
export function worstFirst<T extends Pick<Alert, 'severity'>>(alerts: readonly T[]): T[] {
  const order = ({ severity }: T): number => SEVERITIES.indexOf(severity);
  return alerts.toSorted((a, b) => order(a) - order(b));
}

/** A device may be late by so many of its intervals before it is called silent. */
const MISSED = 3;

/** What is known of a device now, in one word. The one place that says so: map, list and search agree. */
export function deviceState(device: DeviceKnown, now: number): StateName {
  const { presence, heartbeat, lastSeen, intervalMs } = device;
  // On purpose: it owes nothing.
  if (device.outOfService !== undefined) return 'off';
  if (presence?.state === 'unknown' || (presence === undefined && lastSeen === undefined)) return 'unknown';
  if (presence?.state === 'disconnected') return 'offline';
  const seen = lastSeen === undefined ? undefined : Date.parse(lastSeen);
  if (seen === undefined || now - seen > MISSED * intervalMs) return 'silent';
  if (heartbeat?.state === 'down') return 'offline';
  return heartbeat?.state === 'degraded' || device.nothingRead !== undefined ? 'degraded' : 'online';
}

export interface StationHere {
  readonly device: DeviceHere;
  readonly station: Station | undefined;
  readonly state: StateName;
}

/** A site with what stands there. */
export interface SiteNow {
  readonly site: Site;
  readonly stations: readonly StationHere[];
  readonly cameras: readonly { readonly device: DeviceHere; readonly state: StateName }[];
  /** Of its stations the one whose index is highest, if any has one. */
  readonly worst: StationHere | undefined;
}

const isUp = ({ state }: { readonly state: StateName }): boolean =>
  state === 'online' || state === 'degraded';

export const upOf = (devices: readonly { readonly state: StateName }[]): number =>
  devices.filter(isUp).length;

/** Those that should be up: what is out of service on purpose is not counted. */
export const inService = <T extends { readonly state: StateName }>(devices: readonly T[]): readonly T[] =>
  devices.filter(({ state }) => state !== 'off');

/** Sites with what stands at each, by name. */
export function sitesNow(
  sites: readonly Site[],
  devices: readonly DeviceHere[],
  stations: readonly Station[],
  now: number,
): readonly SiteNow[] {
  const byDevice = new Map(stations.map((station) => [station.device, station]));
  const here = new Map<string, DeviceHere[]>();
  for (const device of devices) {
    const own = here.get(device.site);
    if (own === undefined) here.set(device.site, [device]);
    else own.push(device);
  }
  return sites
    .map((site): SiteNow => {
      const own = (here.get(site.id) ?? []).map((device) => ({ device, state: deviceState(device, now) }));
      const air = own
        .filter(({ device }) => device.kind === 'air')
        .map((one) => ({ ...one, station: byDevice.get(one.device.id) }));
      const [worst] = air
        .filter(({ state, station }) => state !== 'off' && station?.ispu !== undefined)
        .sort((a, b) => (b.station?.ispu?.index ?? 0) - (a.station?.ispu?.index ?? 0));
      return { site, stations: air, cameras: own.filter(({ device }) => device.kind === 'camera'), worst };
    })
    .sort((a, b) => a.site.name.localeCompare(b.site.name));
}

/** So many rows are shown at once as they are: more cost a slow machine seconds. */
const PLAIN_ROWS = 200;
/** Of a site where there are more. */
const ROWS_OF_SITE = 5;

/** How many stations of each site are shown until somebody asks for all of it. */
export function rowsOfSite(sites: readonly SiteNow[]): number {
  const rows = sites.reduce((sum, { stations }) => sum + stations.length, 0);
  return rows <= PLAIN_ROWS ? Infinity : ROWS_OF_SITE;
}

/** So many of them, in their order: those that do not work before the others, then those of the highest index. */
export function standingOut(stations: readonly StationHere[], most: number): readonly StationHere[] {
  if (stations.length <= most) return stations;
  const weight = ({ state, station }: StationHere): number =>
    (state === 'online' || state === 'off' ? 0 : 1_000_000) + (station?.ispu?.index ?? 0);
  const chosen = new Set(stations.toSorted((a, b) => weight(b) - weight(a)).slice(0, most));
  return stations.filter((one) => chosen.has(one));
}
