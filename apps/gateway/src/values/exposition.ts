/** A metric with its samples, in Prometheus' text format 0.0.4. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  /** In the order in which they are written. */
  readonly labels: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** Gathers samples metric by metric: each is declared once, and its samples stand together. */
export class Exposition {
  readonly #samples = new Map<Metric, string[]>();

  constructor(metrics: readonly Metric[]) {
    for (const metric of metrics) this.#samples.set(metric, []);
  }

  add(metric: Metric, values: Labels, value: number): void {
    this.#samples.get(metric)?.push(`${metric.name}${labelsOf(metric, values)} ${value}`);
  }

  toString(): string {
    return [...this.#samples]
      .filter(([, samples]) => samples.length > 0)
      .map(
        ([{ name, help }, samples]) =>
          `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.join('\n')}\n`,
      )
      .join('');
  }
}

function labelsOf({ labels }: Metric, values: Labels): string {
  const pairs = labels.map((name) => `${name}="${escaped(values[name] ?? '')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
