import 'reflect-metadata';
import { messageOf, PantauError, type ErrorCode } from '#libs/kernel';
import { createLogger, type LoadedConfig } from '#libs/platform';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import {
  startConclusions,
  startIngest,
  startStages,
  type StageHost,
  type StoreStageHost,
} from './stage-host.js';
import { Pulse, type ThreadName } from './watchdog.js';

/** What a thread of stages is started with. */
export interface StageThreadData {
  readonly config: LoadedConfig;
  readonly part: Exclude<ThreadName, 'main'>;
  /** {@link Pulse.cells} */
  readonly cells: Int32Array<SharedArrayBuffer>;
}

/** What the main thread tells the stages. A question carries an id, under which it is answered. */
export type StageRequest = { readonly type: 'stop' } | ({ readonly id: number } & StageQuestion);

export type StageQuestion = { readonly type: 'count'; readonly site: string } | { readonly type: 'metrics' };

/** What the stages tell the main thread. */
export type StageAnswer =
  | { readonly type: 'ready'; readonly httpPort: number | undefined; readonly store: string | undefined }
  | {
      readonly type: 'failed';
      readonly code: ErrorCode | undefined;
      readonly detail: string;
      readonly remedy: string | undefined;
    }
  | { readonly type: 'answer'; readonly id: number; readonly value: number | string }
  | { readonly type: 'refusal'; readonly id: number; readonly detail: string };

/**
 * Niceness of the stages' threads: under load, acknowledging devices goes before catching up with what they said. A
 * stage that is kept waiting while it holds LMDB's lock keeps no uplink waiting: those have an environment of their own.
 */
const NICENESS = 10;

/** Runs stages in a thread of their own, so that no amount of work behind the broker delays an acknowledgement. */
async function main({ config, part, cells }: StageThreadData): Promise<void> {
  // Linux gives a priority to a thread; elsewhere 0 would mean the whole process.
  if (process.platform === 'linux') setPriority(0, NICENESS);
  let stages: StageHost;
  let withStore: StoreStageHost | undefined;
  const pulse = new Pulse(cells);
  try {
    const logger = createLogger(config.log.level, 'pantau');
    if (part === 'ingest') stages = await startIngest(config, logger);
    else if (part === 'conclusions') stages = await startConclusions(config, logger);
    else stages = withStore = await startStages(config, logger, pulse);
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
  const endBeats = pulse.beat(part);
  parentPort?.on('message', (request: StageRequest) => {
    if (request.type === 'stop') {
      // The thread ends by itself once nothing is open any more.
      void stages.stop().then(() => {
        endBeats();
        parentPort?.close();
      });
      return;
    }
    const { id } = request;
    answerOf(request, withStore).then(
      (value) => answer({ type: 'answer', id, value }),
      (error: unknown) => answer({ type: 'refusal', id, detail: messageOf(error) }),
    );
  });
  answer({ type: 'ready', httpPort: withStore?.httpPort, store: withStore?.store.description });
}

async function answerOf(
  question: StageQuestion,
  stages: StoreStageHost | undefined,
): Promise<number | string> {
  if (stages === undefined) throw new Error('this thread has no store');
  return question.type === 'count' ? stages.store.count({ site: question.site }) : stages.metricsText();
}

function answer(message: StageAnswer): void {
  parentPort?.postMessage(message);
}

await main(workerData as StageThreadData);
