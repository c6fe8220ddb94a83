import { alertsStage } from '#stages/alerts';
import { evidenceStage } from '#stages/evidence';
import { gatewayStage } from '#stages/gateway';
import { httpIntakeStage } from '#stages/http-intake';
import { ingestStage } from '#stages/ingest';
import { tiersStage, writerStage } from '#stages/writer';
import { type Journal, lagOf } from '#libs/journal';
import { type Stage } from '#libs/journal-transport';
import type { LoadedConfig } from '#libs/platform';
import type { AgedRows } from '#libs/state';
import type { StreamName } from '#libs/streams';
import type { TimeSeriesStore } from '#libs/timeseries';
import type { DynamicModule } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Engines } from './storage/engines.js';
import { alertRules, qualityLimits } from './configuration/configured-files.js';
import type { ThreadName } from './watchdog/watchdog.js';

/** What stages are made of. */
export interface StageParts {
  readonly config: LoadedConfig;
  readonly engines: Engines;
  /** @throws PantauError when no stage of this process needs one */
  readonly store: () => TimeSeriesStore;
  /** Told by a stage that listens for devices. */
  readonly onListening: (port: number) => void;
}

/** A stage of Pantau: what its app declares, and how it is put together here. */
export interface StageEntry {
  readonly name: string;
  readonly reads: readonly StreamName[];
  readonly appends: readonly StreamName[];
  /** Where `pantau start` runs it, with others if memory or cores are few. */
  readonly thread: StageThread;
  readonly needsStore: boolean;
  /** What it writes whose rows go by their age. */
  trims(): Promise<readonly AgedRows[]>;
  /** The stage with its options. */
  prepare(parts: StageParts): Promise<Stage<undefined>>;
}

export type StageThread = Exclude<ThreadName, 'main'>;

/**
 * Every stage. Threads, processes, lag, health, metrics and catching up follow from this table. Upstream stages stand first:
 * that is the order in which they catch up.
 */
export const STAGES: readonly StageEntry[] = [
  entry(httpIntakeStage, 'http-intake', async ({ config, engines, onListening }) => {
    const { httpIntakeOptions } = await import('./configuration/http-intake-options.js');
    return httpIntakeOptions(config, engines, onListening);
  }),
  entry(ingestStage, 'ingest', async ({ config, engines }) => {
    const [{ DECODERS, decoderVersions }, { ingestOptions }] = await Promise.all([
      import('#apps/ingest'),
      import('./configuration/ingest-options.js'),
    ]);
    const options = await ingestOptions(config, engines.registry);
    // By whoever decodes: the broker's thread would load every codec for it.
    await engines.registry.settings.declare(DECODERS, decoderVersions(options.codecs));
    return options;
  }),
  entry(writerStage, 'store', storeOptions),
  entry(alertsStage, 'conclusions', ({ config, engines: { registry, journal, onUnreadable } }) => ({
    rules: alertRules(config),
    registry,
    journal,
    onUnreadable,
  })),
  entry(evidenceStage, 'conclusions', ({ config, engines: { registry } }) => ({
    livenessBeatMs: config.livenessBeat,
    registry,
    qcLimits: qualityLimits(config),
  })),
  entry(tiersStage, 'store', storeOptions),
  entry(gatewayStage, 'store', ({ config }) => ({ flapGraceMs: config.mqtt.flapGrace })),
];

function storeOptions({ store, engines: { registry } }: StageParts): {
  store: TimeSeriesStore;
  registry: Engines['registry'];
  clock: typeof systemClock;
} {
  return { store: store(), registry, clock: systemClock };
}

function entry<Options>(
  stage: Stage<Options>,
  thread: StageThread,
  optionsOf: (parts: StageParts) => Options | Promise<Options>,
): StageEntry {
  const { name, reads, appends } = stage;
  return {
    ...{ name, reads, appends, thread },
    trims: async () => (await stage.trims?.()) ?? [],
    needsStore: thread === 'store',
    async prepare(parts) {
      const options = await optionsOf(parts);
      return { name, reads, appends, module: (): Promise<DynamicModule> => stage.module(options) };
    },
  };
}

/** Stages that run where one of these does. */
export function stagesIn(threads: readonly StageThread[]): readonly StageEntry[] {
  return STAGES.filter(({ thread }) => threads.includes(thread));
}

const POLL_MS = 25;

/** Resolves when every stage has read all there is, or when the signal aborts. The stages may run in another process. */
export async function caughtUp(journal: Journal, signal?: AbortSignal): Promise<void> {
  for (const { name, reads } of STAGES) {
    for (const stream of reads) {
      while (signal?.aborted !== true && (await lagOf(journal, name, stream)) > 0) await delay(POLL_MS);
    }
  }
}
