import { loadCodecs } from '#devices/codecs';
import { timePolicyOf, type IngestOptions } from '#apps/ingest';
import type { Registry } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import { configFile, readYamlFile, type LoadedConfig } from '#libs/platform';
import { qcLimitsSchema } from '#libs/quality-control';
import { TopicMappings } from '#libs/telemetry';

/**
 * Ingest's options as the configuration gives them.
 *
 * @throws PantauError `CONFIG_INVALID` for a codec that does not exist
 */
export async function ingestOptions(config: LoadedConfig, registry: Registry): Promise<IngestOptions> {
  const { mappings, qualityControl } = config;
  const codecs = await loadCodecs();
  for (const { codec, pattern } of mappings) {
    if (codecs.has(codec)) continue;
    throw new PantauError('CONFIG_INVALID', `mappings: no codec "${codec}" for ${pattern}.`, {
      remedy: `Known: ${[...codecs.keys()].sort().join(', ')}.`,
    });
  }
  return {
    registry,
    codecs,
    mappings: new TopicMappings(mappings),
    timePolicy: timePolicyOf(config.ingest),
    qcLimits:
      qualityControl === undefined
        ? undefined
        : readYamlFile(configFile(config, qualityControl), qcLimitsSchema),
    gasConditions: config.ingest.gasConditions,
  };
}
