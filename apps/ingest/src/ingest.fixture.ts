import { loadCodecs } from '#devices/codecs';
import { Registry } from '#libs/identity';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { type Journal, lagOf } from '#libs/journal';
import { createStage } from '#libs/journal-transport';
import { MINUTE, seededRandom } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { TopicMappings, type Uplink } from '#libs/telemetry';
import { temporaryFolder, waitUntil } from '#libs/testing';
import type { IngestOptions } from './ingest-options.js';
import { IngestModule } from './ingest.module.js';

/** The clock of the journal stands still. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 10);
const clock = { now: () => NOW };

/** Devices of the site `betung`; the gateway speaks for some of the others. */
export const DEVICES = [
  ...['udara-01', 'udara-02', 'udara-03', 'cctv-01', 'gw-01'],
  // A series is of one sensor: makers that share few devices would keep each other out.
  ...Array.from({ length: 20 }, (_, i) => `udara-${i + 10}`),
];
const SPOKEN_FOR = ['udara-01', 'udara-02', 'cctv-01'];

export interface IngestFixture extends AsyncDisposable {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly registry: Registry;
  /** Ends the stage and begins it anew, with what it remembers on disk. */
  restart(): Promise<void>;
  /** What the stage warned of. */
  readonly complaints: readonly string[];
  /** Hands the stage messages as the broker does, and waits until it has read them. */
  take(uplinks: readonly Uplink[]): Promise<void>;
}

/** The whole ingest stage on a journal of its own. */
export async function openIngest(given: Partial<IngestOptions> = {}): Promise<IngestFixture> {
  const folder = temporaryFolder('hostile');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 2 });
  const registry = new Registry(state);
  await registry.putSite({ id: 'betung', name: 'Betung' });
  for (const id of DEVICES)
    await registry.putDevice({
      id,
      site: 'betung',
      kind: 'air',
      name: id,
      intervalMs: MINUTE,
      ...(id === 'udara-01' ? { humidityCorrection: 'epa-2021' as const } : {}),
      ...(id === 'gw-01' ? { speaksFor: SPOKEN_FOR } : {}),
    });
  const complaints: string[] = [];
  const logger = {
    log: () => undefined,
    warn: (message: unknown) => void complaints.push(String(message)),
    error: (message: unknown) => void complaints.push(String(message)),
  };
  const options: IngestOptions = {
    registry,
    codecs: await loadCodecs(),
    mappings: new TopicMappings([]),
    timePolicy: {
      maxFutureMs: 5 * MINUTE,
      oldest: Date.UTC(2000, 0, 1),
      maxAgeMs: 30 * 24 * 60 * MINUTE,
      wrongClock: 'arrival',
    },
    qcLimits: undefined,
    gasConditions: 'reference',
    ...given,
  };
  const start = async (): Promise<Awaited<ReturnType<typeof createStage>>> => {
    const started = await createStage(IngestModule.register(options), {
      ...{ stage: 'ingest', journal, state, clock, random: seededRandom(1), backoffMs: 5, logger },
    });
    await started.listen();
    return started;
  };
  let stage = await start();
  return {
    journal,
    state,
    registry,
    async restart() {
      await stage.close();
      stage = await start();
    },
    complaints,
    async take(uplinks: readonly Uplink[]): Promise<void> {
      await journal.append(
        'uplink',
        uplinks.map((data) => ({ key: data.device, data })),
      );
      await waitUntil(
        'ingest has read everything',
        async () => (await lagOf(journal, 'ingest', 'uplink')) === 0,
        50_000,
      );
    },
    async [Symbol.asyncDispose]() {
      await stage.close();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}
