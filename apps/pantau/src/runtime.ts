import { AlertsModule } from '#apps/alerts';
import { Broker, BrokerModule } from '#apps/broker';
import { EvidenceModule } from '#apps/evidence';
import { ProjectionModule, startGateway } from '#apps/gateway';
import { IngestModule } from '#apps/ingest';
import { WriterModule } from '#apps/writer';
import { rulesFileSchema } from '#libs/alerting';
import { deviceSchema, siteSchema } from '#libs/identity';
import { createStage } from '#libs/journal-transport';
import { MINUTE, seededRandom, type Clock } from '#libs/kernel';
import {
  configFile,
  duration,
  NestLogger,
  readYamlFile,
  type LoadedConfig,
  type Logger,
} from '#libs/platform';
import { InfluxStore, type TimeSeriesStore } from '#libs/timeseries';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { openEngines, openStore, systemClock, type Engines } from './engines.js';
import { caughtUp, STAGES } from './stages.js';

/** Pantau in one process. */
export interface Runtime extends Engines {
  readonly store: TimeSeriesStore;
  readonly mqttPort: number;
  readonly httpPort: number;
  /** The token of the first admin, when this start made it. */
  readonly firstAdminToken: string | undefined;
  /** Resolves when every stage has read all there is, or when the signal aborts. */
  caughtUp(signal?: AbortSignal): Promise<void>;
  /** Stops input first and storage last; loses nothing that was acknowledged. */
  stop(): Promise<void>;
}

const RETENTION_PERIOD = 10 * MINUTE;
const STORE_RETRY_MS = 5_000;

/** `sites.yaml` */
const sitesFileSchema = z.strictObject({
  sites: z.array(siteSchema).default([]),
  devices: z.array(deviceSchema.omit({ intervalMs: true }).extend({ interval: duration })).default([]),
});

/**
 * Starts every stage in this process.
 *
 * @throws PantauError that names what is wrong and the remedy; everything that was opened is closed again
 */
export async function startPantau(
  config: LoadedConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<Runtime> {
  // Read everything that can be wrong before anything is opened.
  const { rules } = readYamlFile(configFile(config, config.rules), rulesFileSchema);
  const declared = readYamlFile(configFile(config, config.sites), sitesFileSchema);
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const engines = await openEngines(config, clock);
    closers.push(() => engines.close());
    const { journal, state, registry, credentials, tokens } = engines;
    const store = await openStore(config);
    closers.push(() => store.close());
    closers.push(setUpStore(store, logger));

    for (const site of declared.sites) await registry.putSite(site);
    for (const { interval, ...device } of declared.devices)
      await registry.putDevice({ ...device, intervalMs: interval });
    const firstAdminToken = await tokens.createFirstAdmin();

    const policy = { maxFutureMs: config.ingest.maxFuture, oldest: Date.parse(config.ingest.oldest) };
    const modules: Readonly<Record<keyof typeof STAGES, DynamicModule>> = {
      ingest: IngestModule.register(policy),
      writer: WriterModule.register(store, clock),
      alerts: AlertsModule.register(rules, registry),
      evidence: EvidenceModule.register(config.livenessBeat),
      gateway: { module: ProjectionModule },
    };
    const nestLogger = new NestLogger(logger);
    for (const stage of Object.keys(STAGES).reverse() as (keyof typeof STAGES)[]) {
      const app = await createStage(modules[stage], {
        stage,
        journal,
        state,
        clock,
        // Only for the jitter of back-off.
        random: seededRandom(clock.now()),
        logger: nestLogger,
      });
      await app.listen();
      closers.push(() => app.close());
    }

    const gateway = await startGateway({ ...engines, store }, tokens, { ...config.http, logger });
    closers.push(() => gateway.close());
    closers.push(startRetention(engines, config, logger));
    const broker = await startBroker(
      { ...config.mqtt, livenessBeatMs: config.livenessBeat },
      { journal, registry, credentials, clock, logger },
    );
    closers.push(() => broker.close());

    return {
      ...engines,
      store,
      mqttPort: broker.get(Broker).port,
      httpPort: (gateway.getHttpServer().address() as AddressInfo).port,
      firstAdminToken,
      stop,
      caughtUp: (signal) => caughtUp(journal, signal),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBroker(
  ...[options, dependencies]: Parameters<typeof BrokerModule.register>
): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(BrokerModule.register(options, dependencies), {
    logger: new NestLogger(dependencies.logger),
    abortOnError: false,
  });
}

/** Prepares InfluxDB, now or when it comes up: its absence must not keep Pantau from taking readings. */
function setUpStore(store: TimeSeriesStore, logger: Logger): () => Promise<void> {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    while (store instanceof InfluxStore && !stop.signal.aborted) {
      try {
        await store.setUp();
        return;
      } catch (error) {
        logger.warn({ err: error }, 'the time-series store is not ready; readings wait in the journal');
        await delay(STORE_RETRY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
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
  };
  const timer = setInterval(() => {
    running = run().catch((error: unknown) => logger.error({ err: error }, 'retention failed'));
  }, RETENTION_PERIOD);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
