import { deviceSchema, siteSchema } from '#libs/identity';
import { defined } from '#libs/kernel';
import { configFile, duration, readYamlFile, type LoadedConfig } from '#libs/platform';
import { z } from 'zod';
import { alertRules, indicators } from './configured-files.js';
import type { Engines } from './engines.js';
import { recordSettings } from './record-settings.js';

/** `sites.yaml` */
export const sitesFileSchema = z.strictObject({
  sites: z.array(siteSchema).default([]),
  devices: z
    .array(
      deviceSchema
        .omit({ intervalMs: true, maxAgeMs: true })
        .extend({ interval: duration, maxAge: duration.optional() }),
    )
    .default([]),
});

export type Installation = z.output<typeof sitesFileSchema>;

/** Reads everything that can be wrong before anything is opened. @throws PantauError `CONFIG_INVALID` */
export function readInstallation(config: LoadedConfig): Installation {
  alertRules(config);
  indicators(config);
  return readYamlFile(configFile(config, config.sites), sitesFileSchema);
}

/**
 * Records what the configuration declares; again, it changes nothing.
 *
 * @returns the token of the first admin, when there was none
 */
export async function recordInstallation(
  { sites, devices }: Installation,
  config: LoadedConfig,
  { registry, tokens }: Engines,
): Promise<string | undefined> {
  for (const site of sites) await registry.putSite(site);
  for (const { interval, maxAge, ...device } of devices)
    await registry.putDevice({ ...device, intervalMs: interval, ...defined({ maxAgeMs: maxAge }) });
  await recordSettings(registry.settings, config);
  return tokens.createFirstAdmin();
}
