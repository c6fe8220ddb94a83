import { loadCodecs } from '#devices/codecs';
import { timePolicyOf, type IngestOptions } from '#apps/ingest';
import type { Registry } from '#libs/identity';
import { PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import { aliasFault, TopicMappings } from '#libs/telemetry';
import { qualityLimits } from './configured-files.js';

/**
 * Ingest's options as the configuration gives them.
 *
 * @throws PantauError `CONFIG_INVALID` for a codec that does not exist, and for two names of one device
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
  assertOneName(mappings, codecs);
  return {
    registry,
    codecs,
    mappings: new TopicMappings(mappings),
    timePolicy: timePolicyOf(config.ingest),
    qcLimits: qualityLimits(config),
    gasConditions: config.ingest.gasConditions,
  };
}

function assertOneName(mappings: LoadedConfig['mappings'], codecs: IngestOptions['codecs']): void {
  const fault = aliasFault(mappings, codecs);
  if (fault === undefined) return;
  const [one, other] = fault.names;
  throw new PantauError(
    'CONFIG_INVALID',
    `mappings: the aliases "${one}" and "${other}" both name the device ${fault.device}: two sensors in one series.`,
    { remedy: 'Give each a device of its own, or leave one of them out.' },
  );
}
