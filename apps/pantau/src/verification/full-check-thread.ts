import type { CheckProgress, FullCheck, RunFullCheck } from '#apps/gateway';
import { messageOf, PantauError } from '#libs/kernel';
import type { LoadedConfig } from '#libs/platform';
import type { Point, PointQuery, TimeSeriesStore } from '#libs/timeseries';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What a check's thread is started with. */
export interface FullCheckThreadData {
  readonly config: LoadedConfig;
  readonly device: string | undefined;
}

/** What the thread says. It asks for points, because one thread alone can hold the embedded store. */
export type FullCheckMessage =
  | { readonly type: 'progress'; readonly progress: CheckProgress }
  | { readonly type: 'query'; readonly id: number; readonly query: PointQuery }
  | { readonly type: 'done'; readonly result: FullCheck }
  | { readonly type: 'failed'; readonly detail: string };

/** What it is told. */
export type FullCheckAnswer =
  | { readonly type: 'cancel' }
  | { readonly type: 'points'; readonly id: number; readonly points: readonly Point[] }
  | { readonly type: 'refusal'; readonly id: number; readonly detail: string };

/** A check that took more would be a fault; it ends then, and Pantau goes on. */
const MAX_HEAP_MB = 512;
/** It comes beside what the configuration's memory is divided into: nobody checks always. */
const heapMb = ({ memory }: LoadedConfig): number =>
  Math.max(128, Math.min(MAX_HEAP_MB, Math.floor(memory / 4e6)));

/** Runs each check in a thread of its own, so that neither its work nor its memory is the API's. */
export function fullCheckInThread(config: LoadedConfig, store: Pick<TimeSeriesStore, 'query'>): RunFullCheck {
  return async (device, signal, onProgress) => {
    const workerData: FullCheckThreadData = { config, device };
    const worker = new Worker(new URL('./full-check-worker.js', import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMb(config) },
    });
    const tell = (answer: FullCheckAnswer): void => worker.postMessage(answer);
    const cancel = (): void => tell({ type: 'cancel' });
    signal.addEventListener('abort', cancel);
    const exited = once(worker, 'exit');
    try {
      return await new Promise<FullCheck>((resolve, reject) => {
        worker.once('error', reject);
        worker.once('exit', () => reject(new PantauError('CHECK_FAILED', 'the thread of the check ended.')));
        worker.on('message', (message: FullCheckMessage) => {
          if (message.type === 'progress') onProgress(message.progress);
          else if (message.type === 'done') resolve(message.result);
          else if (message.type === 'failed') reject(new PantauError('CHECK_FAILED', message.detail));
          else {
            const { id, query } = message;
            store.query(query).then(
              (points) => tell({ type: 'points', id, points }),
              (error: unknown) => tell({ type: 'refusal', id, detail: messageOf(error) }),
            );
          }
        });
      });
    } finally {
      signal.removeEventListener('abort', cancel);
      // It closes what it opened, and ends by itself.
      await exited.catch(() => undefined);
    }
  };
}
