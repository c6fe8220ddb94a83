import type { Journal } from '#libs/journal';
import { Metrics } from '#libs/metrics';

/** What the broker counts, for Prometheus. No label can grow with the number of devices. */
export class BrokerMetrics {
  readonly #metrics = new Metrics().withProcess();
  readonly connections = this.#metrics.gauge({
    name: 'pantau_mqtt_connections',
    help: 'Clients that are connected',
  });
  readonly connects = this.#metrics.counter({
    name: 'pantau_mqtt_connects_total',
    help: 'Accepted CONNECT packets, by listener',
    labels: ['listener'],
  });
  readonly disconnects = this.#metrics.counter({
    name: 'pantau_mqtt_disconnects_total',
    help: 'Ended connections, by cause',
    labels: ['cause'],
  });
  readonly publishes = this.#metrics.counter({
    name: 'pantau_mqtt_publishes_total',
    help: 'Messages taken from clients, by QoS',
    labels: ['qos'],
  });
  readonly refusals = this.#metrics.counter({
    name: 'pantau_mqtt_refusals_total',
    help: 'What was refused, by reason',
    labels: ['reason'],
  });
  readonly notMapped = this.#metrics.counter({
    name: 'pantau_mqtt_not_mapped_total',
    help: 'Messages of devices on topics that nobody mapped',
  });
  readonly appendSeconds = this.#metrics.histogram(
    {
      name: 'pantau_journal_append_seconds',
      help: 'From handing messages to the journal until they are on disk',
    },
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  );
  readonly setAside = this.#metrics.counter({
    name: 'pantau_broker_entries_set_aside_total',
    help: 'Entries of the journal that the broker could not read or handle and passed over, by stream',
    labels: ['stream'],
  });
  readonly throttled = this.#metrics.counter({
    name: 'pantau_mqtt_throttled_total',
    help: 'Messages that were read later because their device sends faster than it may',
  });
  readonly droppedQueued = this.#metrics.counter({
    name: 'pantau_mqtt_queued_dropped_total',
    help: 'Messages that had to leave the full queue of a kept session',
  });

  text(): Promise<string> {
    return this.#metrics.text();
  }

  /** Asks the journal at every scrape, so that the answer is right also while nobody sends. */
  watch(journal: Journal): void {
    this.#metrics.gauge(
      {
        name: 'pantau_journal_full',
        help: '1 while new messages wait for space on the disk of the journal and nothing is acknowledged',
      },
      async (gauge) => gauge.set((await journal.space()).accepting ? 0 : 1),
    );
  }
}
