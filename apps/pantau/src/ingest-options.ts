import { loadCodecs } from '#devices/codecs';
import type { IngestOptions } from '#apps/ingest';
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
  const { maxFuture, oldest, maxAge, wrongClock, gasConditions } = config.ingest;
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
    timePolicy: { maxFutureMs: maxFuture, oldest: Date.parse(oldest), maxAgeMs: maxAge, wrongClock },
    qcLimits:
      qualityControl === undefined
        ? undefined
        : readYamlFile(configFile(config, qualityControl), qcLimitsSchema),
    gasConditions,
  };
}
