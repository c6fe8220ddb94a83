import { SECOND } from '#libs/kernel';
import { workerData } from 'node:worker_threads';
import { endNow } from './last-resort.js';
import { Pulse, PULSE_PERIOD, THREADS, type WatchdogData } from './watchdog.js';

const { cells, bound } = workerData as WatchdogData;
const pulse = new Pulse(cells);
const seen = THREADS.map(() => ({ beats: 0, misses: 0 }));

// Counted in turns of this thread and not in time: when the whole process was halted, nobody is late.
setInterval(() => {
  for (const [i, thread] of THREADS.entries()) {
    const beats = pulse.beats(thread);
    const before = seen[i];
    const misses = beats === 0 || beats !== before?.beats ? 0 : before.misses + 1;
    seen[i] = { beats, misses };
    if (misses * PULSE_PERIOD > bound)
      endNow(`the thread ${thread} has been blocked for more than ${bound / SECOND} s (watchdog)`);
  }
}, PULSE_PERIOD);
