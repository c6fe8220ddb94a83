import { readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Linux counts processor time for user space in hundredths of a second, whatever its own timer does (`USER_HZ`, proc(5)). */
const TICKS_PER_SECOND = 100;
/** Of what follows the name in `stat`: `utime` and `stime` (fields 14 and 15 of proc(5)). */
const USER = 11;
const SYSTEM = 12;

/** The number that Linux gives the calling thread; undefined elsewhere. */
export function ownThreadId(): number | undefined {
  try {
    // Resolved in the calling thread, because it is synchronous: "<process>/task/<thread>".
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return undefined;
  }
}

/** Processor time of a thread of this process, user and system; undefined when the thread is gone. */
export async function processorSecondsOf(threadId: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/self/task/${threadId}/stat`, 'utf8');
    // The name stands in brackets and may hold anything, so what counts begins behind the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
