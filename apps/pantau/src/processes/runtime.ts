import { PantauError } from '#libs/kernel';
import type { LoadedConfig, Logger } from '#libs/platform';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startBroker } from './broker-host.js';
import type { Engines } from '../storage/engines.js';
import { memoryPlan, threadNames } from './memory-plan.js';
import { startMetricsServer } from './metrics-server.js';
import { startStages } from './stage-host.js';
import type { StageAnswer, StageQuestion, StageRequest, StageThreadData } from './stage-worker.js';
import { caughtUp, stagesIn } from '../stages.js';
import { unreadableRowsMetrics, type UnreadableRows } from './unreadable-rows.js';
import { pulseMetrics } from '../watchdog/watchdog.js';
import { withProcess } from './with-process.js';

/**
 * Pantau in one process: the broker in the main thread, and what devices post, ingest, what draws conclusions from readings, and what keeps them,
 * with the API, in as many threads as fit into the memory.
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
  const plan = memoryPlan(config);
  return withProcess(config, async ({ engines, pulse, firstAdminToken, closes, stop }) => {
    const { journal } = engines;
    const names = threadNames(plan);
    logger.info({ memory: config.memory, threads: names }, 'memory is divided');

    // All at once: most of a start is loading code. Each is closed whatever becomes of the others, and input first.
    const starting = plan.threads.map((thread) =>
      startStageThread({ config, thread, names, cells: pulse.cells }),
    );
    for (const started of await Promise.allSettled(starting))
      if (started.status === 'fulfilled') closes(() => started.value.stop());
    const threads = await Promise.all(starting);
    const stages = threads[plan.threads.findIndex(({ name }) => name === 'store')] as RunningThread;
    const inMain =
      plan.inMain.length === 0
        ? undefined
        : await startStages(stagesIn(plan.inMain), { config, logger, pulse, threads: names });
    closes(async () => inMain?.stop());
    const failed = Promise.race(threads.map((thread) => thread.failed));
    // Whoever waits for it sees it; nobody has to.
    failed.catch(() => undefined);
    const broker = await startBroker(config, engines, logger);
    closes(() => broker.close());
    const lags = pulseMetrics(pulse);
    const unreadable = unreadableRowsMetrics(async () => [
      engines.unreadableRows,
      inMain?.unreadableRows ?? {},
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
      intakePort: [inMain, ...threads].find((host) => host?.intakePort !== undefined)?.intakePort,
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
  const { youngMb, oldMb } = workerData.thread;
  const worker = new Worker(new URL('./stage-worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: youngMb, maxOldGenerationSizeMb: oldMb },
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
