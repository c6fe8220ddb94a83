import 'reflect-metadata';
import { messageOf, PantauError, type ErrorCode } from '#libs/kernel';
import { createLogger, type LoadedConfig } from '#libs/platform';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { startStages, type StageHost } from './stage-host.js';

/** What the main thread tells the stages. A question carries an id, under which it is answered. */
export type StageRequest = { readonly type: 'stop' } | ({ readonly id: number } & StageQuestion);

export type StageQuestion = { readonly type: 'count'; readonly site: string } | { readonly type: 'metrics' };

/** What the stages tell the main thread. */
export type StageAnswer =
  | { readonly type: 'ready'; readonly httpPort: number; readonly store: string }
  | {
      readonly type: 'failed';
      readonly code: ErrorCode | undefined;
      readonly detail: string;
      readonly remedy: string | undefined;
    }
  | { readonly type: 'answer'; readonly id: number; readonly value: number | string }
  | { readonly type: 'refusal'; readonly id: number; readonly detail: string };

/** Niceness of this thread: under load, acknowledging devices goes before catching up with what they said. */
const NICENESS = 10;

/** Linux gives every thread a niceness of its own; elsewhere it would be the process's, so it is left alone. */
function yieldToBroker(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS);
  } catch {
    // Without /proc both threads have equal rights, which is slower for devices and nothing else.
  }
}

/** Runs the stages in a thread of their own, so that no amount of work behind the broker delays an acknowledgement. */
async function main(config: LoadedConfig): Promise<void> {
  yieldToBroker();
  let stages: StageHost;
  try {
    stages = await startStages(config, createLogger(config.log.level, 'pantau'));
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
  parentPort?.on('message', (request: StageRequest) => {
    if (request.type === 'stop') {
      // The thread ends by itself once nothing is open any more.
      void stages.stop().then(() => parentPort?.close());
      return;
    }
    const { id } = request;
    const asked: Promise<number | string> =
      request.type === 'count' ? stages.store.count({ site: request.site }) : stages.metricsText();
    asked.then(
      (value) => answer({ type: 'answer', id, value }),
      (error: unknown) => answer({ type: 'refusal', id, detail: messageOf(error) }),
    );
  });
  answer({ type: 'ready', httpPort: stages.httpPort, store: stages.store.description });
}

function answer(message: StageAnswer): void {
  parentPort?.postMessage(message);
}

await main(workerData as LoadedConfig);
