import { decoderChanges, Replay, type IngestOptions } from '#apps/ingest';
import type { DecoderChange } from '#libs/evidence';
import { fullCheck, type CheckProgress, type FullCheck, type ReplayOfBytes } from '#apps/gateway';
import { JournalSettings, type SettingsHistory } from '#libs/identity';
import type { Journal } from '#libs/journal';
import type { LoadedConfig } from '#libs/platform';
import { QC_LIMITS_VERSION } from '#libs/quality-control';
import type { TimeSeriesStore } from '#libs/timeseries';
import { storeKeepsFrom, systemClock, type Engines } from '../storage/engines.js';
import { ingestOptions } from '../configuration/ingest-options.js';

/**
 * A full check of one device or of all, from the bytes of the messages to the rows of the store. Writes nothing.
 *
 * @throws the signal's reason when it aborts
 */
export async function checkAll(
  { journal, registry }: Pick<Engines, 'journal' | 'registry'>,
  config: LoadedConfig,
  store: Pick<TimeSeriesStore, 'query'>,
  device: string | undefined,
  signal: AbortSignal,
  onProgress: (progress: CheckProgress) => void,
): Promise<FullCheck> {
  return fullCheck({
    ...{ journal, store, signal, onProgress },
    ...(device === undefined ? {} : { device }),
    replay: await replayOf(journal, await ingestOptions(config, registry), device),
    now: systemClock.now(),
    storeKeepsFrom: storeKeepsFrom(config),
  });
}

/** Reads the bytes with the settings of their arrival, as the journal has them. */
export async function replayOf(
  journal: Journal,
  options: IngestOptions,
  device: string | undefined,
): Promise<ReplayOfBytes> {
  const settings = new JournalSettings(journal);
  const replay = new Replay(journal, { ...options, settings }, device);
  return {
    sameTests: (await otherTests(settings)) === undefined,
    shards: await replay.shards(),
    decoderChange: await decoderChanges(options, settings),
    read: (windows, visit, onRead) => replay.read(windows, visit, onRead),
  };
}

/** Another version of the quality tests that ever judged; undefined: none did. */
export async function otherTests(settings: SettingsHistory): Promise<DecoderChange | undefined> {
  const versions = await settings.history<{ shipped: number }>('quality');
  const other = versions.find(({ value }) => value.shipped !== QC_LIMITS_VERSION);
  return other && { decoder: 'quality', then: other.value.shipped, now: QC_LIMITS_VERSION };
}
