import { PantauError } from '#libs/kernel';
import type { LoadedConfig, Logger } from '#libs/platform';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startBroker } from './broker-host.js';
import type { Engines } from '../storage/engines.js';
import { startMetricsServer } from './metrics-server.js';
import type { StageAnswer, StageQuestion, StageRequest, StageThreadData } from './stage-worker.js';
import { caughtUp, STAGE_THREADS, type StageThread as StageThreadName } from '../stages.js';
import { unreadableRowsMetrics, type UnreadableRows } from './unreadable-rows.js';
import { pulseMetrics } from '../watchdog/watchdog.js';
import { withProcess } from './with-process.js';

/** A batch lives until its commit. In the small default space the collector would copy it over and over meanwhile. */
const YOUNG_GENERATION_MB = 128;

/**
 * Pantau in one process: the broker in the main thread, and a thread each for what devices post, for ingest, for what draws
 * conclusions from readings, and for what keeps them, with the API.
 */
export interface Runtime extends Engines {
  /** Which time-series store, for people. */
  readonly store: string;
  readonly mqttPort: number;
  readonly httpPort: number;
  /** Where devices post; undefined where they share the port of the API. */
  readonly intakePort: number | undefined;
  /** The token of the first admin, when this start made it. */
  readonly firstAdminToken: string | undefined;
  /** What a link for the first administrator needs, while there is none. */
  readonly setupLink: string | undefined;
  /** Rejects when the stages die unasked. */
  readonly failed: Promise<never>;
  /** Number of stored readings of a site. */
  count(site: string): Promise<number>;
  /** Resolves when every stage has read all there is, or when the signal aborts. */
  caughtUp(signal?: AbortSignal): Promise<void>;
  /** Stops input first and storage last; loses nothing that was acknowledged. */
  stop(): Promise<void>;
}

/**
 * Starts Pantau in this process.
 *
 * @throws PantauError that names what is wrong and the remedy; everything that was opened is closed again
 */
export async function startPantau(config: LoadedConfig, logger: Logger): Promise<Runtime> {
  return withProcess(config, async ({ engines, pulse, firstAdminToken, closes, stop }) => {
    const { journal } = engines;

    // All at once: most of a start is loading code. Each is closed whatever becomes of the others, and input first.
    const starting = STAGE_THREADS.map((name) =>
      startStageThread({ config, thread: name, cells: pulse.cells }),
    );
    for (const started of await Promise.allSettled(starting))
      if (started.status === 'fulfilled') closes(() => started.value.stop());
    const threads = await Promise.all(starting);
    const threadOf = (name: StageThreadName): RunningThread =>
      threads[STAGE_THREADS.indexOf(name)] as RunningThread;
    const stages = threadOf('store');
    const failed = Promise.race(threads.map((thread) => thread.failed));
    // Whoever waits for it sees it; nobody has to.
    failed.catch(() => undefined);
    const broker = await startBroker(config, engines, logger);
    closes(() => broker.close());
    const lags = pulseMetrics(pulse);
    const unreadable = unreadableRowsMetrics(async () => [
      engines.unreadableRows,
      ...(await Promise.all(threads.map((thread) => thread.unreadableRows()))),
    ]);
    const metrics = await startMetricsServer(config.metrics, async () =>
      [await broker.metricsText(), await stages.metricsText(), await unreadable(), await lags()].join('\n'),
    );
    if (metrics !== undefined) closes(() => metrics.close());

    return {
      ...engines,
      store: stages.store ?? '',
      mqttPort: broker.port,
      httpPort: stages.httpPort ?? 0,
      intakePort: threadOf('http-intake').intakePort,
      firstAdminToken,
      setupLink: await engines.users.setupLink(),
      failed,
      count: (site) => stages.count(site),
      caughtUp: (signal) => caughtUp(journal, signal),
      stop,
    };
  });
}

/** The port and the store are those of the thread that has them. */
interface RunningThread {
  readonly httpPort: number | undefined;
  readonly intakePort: number | undefined;
  readonly store: string | undefined;
  readonly failed: Promise<never>;
  count(site: string): Promise<number>;
  metricsText(): Promise<string>;
  unreadableRows(): Promise<UnreadableRows>;
  stop(): Promise<void>;
}

async function startStageThread(workerData: StageThreadData): Promise<RunningThread> {
  const worker = new Worker(new URL('./stage-worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let stopping = false;
  const failed = new Promise<never>((_resolve, reject) => {
    worker.once('error', (cause: Error) => reject(new Error('the stages failed', { cause })));
    worker.once('exit', (code) => {
      if (!stopping) reject(new Error(`the stages ended with code ${code}`));
    });
  });
  // Whoever waits for it sees it; nobody has to.
  failed.catch(() => undefined);
  const tell = (request: StageRequest): void => worker.postMessage(request);

  const [first] = (await Promise.race([once(worker, 'message'), failed])) as [StageAnswer];
  if (first.type === 'failed') {
    stopping = true;
    await worker.terminate();
    const { code, detail, remedy } = first;
    throw code === undefined
      ? new Error(detail)
      : new PantauError(code, detail, remedy === undefined ? {} : { remedy });
  }
  if (first.type !== 'ready') throw new Error(`unexpected answer of the stages: ${first.type}`);

  let questions = 0;
  const open = new Map<number, (answer: StageAnswer) => void>();
  worker.on('message', (answer: StageAnswer) => {
    if (answer.type !== 'answer' && answer.type !== 'refusal') return;
    open.get(answer.id)?.(answer);
    open.delete(answer.id);
  });
  const ask = async (question: StageQuestion): Promise<number | string | UnreadableRows> => {
    const id = ++questions;
    const answered = new Promise<StageAnswer>((resolve) => open.set(id, resolve));
    tell({ ...question, id });
    const answer = await Promise.race([answered, failed]);
    if (answer.type === 'answer') return answer.value;
    throw new Error(
      answer.type === 'refusal' ? answer.detail : `unexpected answer of the stages: ${answer.type}`,
    );
  };
  return {
    httpPort: first.httpPort,
    intakePort: first.intakePort,
    store: first.store,
    failed,
    count: async (site) => Number(await ask({ type: 'count', site })),
    metricsText: async () => (await ask({ type: 'metrics' })) as string,
    unreadableRows: async () => (await ask({ type: 'unreadable-rows' })) as UnreadableRows,
    async stop() {
      stopping = true;
      tell({ type: 'stop' });
      await ended;
    },
  };
}
