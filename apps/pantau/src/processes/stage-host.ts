import { startStage } from '#libs/journal-transport';
import { PantauError, seededRandom } from '#libs/kernel';
import { NestLogger, type LoadedConfig, type Logger } from '#libs/platform';
import type { TimeSeriesStore } from '#libs/timeseries';
import { claimShards } from './claims.js';
import { openEngines, openStore, systemClock } from '../storage/engines.js';
import type { StageBounds } from './memory-plan.js';
import type { AgedRows } from '#libs/state';
import { StageMetrics } from './stage-metrics.js';
import { startTrimming } from '../storage/state-upkeep.js';
import type { StageEntry } from '../stages.js';
import type { UnreadableRows } from './unreadable-rows.js';
import type { Pulse, ThreadName } from '../watchdog/watchdog.js';

/** Stages that run in this thread. */
export interface StageHost {
  /** Where the API listens, if its stage runs here. */
  readonly httpPort: number | undefined;
  /** Where devices post, if that stage runs here and has a port of its own. */
  readonly intakePort: number | undefined;
  /** If one of the stages needs it. */
  readonly store: TimeSeriesStore | undefined;
  /** What the stages count, in Prometheus' text format. */
  metricsText(): Promise<string>;
  readonly unreadableRows: UnreadableRows;
  stop(): Promise<void>;
}

export interface StageHostOptions {
  readonly config: LoadedConfig;
  readonly logger: Logger;
  readonly pulse: Pulse;
  /** Threads that `health` watches: those of this process. */
  readonly threads: readonly ThreadName[];
  /** Of each stage; all by default. */
  readonly shards?: readonly number[] | undefined;
  /** Of what a stage holds, where the heap is bounded. */
  readonly bounds?: StageBounds;
}

/** Whoever runs this stage also keeps the store in order, and the journal: once in an installation. */
const KEEPER = 'writer';
/** Whoever runs this stage also serves the API. */
const SERVER = 'gateway';

/**
 * Starts stages in this thread, with what goes with them: the store and its upkeep, the API.
 *
 * @throws PantauError that names what is wrong and the remedy; everything that was opened is closed again
 */
export async function startStages(
  stages: readonly StageEntry[],
  { config, logger, pulse, threads, shards, bounds }: StageHostOptions,
): Promise<StageHost> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  const runs = (name: string): boolean => stages.some((stage) => stage.name === name);
  try {
    const engines = await openEngines(config, systemClock);
    closers.push(() => engines.close());
    const { journal, state } = engines;
    const own = shardsOf(journal.shards, shards);
    const claims = { state, clock: systemClock, logger };
    const namesOf = (isReading: boolean): string[] =>
      stages.filter(({ reads }) => reads.length > 0 === isReading).map(({ name }) => name);
    closers.push(await claimShards(namesOf(true), own, claims));
    // What reads nothing cannot be split by what it reads.
    closers.push(await claimShards(namesOf(false), shardsOf(journal.shards, undefined), claims));
    const metrics = new StageMetrics(journal);
    let intakePort: number | undefined;
    let store: TimeSeriesStore | undefined;
    if (stages.some(({ needsStore }) => needsStore)) {
      const opened = metrics.watch(await openStore(config));
      store = opened;
      closers.push(() => opened.close());
    }
    const parts = {
      config,
      engines,
      store(): TimeSeriesStore {
        if (store === undefined) throw new PantauError('USAGE', 'no stage of this process needs a store.');
        return store;
      },
      onListening: (port: number) => (intakePort = port),
    };
    const keeping = runs(KEEPER) ? await import('../storage/store-upkeep.js') : undefined;
    if (keeping !== undefined) closers.push(keeping.setUpStore(parts.store(), logger));
    const aged: AgedRows[] = [];
    for (const stage of stages) {
      aged.push(...(await stage.trims()));
      const declared = await stage.prepare(parts);
      closers.push(
        await startStage(declared, undefined, {
          ...{ journal, state, clock: systemClock, logger: new NestLogger(logger), shards: own, ...bounds },
          // Only for the jitter of back-off.
          random: seededRandom(systemClock.now()),
        }),
      );
    }
    let httpPort: number | undefined;
    if (runs(SERVER)) {
      const { startApi } = await import('./api.js');
      const api = await startApi(parts, { logger, pulse, threads });
      closers.push(() => api.close());
      httpPort = api.port;
    }
    closers.push(startTrimming(state, aged, config.journal.retention, systemClock, logger));
    if (keeping !== undefined) {
      closers.push(keeping.startRetention(engines, parts.store(), config, logger));
      closers.push(keeping.startArchive(engines, parts.store(), config, logger));
    }
    return {
      store,
      httpPort,
      intakePort,
      metricsText: () => metrics.text(),
      unreadableRows: engines.unreadableRows,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws PantauError `USAGE` for a shard that the journal does not have */
function shardsOf(count: number, wanted: readonly number[] | undefined): readonly number[] {
  const all = Array.from({ length: count }, (_, shard) => shard);
  const unknown = wanted?.filter((shard) => !all.includes(shard)) ?? [];
  if (unknown.length > 0)
    throw new PantauError('USAGE', `no shard ${unknown.join(', ')}: the journal has 0 to ${count - 1}.`);
  return wanted ?? all;
}
