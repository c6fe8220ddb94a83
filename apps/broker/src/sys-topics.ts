import type { Aedes } from 'aedes';
import type { BrokerMetrics } from './metrics.js';

const INTERVAL = 10_000;

/** Publishes figures of the broker under the names that Mosquitto made common, for accounts that may read `$SYS`. */
export class SysTopics {
  #timer: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();

  constructor(
    private readonly aedes: Aedes,
    private readonly metrics: BrokerMetrics,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.#publish(), INTERVAL);
    void this.#publish();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #publish(): Promise<void> {
    const { connections, publishes, refusals } = this.metrics;
    const total = async (metric: { get(): Promise<{ values: { value: number }[] }> }): Promise<number> =>
      (await metric.get()).values.reduce((sum, { value }) => sum + value, 0);
    const figures = {
      version: 'Pantau',
      uptime: `${Math.round((performance.now() - this.#startedAt) / 1_000)} seconds`,
      'clients/connected': await total(connections),
      'messages/received': await total(publishes),
      'messages/refused': await total(refusals),
    };
    for (const [name, value] of Object.entries(figures)) {
      this.aedes.publish(
        {
          cmd: 'publish',
          topic: `$SYS/broker/${name}`,
          payload: Buffer.from(String(value)),
          qos: 0,
          retain: true,
          dup: false,
        },
        () => undefined,
      );
    }
  }
}
