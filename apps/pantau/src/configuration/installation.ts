import { defined } from '#libs/kernel';
import { configFile, readYamlFile, type LoadedConfig } from '#libs/platform';
import { alertRules } from './configured-files.js';
import { indicators } from './configured-indicators.js';
import type { Engines } from '../storage/engines.js';
import { recordSettings } from './record-settings.js';
import { sitesFileSchema, type Installation } from './sites-file.js';

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
