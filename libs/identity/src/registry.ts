import { PM25_CORRECTION_NAMES } from '#libs/air-quality';
import type { Journal } from '#libs/journal';
import { PantauError, type Clock, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { ID_PATTERN, MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { nearestOf } from './nearest.js';
import { Settings } from './settings.js';

const id = z.string().regex(ID_PATTERN, 'expected lower-case letters, digits and hyphens, at most 63');

/** A place with devices. */
export const siteSchema = z.strictObject({
  id,
  name: z.string().min(1).max(200),
  /** Kecamatan. */
  district: z.string().max(100).optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
});
export type Site = z.infer<typeof siteSchema>;

/** A sensor, camera or gateway. Its id is unique in the whole regency and is its MQTT user name and client id. */
export const deviceSchema = z.strictObject({
  id,
  site: id,
  kind: z.enum(['air', 'camera', 'gateway']),
  name: z.string().min(1).max(200),
  /** How often it promises to report, milliseconds; what is expected of it is counted from this. */
  intervalMs: z.int().min(1_000).max(86_400_000),
  /** How long before their arrival its readings may have been measured, where that differs from `ingest.maxAge`. */
  maxAgeMs: z.int().positive().optional(),
  /** Correction of an optical counter's PM2.5 for humidity; the corrected series stands beside the raw one. */
  humidityCorrection: z.enum(PM25_CORRECTION_NAMES).optional(),
  /** Of several sensors of one quantity in its housing the one that counts, by the name that its messages give it. */
  sensors: z
    .partialRecord(z.enum(MEASURED_CODES as [MeasuredParameter]), z.string().min(1).max(100))
    .optional(),
  /** Devices whose topics it may write to as well: those that reach Pantau through it. */
  speaksFor: z.array(id).max(10_000).optional(),
});
export type Device = z.infer<typeof deviceSchema>;

const SITES = 'registry/sites';
const DEVICES = 'registry/devices';
const REGISTRY = 'registry';
const REVISION = 'revision';

/**
 * The sites and devices that Pantau knows. A device that is not here cannot connect and creates no series. What is here is
 * what the stream `settings` says of now; what it said before stays in {@link settings}.
 */
export class Registry {
  readonly settings: Settings;

  /** @param log - where changes are recorded */
  constructor(
    private readonly state: StateStore,
    private readonly log?: { readonly journal: Journal; readonly clock: Clock },
  ) {
    this.settings = new Settings(state, log);
  }

  async putSite(site: Site): Promise<void> {
    await this.#write('site', SITES, siteSchema.parse(site), await this.site(site.id));
  }

  /**
   * @param intervalFrom - since when its interval was true already, if that is earlier than now: old figures are computed with it from
   * then on
   * @throws PantauError `SITE_UNKNOWN` when its site is not registered, `OUT_OF_RANGE` for a time that is not over
   */
  async putDevice(device: Device, intervalFrom?: UtcMillis): Promise<void> {
    await this.assertSite(device.site);
    const { id, intervalMs } = device;
    if (intervalFrom !== undefined && !(intervalFrom < (this.log?.clock.now() ?? 0)))
      throw new PantauError(
        'OUT_OF_RANGE',
        `the interval of ${id} cannot be corrected from a time to come.`,
        {
          remedy: 'Leave the time out: a change holds from now on.',
        },
      );
    const correction =
      intervalFrom === undefined ? undefined : { name: `interval/${id}`, from: intervalFrom, intervalMs };
    await this.#write('device', DEVICES, deviceSchema.parse(device), await this.device(id), correction);
  }

  /** @throws PantauError `SITE_UNKNOWN` with the nearest name when the site is not registered */
  async assertSite(id: string): Promise<void> {
    if ((await this.site(id)) !== undefined) return;
    const nearest = nearestOf(
      id,
      (await this.sites()).map((site) => site.id),
    );
    throw new PantauError('SITE_UNKNOWN', `no site ${id} is registered.`, {
      remedy: `${nearest === undefined ? '' : `Did you mean ${nearest}? `}Add a new one: pantau site add <id> --name <name>, or list them: pantau site list.`,
    });
  }

  /**
   * Another text after every change, of any process: what was computed from all sites and devices holds while it stays the
   * same. Read it before them, so that a change in between is noticed the next time.
   */
  async revision(): Promise<string | undefined> {
    return this.state.get<string>(REGISTRY, REVISION);
  }

  async site(id: string): Promise<Site | undefined> {
    return this.state.get<Site>(SITES, id);
  }

  async device(id: string): Promise<Device | undefined> {
    return this.state.get<Device>(DEVICES, id);
  }

  async sites(): Promise<Site[]> {
    return (await this.state.list<Site>(SITES)).map(({ value }) => value);
  }

  async devices(): Promise<Device[]> {
    return (await this.state.list<Device>(DEVICES)).map(({ value }) => value);
  }

  async #write<T extends Site | Device>(
    kind: string,
    namespace: string,
    value: T,
    before: T | undefined,
    correction?: Parameters<Settings['declare']>[4],
  ): Promise<void> {
    const project = [
      { namespace, key: value.id, value },
      // Not a number: two processes that count on from the same one would write the same.
      { namespace: REGISTRY, key: REVISION, value: randomUUID() },
    ];
    await this.settings.declare(`${kind}/${value.id}`, value, project, before, correction);
  }
}
