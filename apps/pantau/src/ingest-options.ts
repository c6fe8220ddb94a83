import { loadCodecs } from '#devices/codecs';
import { timePolicyOf, type IngestOptions } from '#apps/ingest';
import type { Registry } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { TopicMappings } from '#libs/telemetry';
import { qualityLimits } from './configured-files.js';

/**
 * Ingest's options as the configuration gives them.
 *
 * @throws PantauError `CONFIG_INVALID` for a codec that does not exist
 */
export async function ingestOptions(config: LoadedConfig, registry: Registry): Promise<IngestOptions> {
  const { mappings } = config;
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
    qcLimits: qualityLimits(config),
    gasConditions: config.ingest.gasConditions,
  };
}
