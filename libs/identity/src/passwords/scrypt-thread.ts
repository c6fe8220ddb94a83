import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface ScryptRequest {
  readonly password: string;
  readonly salt: Uint8Array;
  readonly bytes: number;
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

/**
 * Text, because the thread needs nothing of Pantau and shall be the same from sources and when built. Linux gives a
 * priority to a thread; elsewhere 0 would mean the whole process. Not the lowest, or a backlog of the stages would keep
 * devices out after a restart.
 */
const PROGRAM = `
const { scryptSync } = require('node:crypto');
const { setPriority } = require('node:os');
const { parentPort } = require('node:worker_threads');
if (process.platform === 'linux') setPriority(0, 5);
parentPort.on('message', ({ password, salt, bytes, ...options }) =>
  parentPort.postMessage(scryptSync(password, salt, bytes, { maxmem: 128 * 1024 * 1024, ...options })),
);
`;

/**
 * Computes scrypt, one request at a time, in a thread of its own that yields to all others. In Node's pool of four
 * threads, guessed passwords would stand before the commits of the journal, and share the cores with them as equals.
 */
export class ScryptThread {
  #worker: Worker | undefined;

  async derive(request: ScryptRequest): Promise<Buffer> {
    const worker = (this.#worker ??= this.#start());
    // Only an open request keeps the process alive.
    worker.ref();
    worker.postMessage(request);
    try {
      const [hash] = (await once(worker, 'message')) as [Uint8Array];
      return Buffer.from(hash);
    } finally {
      worker.unref();
    }
  }

  #start(): Worker {
    const worker = new Worker(PROGRAM, { eval: true });
    // Rejects what waits for a message; the next request gets a new thread.
    worker.once('error', () => (this.#worker = undefined));
    return worker;
  }
}
