import { messageOf, SECOND, type Millis } from '#libs/kernel';
import { writeSync } from 'node:fs';

const STANDARD_ERROR = 2;
/** Longer than the longest orderly stop: a full batch, its commit and a request to a slow store. */
export const STOP_WITHIN: Millis = 60 * SECOND;

/**
 * Ends the process when something was thrown that nobody handles, in this thread: what is left of it might listen and
 * answer nothing. What happens in another thread arrives as the failure of that thread.
 */
export function endOnUnhandled(): void {
  process.on('uncaughtException', (error, origin) => endNow(`${origin}: ${error.stack ?? messageOf(error)}`));
}

/** Waits for an orderly stop, but not for ever: a thread that is blocked must not keep the process from ending. */
export async function stopWithin(stop: () => Promise<void>, within: Millis = STOP_WITHIN): Promise<void> {
  const timer = setTimeout(() => endNow(`not everything stopped within ${within / SECOND} s`), within);
  try {
    await stop();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * At once, and not by process.exit(), which waits for the other threads. Nothing that was acknowledged is lost: it is on
 * disk before the acknowledgement.
 */
export function endNow(why: string): void {
  writeSync(STANDARD_ERROR, `${JSON.stringify({ level: 60, app: 'pantau', msg: `pantau ends: ${why}` })}\n`);
  process.kill(process.pid, 'SIGKILL');
}
