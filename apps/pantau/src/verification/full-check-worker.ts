import 'reflect-metadata';
import type { CheckProgress } from '#apps/gateway';
import { messageOf } from '#libs/kernel';
import type { Point, PointQuery } from '#libs/timeseries';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { openEngines } from '../storage/engines.js';
import { checkAll } from './full-check.js';
import type { FullCheckAnswer, FullCheckMessage, FullCheckThreadData } from './full-check-thread.js';

/** Behind everything else that Pantau does. */
const NICENESS = 19;
/** Seldom enough that telling costs nothing. */
const PROGRESS_STEP = 20_000;

async function main({ config, device }: FullCheckThreadData): Promise<void> {
  if (process.platform === 'linux') setPriority(0, NICENESS);
  const abort = new AbortController();
  const open = new Map<number, { resolve(points: Point[]): void; reject(error: Error): void }>();
  let questions = 0;
  parentPort?.on('message', (message: FullCheckAnswer) => {
    if (message.type === 'cancel') {
      abort.abort();
      return;
    }
    const question = open.get(message.id);
    open.delete(message.id);
    if (message.type === 'points') question?.resolve([...message.points]);
    else question?.reject(new Error(message.detail));
  });
  let told = 0;
  const onProgress = (progress: CheckProgress): void => {
    if (progress.done - told < PROGRESS_STEP) return;
    told = progress.done;
    say({ type: 'progress', progress });
  };
  try {
    const engines = await openEngines(config);
    try {
      const query = (asked: PointQuery): Promise<Point[]> =>
        new Promise((resolve, reject) => {
          const id = ++questions;
          open.set(id, { resolve, reject });
          say({ type: 'query', id, query: asked });
        });
      const result = await checkAll(engines, config, { query }, device, abort.signal, onProgress);
      say({ type: 'done', result });
    } finally {
      await engines.close();
    }
  } catch (error) {
    say({ type: 'failed', detail: messageOf(error) });
  } finally {
    parentPort?.close();
  }
}

function say(message: FullCheckMessage): void {
  parentPort?.postMessage(message);
}

await main(workerData as FullCheckThreadData);
