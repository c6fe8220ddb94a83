import { PM25_CORRECTION_NAMES } from '#libs/air-quality';
import { PantauError } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { ID_PATTERN } from '#libs/telemetry';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

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
  /** Devices whose topics it may write to as well: those that reach Pantau through it. */
  speaksFor: z.array(id).max(10_000).optional(),
});
export type Device = z.infer<typeof deviceSchema>;

const SITES = 'registry/sites';
const DEVICES = 'registry/devices';
const REGISTRY = 'registry';
const REVISION = 'revision';

/** The sites and devices that Pantau knows. A device that is not here cannot connect and creates no series. */
export class Registry {
  constructor(private readonly state: StateStore) {}

  async putSite(site: Site): Promise<void> {
    await this.#write(SITES, site.id, siteSchema.parse(site));
  }

  /** @throws PantauError `SITE_UNKNOWN` when its site is not registered */
  async putDevice(device: Device): Promise<void> {
    if ((await this.site(device.site)) === undefined) {
      throw new PantauError(
        'SITE_UNKNOWN',
        `the site ${device.site} of the device ${device.id} is not registered.`,
        {
          remedy: 'Add it to sites.yaml first.',
        },
      );
    }
    await this.#write(DEVICES, device.id, deviceSchema.parse(device));
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

  async #write(namespace: string, key: string, value: Site | Device): Promise<void> {
    await this.state.write([
      { namespace, key, value },
      // Not a number: two processes that count on from the same one would write the same.
      { namespace: REGISTRY, key: REVISION, value: randomUUID() },
    ]);
  }
}
