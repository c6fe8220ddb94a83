import type { Millis } from '#libs/kernel';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

const MICROSECONDS = 1_000;

/** Percentiles of latencies, milliseconds. */
export interface LatencyReport {
  readonly p50: Millis;
  readonly p95: Millis;
  readonly p99: Millis;
  readonly p999: Millis;
  readonly max: Millis;
}

/**
 * An HDR histogram of latencies, exact to three digits. It is free of coordinated omission when every latency counts from
 * the time when the message was due: a pause of the broker then counts for each message that had to wait for it, and not only for
 * those few that were on their way.
 */
export class Latencies {
  readonly #microseconds: RecordableHistogram = createHistogram();

  record(latency: Millis): void {
    this.#microseconds.record(Math.max(1, Math.round(latency * MICROSECONDS)));
  }

  get count(): number {
    return this.#microseconds.count;
  }

  report(): LatencyReport {
    const histogram = this.#microseconds;
    const at = (percent: number): Millis =>
      histogram.count === 0 ? 0 : histogram.percentile(percent) / MICROSECONDS;
    const max = histogram.count === 0 ? 0 : histogram.max / MICROSECONDS;
    return { p50: at(50), p95: at(95), p99: at(99), p999: at(99.9), max };
  }
}
