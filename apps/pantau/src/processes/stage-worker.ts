import 'reflect-metadata';
import { messageOf, PantauError, type ErrorCode } from '#libs/kernel';
import { createLogger, type LoadedConfig } from '#libs/platform';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { startStages, type StageHost } from './stage-host.js';
import type { UnreadableRows } from './unreadable-rows.js';
import { stageBounds, type ThreadPlan } from './memory-plan.js';
import { stagesIn, type StageThread } from '../stages.js';
import { Pulse, type ThreadName } from '../watchdog/watchdog.js';

/** What a thread of stages is started with. */
export interface StageThreadData {
  readonly config: LoadedConfig;
  readonly thread: ThreadPlan;
  /** Of all threads of the process. */
  readonly names: readonly ThreadName[];
  /** {@link Pulse.cells} */
  readonly cells: Int32Array<SharedArrayBuffer>;
}

/** What the main thread tells the stages. A question carries an id, under which it is answered. */
export type StageRequest = { readonly type: 'stop' } | ({ readonly id: number } & StageQuestion);

export type StageQuestion =
  | { readonly type: 'count'; readonly site: string }
  | { readonly type: 'metrics' }
  | { readonly type: 'unreadable-rows' };

/** What the stages tell the main thread. */
export type StageAnswer =
  | {
      readonly type: 'ready';
      readonly httpPort: number | undefined;
      readonly intakePort: number | undefined;
      readonly store: string | undefined;
    }
  | {
      readonly type: 'failed';
      readonly code: ErrorCode | undefined;
      readonly detail: string;
      readonly remedy: string | undefined;
    }
  | { readonly type: 'answer'; readonly id: number; readonly value: number | string | UnreadableRows }
  | { readonly type: 'refusal'; readonly id: number; readonly detail: string };

/**
 * Niceness of the stages' threads: under load, acknowledging devices goes before catching up with what they said. A
 * stage that is kept waiting while it holds LMDB's lock keeps no uplink waiting: those have an environment of their own.
 */
const NICENESS = 10;
/** The thread that acknowledges devices itself. */
const INTAKE: StageThread = 'http-intake';

/** Runs stages in a thread of their own, so that no amount of work behind the broker delays an acknowledgement. */
async function main({ config, thread, names, cells }: StageThreadData): Promise<void> {
  // Linux gives a priority to a thread; elsewhere 0 would mean the whole process.
  if (process.platform === 'linux' && thread.name !== INTAKE) setPriority(0, NICENESS);
  let host: StageHost;
  const pulse = new Pulse(cells);
  try {
    const logger = createLogger(config.log.level, 'pantau');
    const bounds = stageBounds(thread, config.journal.shards);
    host = await startStages(stagesIn(thread.runs), { config, logger, pulse, threads: names, bounds });
  } catch (error) {
    const known = error instanceof PantauError ? error : undefined;
    answer({
      type: 'failed',
      code: known?.code,
      detail: known?.detail ?? messageOf(error),
      remedy: known?.remedy,
    });
    return;
  }
  const endBeats = pulse.beat(thread.name);
  parentPort?.on('message', (request: StageRequest) => {
    if (request.type === 'stop') {
      // The thread ends by itself once nothing is open any more.
      void host.stop().then(() => {
        endBeats();
        parentPort?.close();
      });
      return;
    }
    const { id } = request;
    answerOf(request, host).then(
      (value) => answer({ type: 'answer', id, value }),
      (error: unknown) => answer({ type: 'refusal', id, detail: messageOf(error) }),
    );
  });
  const { httpPort, intakePort, store } = host;
  answer({ type: 'ready', httpPort, intakePort, store: store?.description });
}

async function answerOf(question: StageQuestion, host: StageHost): Promise<number | string | UnreadableRows> {
  if (question.type === 'unreadable-rows') return host.unreadableRows;
  if (question.type === 'metrics') return host.metricsText();
  if (host.store === undefined) throw new Error('this thread has no store');
  return host.store.count({ site: question.site });
}

function answer(message: StageAnswer): void {
  parentPort?.postMessage(message);
}

await main(workerData as StageThreadData);
