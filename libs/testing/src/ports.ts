import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports below those that systems give to whoever names none (Linux from 32768, others from 49152). A port from among
 * those may be given to any connection between here and the start of the server that it is meant for.
 */
const [FIRST, END] = [12_000, 32_768];
/** Each worker of a run takes ports of its own. */
const SLICE = 640;

let next: number | undefined;

/** A port of the loopback interface that is free now, and that nobody else is given meanwhile. */
export async function freePort(): Promise<number> {
  const slices = Math.floor((END - FIRST) / SLICE);
  const first = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % slices) * SLICE;
  // Elsewhere each time: what another suite, or another run, has not let go of yet is not asked for again.
  next ??= Math.floor(Math.random() * SLICE);
  for (let tries = 0; tries < SLICE; tries++) {
    const port = first + (next++ % SLICE);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of the ports from ${first} to ${first + SLICE - 1} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
