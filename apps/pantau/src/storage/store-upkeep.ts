import { forgetAccountDays } from '#libs/journal-transport';
import { defined, MINUTE, PantauError } from '#libs/kernel';
import type { LoadedConfig, Logger } from '#libs/platform';
import type { StreamName } from '#libs/streams';
import { Archive, type TimeSeriesStore } from '#libs/timeseries';
import { isAbsolute, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Engines } from './engines.js';
import { exportMemory } from './store-memory.js';

const RETENTION_PERIOD = 10 * MINUTE;
const ARCHIVE_PERIOD = 10 * MINUTE;
const STORE_RETRY_MS = 5_000;
const STORE_RETRY_MAX_MS = 10 * MINUTE;

/**
 * Prepares the store, now or when it comes up: its absence must not keep Pantau from taking readings, and nor must a
 * retention that this account may not set.
 */
export function setUpStore(store: TimeSeriesStore, logger: Logger): () => Promise<void> {
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
export async function retain(
  { journal, state }: Pick<Engines, 'journal' | 'state'>,
  store: TimeSeriesStore,
  { journal: { retention } }: LoadedConfig,
  logger: Logger,
): Promise<void> {
  for (const [name, { maxAge, maxBytes, unread }] of Object.entries(retention)) {
    const stream = name as StreamName;
    for (const report of await journal.retain(stream, { unread, ...defined({ maxAge, maxBytes }) }))
      if (report.cursors.length > 0)
        logger.warn({ ...report }, 'retention met entries that a stage has not read');
  }
  await forgetAccountDays(state, systemClock.now());
  const rows = await store.expire();
  if (rows > 0) logger.info({ rows }, 'the store deleted what is older than store.retention');
}

/** Does {@link retain} every ten minutes. */
export function startRetention(
  engines: Engines,
  store: TimeSeriesStore,
  config: LoadedConfig,
  logger: Logger,
): () => Promise<void> {
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = retain(engines, store, config, logger).catch((error: unknown) =>
      logger.error({ err: error }, 'retention failed'),
    );
  }, RETENTION_PERIOD);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Writes the days that are over into Parquet files, now and from time to time. */
export function startArchive(
  { state, registry }: Engines,
  store: TimeSeriesStore,
  config: LoadedConfig,
  logger: Logger,
): () => Promise<void> {
  const { archive: section, data } = config;
  const { retention } = config.store;
  if (section === undefined) return () => Promise.resolve();
  const archive = new Archive({
    // The driver is heavy, and most configurations have no archive.
    writeParquet: async (file, pages) =>
      (await import('#libs/engine-duckdb')).writeParquet(file, pages, exportMemory(config)),
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
