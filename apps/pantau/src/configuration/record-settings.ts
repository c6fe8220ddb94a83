import { rulesFileSchema } from '#libs/alerting';
import { recordIndicators } from '#libs/evidence';
import { loadCodecs } from '#devices/codecs';
import { assertStillMappable, MAPPINGS, withStored, type Settings } from '#libs/identity';
import type { TopicMapping } from '#libs/telemetry';
import { indicators } from './configured-indicators.js';
import { configFile, readYamlFile, type LoadedConfig } from '#libs/platform';
import { QC_LIMITS_VERSION, qcLimitsSchema } from '#libs/quality-control';

/**
 * Records the settings of configuration files that figures, flags and alerts follow from, where they differ from before. What decodes is recorded by ingest.
 *
 * @throws PantauError `CONFIG_INVALID` where mappings of the file do not fit those that people made
 */
export async function recordSettings(settings: Settings, config: LoadedConfig): Promise<void> {
  const { ingest, qualityControl, livenessBeat, mappings, rules } = config;
  const limits =
    qualityControl === undefined ? null : readYamlFile(configFile(config, qualityControl), qcLimitsSchema);
  await settings.declare('clock', ingest);
  const codecs = await loadCodecs();
  await settings.change<readonly TopicMapping[]>(MAPPINGS, (held = []) => {
    assertStillMappable(mappings, held, codecs);
    return withStored(mappings, held);
  });
  await settings.declare('quality', { shipped: QC_LIMITS_VERSION, limits });
  await settings.declare('liveness', livenessBeat);
  await settings.declare('alerts', readYamlFile(configFile(config, rules), rulesFileSchema));
  await recordIndicators(settings, indicators(config));
}
