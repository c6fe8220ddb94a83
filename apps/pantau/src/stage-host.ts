import { AlertsModule } from '#apps/alerts';
import { EvidenceModule } from '#apps/evidence';
import { FullCheckJob, ProjectionModule, startGateway } from '#apps/gateway';
import { IngestModule } from '#apps/ingest';
import { TiersModule, WriterModule } from '#apps/writer';
import { rulesFileSchema } from '#libs/alerting';
import { createStage } from '#libs/journal-transport';
import { MINUTE, PantauError, seededRandom } from '#libs/kernel';
import { configFile, NestLogger, readYamlFile, type LoadedConfig, type Logger } from '#libs/platform';
import { Archive, type TimeSeriesStore } from '#libs/timeseries';
import type { DynamicModule } from '@nestjs/common';
import type { AddressInfo } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ingestOptions } from './ingest-options.js';
import { fullCheckInThread } from './full-check-thread.js';
import { openEngines, openStore, systemClock, type Engines } from './engines.js';
import { StageMetrics } from './stage-metrics.js';
import { STAGES } from './stages.js';
import { verify } from './verification.js';
import { THREADS, type Pulse } from './watchdog.js';

/** Stages that run in this thread. */
export interface StageHost {
  stop(): Promise<void>;
}

/** Those that need the time-series store, with the API. */
export interface StoreStageHost extends StageHost {
  readonly store: TimeSeriesStore;
  readonly httpPort: number;
  /** What the stages count, in Prometheus' text format. */
  metricsText(): Promise<string>;
}

const RETENTION_PERIOD = 10 * MINUTE;
const ARCHIVE_PERIOD = 10 * MINUTE;
const STORE_RETRY_MS = 5_000;
const STORE_RETRY_MAX_MS = 10 * MINUTE;
/** A broker that misses this many beats is gone. */
const BEATS_MISSED = 3;

/**
 * Starts the stage that decodes and judges what devices send.
 *
 * @throws PantauError that names what is wrong and the remedy; everything that was opened is closed again
 */
export async function startIngest(config: LoadedConfig, logger: Logger): Promise<StageHost> {
  return started(async (closers) => {
    const engines = await openEngines(config, systemClock);
    closers.push(() => engines.close());
    const module = IngestModule.register(await ingestOptions(config, engines.registry));
    closers.push(await listen('ingest', module, engines, logger));
    return {};
  });
}

/**
 * Starts the stages that draw conclusions from readings: alerts and evidence. They need no store, and neither its pace nor
 * what is asked of the API holds up an alert.
 *
 * @throws PantauError that names what is wrong and the remedy; everything that was opened is closed again
 */
export async function startConclusions(config: LoadedConfig, logger: Logger): Promise<StageHost> {
  const { rules } = readYamlFile(configFile(config, config.rules), rulesFileSchema);
  return started(async (closers) => {
    const engines = await openEngines(config, systemClock);
    closers.push(() => engines.close());
    const { registry } = engines;
    const { qcLimits } = await ingestOptions(config, registry);
    const evidence = EvidenceModule.register(config.livenessBeat, registry, qcLimits);
    closers.push(await listen('evidence', evidence, engines, logger));
    closers.push(await listen('alerts', AlertsModule.register(rules, registry), engines, logger));
    return {};
  });
}

/**
 * Starts the stages that keep readings, and the API.
 *
 * @throws PantauError that names what is wrong and the remedy; everything that was opened is closed again
 */
export async function startStages(
  config: LoadedConfig,
  logger: Logger,
  pulse: Pulse,
): Promise<StoreStageHost> {
  const clock = systemClock;
  return started(async (closers) => {
    const engines = await openEngines(config, clock);
    closers.push(() => engines.close());
    const { journal, registry, tokens } = engines;
    const metrics = new StageMetrics(journal);
    const store = metrics.watch(await openStore(config));
    closers.push(() => store.close());
    closers.push(setUpStore(store, logger));

    const ingest = await ingestOptions(config, registry);
    const projection = ProjectionModule.register(config.mqtt.flapGrace);
    closers.push(await listen('gateway', projection, engines, logger));
    closers.push(await listen('tiers', TiersModule.register(store, registry, clock), engines, logger));
    closers.push(await listen('writer', WriterModule.register(store, registry, clock), engines, logger));
    const presencePolicy = {
      graceMs: config.mqtt.flapGrace,
      brokerSilenceMs: BEATS_MISSED * config.livenessBeat,
    };
    const { rules } = readYamlFile(configFile(config, config.rules), rulesFileSchema);
    const fullCheck = new FullCheckJob(fullCheckInThread(config, store), clock);
    closers.push(() => fullCheck.cancel());
    const watched = {
      stages: STAGES,
      threads: () => THREADS.map((name) => ({ name, lagMs: pulse.lagMs(name) })),
    };
    const dependencies = {
      ...{ ...engines, store, fullCheck, presencePolicy, rules, clock, watched },
      verify: (indicator: string, device: string, date: string) =>
        verify(
          {
            ...{ engines, ingest, livenessBeat: config.livenessBeat, store },
            keptFrom: clock.now() - config.store.retention.raw,
          },
          indicator,
          device,
          date,
        ),
    };
    const { limits, maxPayloadBytes } = config.mqtt;
    const uplinks = {
      ...engines,
      clock,
      timePolicy: ingest.timePolicy,
      codecs: new Set(ingest.codecs.keys()),
      maxPayloadBytes,
      authFailures: limits.authFailuresPerAddress,
      messagesPerDevice: limits.messagesPerDevice,
    };
    const gateway = await startGateway(dependencies, tokens, { ...config.http, logger, uplinks });
    closers.push(() => gateway.close());
    closers.push(startRetention(engines, store, config, logger));
    closers.push(startArchive(engines, store, config, logger));
    const { port } = gateway.getHttpServer().address() as AddressInfo;
    return { store, httpPort: port, metricsText: () => metrics.text() };
  });
}

