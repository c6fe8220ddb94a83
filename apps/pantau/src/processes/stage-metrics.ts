import { type Journal, lagOf } from '#libs/journal';
import { Metrics } from '#libs/metrics';
import type { StorableObservation, TimeSeriesStore, WriteReport } from '#libs/timeseries';
import { STAGES } from '../stages.js';

/**
 * What the stages and the store count, for Prometheus. No label can grow with the number of devices. The figures of the
 * process are the broker's part, so they are not here a second time.
 */
export class StageMetrics {
  readonly #metrics = new Metrics();
  readonly #writeSeconds = this.#metrics.histogram(
    {
      name: 'pantau_store_write_seconds',
      help: 'From handing a batch to the time-series store until it is stored, by kind (readings, rollups)',
      labels: ['kind'],
    },
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  readonly #points = this.#metrics.counter({
    name: 'pantau_store_points_total',
    help: 'Points that the time-series store took, repeated ones too, by kind',
    labels: ['kind'],
  });
  readonly #refused = this.#metrics.counter({
    name: 'pantau_store_refused_total',
    help: 'Points that the time-series store refused, by kind; they are in the stream rejected',
    labels: ['kind'],
  });
  readonly #failures = this.#metrics.counter({
    name: 'pantau_store_write_failures_total',
    help: 'Batches that could not be written and are tried again, by kind',
    labels: ['kind'],
  });

  constructor(journal: Journal) {
    this.#metrics.gauge(
      {
        name: 'pantau_stage_lag',
        help: 'Entries of a stream that a stage has not read yet',
        labels: ['stage', 'stream'],
      },
      async (gauge) => {
        for (const { name: stage, reads } of STAGES)
          for (const stream of reads) gauge.set({ stage, stream }, await lagOf(journal, stage, stream));
      },
    );
    // From zero, so that the first refusal is seen as an increase.
    for (const kind of ['readings', 'rollups'])
      for (const counter of [this.#points, this.#refused, this.#failures]) counter.inc({ kind }, 0);
  }

  text(): Promise<string> {
    return this.#metrics.text();
  }

  /** The store, with its writes counted. */
  watch(store: TimeSeriesStore): TimeSeriesStore {
    return {
      get description() {
        return store.description;
      },
      setUp: () => store.setUp(),
      write: (observations) =>
        this.#count('readings', readingsIn(observations), () => store.write(observations)),
      writeRollups: (rollups) => this.#count('rollups', rollups.length, () => store.writeRollups(rollups)),
      query: (query) => store.query(query),
      count: (query) => store.count(query),
      envelope: (query) => store.envelope(query),
      queryRollups: (query) => store.queryRollups(query),
      countRollups: (query) => store.countRollups(query),
      expire: () => store.expire(),
      ping: () => store.ping(),
      close: () => store.close(),
    };
  }

  async #count<T>(
    kind: 'readings' | 'rollups',
    points: number,
    write: () => Promise<WriteReport<T>>,
  ): Promise<WriteReport<T>> {
    const stop = this.#writeSeconds.startTimer({ kind });
    try {
      const report = await write();
      stop();
      this.#points.inc({ kind }, points - report.refused.length);
      this.#refused.inc({ kind }, report.refused.length);
      return report;
    } catch (error) {
      this.#failures.inc({ kind });
      throw error;
    }
  }
}

function readingsIn(observations: readonly StorableObservation[]): number {
  return observations.reduce((sum, { readings }) => sum + readings.length, 0);
}
