import { SECOND, type Millis } from '#libs/kernel';
import { Metrics } from '#libs/metrics';
import { Worker } from 'node:worker_threads';
import { ownThreadId, processorSecondsOf } from './linux-threads.js';

/** Threads that are watched, in the order of their places in the shared memory. */
export const THREADS = ['main', 'http-intake', 'ingest', 'conclusions', 'store'] as const;
export type ThreadName = (typeof THREADS)[number];

/** How often a thread shows that its event loop turns. */
export const PULSE_PERIOD: Millis = SECOND;

/**
 * Places of a thread: its beats (0 while it is not watched), when the last one was, the longest delay since it was last told, its
 * number in Linux (0 elsewhere).
 */
const BEATS = 0;
const LAST = 1;
const LONGEST = 2;
const THREAD_ID = 3;
const PLACES = 4;

/** What a watchdog is started with. */
export interface WatchdogData {
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly bound: Millis;
}

/**
 * The beats of all threads, in memory that they share: a thread that is blocked answers no question, and the one that asks
 * may be blocked itself.
 */
export class Pulse {
  /** Also what is handed to another thread, which makes a Pulse of it. */
  constructor(readonly cells = new Int32Array(new SharedArrayBuffer(4 * PLACES * THREADS.length))) {}

  /** Beats for the thread that calls it. @returns what ends the beats, so that nobody waits for them */
  beat(thread: ThreadName): () => void {
    const at = placeOf(thread);
    const next = (): void => {
      Atomics.store(this.cells, at + LONGEST, Math.max(this.#lagMs(at), this.cells[at + LONGEST] ?? 0));
      Atomics.store(this.cells, at + LAST, now());
      Atomics.add(this.cells, at + BEATS, 1);
    };
    next();
    Atomics.store(this.cells, at + THREAD_ID, ownThreadId() ?? 0);
    const timer = setInterval(next, PULSE_PERIOD).unref();
    return () => {
      clearInterval(timer);
      Atomics.store(this.cells, at + BEATS, 0);
    };
  }

  /** Number of beats so far; 0 for a thread that is not watched. */
  beats(thread: ThreadName): number {
    return Atomics.load(this.cells, placeOf(thread) + BEATS);
  }

  /** By how much the next beat is late; undefined for a thread that is not watched. */
  lagMs(thread: ThreadName): Millis | undefined {
    return this.beats(thread) === 0 ? undefined : this.#lagMs(placeOf(thread));
  }

  /** The longest delay since this was last asked, the present one included. */
  takeLongestLagMs(thread: ThreadName): Millis | undefined {
    const past = Atomics.exchange(this.cells, placeOf(thread) + LONGEST, 0);
    const present = this.lagMs(thread);
    return present === undefined ? undefined : Math.max(past, present);
  }

  /** Processor time of a thread since it began, user and system; undefined for one that is not watched, and where there is no Linux. */
  async processorSeconds(thread: ThreadName): Promise<number | undefined> {
    const id = this.beats(thread) === 0 ? 0 : Atomics.load(this.cells, placeOf(thread) + THREAD_ID);
    return id === 0 ? undefined : processorSecondsOf(id);
  }

  #lagMs(at: number): Millis {
    if (Atomics.load(this.cells, at + BEATS) === 0) return 0;
    // In 32 bits, so that it stays right when the clock passes their end.
    return Math.max(0, ((now() - Atomics.load(this.cells, at + LAST)) | 0) - PULSE_PERIOD);
  }
}

/** Of a clock that all threads share and nobody sets, milliseconds. */
function now(): number {
  return Number(BigInt.asIntN(32, process.hrtime.bigint() / 1_000_000n));
}

function placeOf(thread: ThreadName): number {
  return THREADS.indexOf(thread) * PLACES;
}

/**
 * Ends the process with an error when a thread has not beaten for so long, the main thread as any other: what is blocked
 * serves nobody, hears no signal, and does not come back by waiting.
 *
 * @returns what ends the watch
 */
export function startWatchdog(pulse: Pulse, bound: Millis): () => Promise<unknown> {
  const worker = new Worker(new URL('./watchdog-worker.js', import.meta.url), {
    workerData: { cells: pulse.cells, bound } satisfies WatchdogData,
    execArgv: [],
  });
  worker.unref();
  return () => worker.terminate();
}

/** Delays and processor time of the threads, in Prometheus' text format. */
export function pulseMetrics(pulse: Pulse): () => Promise<string> {
  const metrics = new Metrics();
  metrics.gauge(
    {
      name: 'pantau_event_loop_lag_seconds',
      help: 'Longest delay of the event loop of a thread since the last scrape, by thread',
      labels: ['thread'],
    },
    (gauge) => {
      gauge.reset();
      for (const thread of THREADS) {
        const lagMs = pulse.takeLongestLagMs(thread);
        if (lagMs !== undefined) gauge.set({ thread }, lagMs / SECOND);
      }
    },
  );
  metrics.counter(
    {
      name: 'pantau_thread_cpu_seconds_total',
      help: 'Processor time of a thread, user and system, by thread; Linux alone tells it',
      labels: ['thread'],
    },
    async (counter) => {
      counter.reset();
      for (const thread of THREADS) {
        const seconds = await pulse.processorSeconds(thread);
        if (seconds !== undefined) counter.inc({ thread }, seconds);
      }
    },
  );
  return () => metrics.text();
}