type Closers = (() => Promise<unknown>)[];

/** Runs a start, whose closers are called in reverse order by `stop`, or at once when it fails. */
async function started<T extends object>(start: (closers: Closers) => Promise<T>): Promise<T & StageHost> {
  const closers: Closers = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    return { ...(await start(closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @returns what stops the stage */
async function listen(
  stage: keyof typeof STAGES,
  module: DynamicModule,
  { journal, state }: Engines,
  logger: Logger,
): Promise<() => Promise<void>> {
  const app = await createStage(module, {
    stage,
    journal,
    state,
    clock: systemClock,
    // Only for the jitter of back-off.
    random: seededRandom(systemClock.now()),
    logger: new NestLogger(logger),
  });
  await app.listen();
  return () => app.close();
}

/**
 * Prepares the store, now or when it comes up: its absence must not keep Pantau from taking readings, and nor must a
 * retention that this account may not set.
 */
function setUpStore(store: TimeSeriesStore, logger: Logger): () => Promise<void> {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    for (let pause = STORE_RETRY_MS; !stop.signal.aborted; pause = Math.min(2 * pause, STORE_RETRY_MAX_MS)) {
      try {
        for (const change of await store.setUp()) logger.info(`time-series store: ${change}`);
        return;
      } catch (error) {
        logger.warn({ err: error }, 'the time-series store is not as configured yet');
        // What is away may be back at any moment; what is set up wrongly waits for a person.
        if (!(error instanceof PantauError) || error.code !== 'STORE_CONFIG') pause = STORE_RETRY_MS;
        await delay(pause, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}

/** Drops what the configuration allows, and says when a stage holds old entries back or has lost some. */
function startRetention(
  { journal }: Engines,
  store: TimeSeriesStore,
  { journal: { retention } }: LoadedConfig,
  logger: Logger,
): () => Promise<void> {
  let running = Promise.resolve();
  const run = async (): Promise<void> => {
    for (const [stream, { maxAge, maxBytes, unread }] of Object.entries(retention)) {
      const policy = {
        unread,
        ...(maxAge === undefined ? {} : { maxAge }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
      };
      for (const report of await journal.retain(stream, policy)) {
        if (report.cursors.length > 0)
          logger.warn({ ...report }, 'retention met entries that a stage has not read');
      }
    }
    const rows = await store.expire();
    if (rows > 0) logger.info({ rows }, 'the store deleted what is older than store.retention');
  };
  const timer = setInterval(() => {
    running = run().catch((error: unknown) => logger.error({ err: error }, 'retention failed'));
  }, RETENTION_PERIOD);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Writes the days that are over into Parquet files, now and from time to time. */
function startArchive(
  { state, registry }: Engines,
  store: TimeSeriesStore,
  { archive: section, data, store: { retention } }: LoadedConfig,
  logger: Logger,
): () => Promise<void> {
  if (section === undefined) return () => Promise.resolve();
  const archive = new Archive({
    store,
    state,
    clock: systemClock,
    folder: isAbsolute(section.folder) ? section.folder : join(data, section.folder),
    afterMs: section.after,
    keptMs: retention.raw,
    devices: async () => (await registry.devices()).map(({ id }) => id),
  });
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        for (const day of await archive.run(stop.signal)) logger.info({ ...day }, 'a day was archived');
      } catch (error) {
        logger.warn({ err: error }, 'the archive is not complete; it is tried again');
      }
      await delay(ARCHIVE_PERIOD, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return async () => {
    stop.abort();
    await running;
  };
}
