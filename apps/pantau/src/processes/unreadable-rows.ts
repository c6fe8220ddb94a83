import { Counter, Registry } from 'prom-client';

/** How many rows of the state could not be read, by namespace. */
export type UnreadableRows = Readonly<Record<string, number>>;

/** In Prometheus' text format. @param rows - those of each state store of the process: every thread has one */
export function unreadableRowsMetrics(rows: () => Promise<readonly UnreadableRows[]>): () => Promise<string> {
  const registry = new Registry();
  new Counter({
    name: 'pantau_state_unreadable_rows_total',
    help: 'Rows of the state that count as absent because they cannot be read, by namespace; each once by thread',
    labelNames: ['namespace'] as const,
    registers: [registry],
    async collect() {
      const stores = await rows();
      this.reset();
      for (const store of stores)
        for (const [namespace, count] of Object.entries(store)) this.labels(namespace).inc(count);
    },
  });
  return () => registry.metrics();
}
