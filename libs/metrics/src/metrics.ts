import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A figure: its name, what it says, and by what it is told apart. No label may grow with the number of devices. */
export interface Figure<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}
/** Sets a figure at every scrape, so that it is right also while nothing happens. */
type Collect<T> = (figure: T) => void | Promise<void>;

/** Milliseconds, about three weeks. */
const NEVER = 2 ** 31 - 1;

/** What a part of Pantau counts, in Prometheus' text format. */
export class Metrics {
  readonly #registry = new Registry();

  /** Adds the figures of the process. They belong in one part of it alone. */
  withProcess(): this {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: NEVER });
    // These wake the process a hundred times a second, and `pantau_event_loop_lag_seconds` says the same.
    for (const name of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'])
      this.#registry.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`);
    return this;
  }

  counter<L extends string = never>(figure: Figure<L>, collect?: Collect<Counter<L>>): Counter<L> {
    const counter: Counter<L> = new Counter({ ...this.#of(figure), collect: () => collect?.(counter) });
    return counter;
  }

  gauge<L extends string = never>(figure: Figure<L>, collect?: Collect<Gauge<L>>): Gauge<L> {
    const gauge: Gauge<L> = new Gauge({ ...this.#of(figure), collect: () => collect?.(gauge) });
    return gauge;
  }

  /** @param buckets - their upper bounds, in the unit of the figure */
  histogram<L extends string = never>(figure: Figure<L>, buckets: readonly number[]): Histogram<L> {
    return new Histogram<L>({ ...this.#of(figure), buckets: [...buckets] });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #of<L extends string>({
    name,
    help,
    labels = [],
  }: Figure<L>): {
    name: string;
    help: string;
    labelNames: readonly L[];
    registers: Registry[];
  } {
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}
