import { Metrics } from '#libs/metrics';

/** How many rows of the state could not be read, by namespace. */
export type UnreadableRows = Readonly<Record<string, number>>;

/** In Prometheus' text format. @param rows - those of each state store of the process: every thread has one */
export function unreadableRowsMetrics(rows: () => Promise<readonly UnreadableRows[]>): () => Promise<string> {
  const metrics = new Metrics();
  metrics.counter(
    {
      name: 'pantau_state_unreadable_rows_total',
      help: 'Rows of the state that count as absent because they cannot be read, by namespace; each once by thread',
      labels: ['namespace'],
    },
    async (counter) => {
      const stores = await rows();
      counter.reset();
      for (const store of stores)
        for (const [namespace, count] of Object.entries(store)) counter.labels(namespace).inc(count);
    },
  );
  return () => metrics.text();
}
