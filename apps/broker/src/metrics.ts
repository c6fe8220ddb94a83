import type { Journal } from '#libs/journal';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the broker counts, for Prometheus. No label can grow with the number of devices. */
export class BrokerMetrics {
  readonly registry = new Registry();
  readonly connections = new Gauge({
    name: 'pantau_mqtt_connections',
    help: 'Clients that are connected',
    registers: [this.registry],
  });
  readonly connects = new Counter({
    name: 'pantau_mqtt_connects_total',
    help: 'Accepted CONNECT packets, by listener',
    labelNames: ['listener'] as const,
    registers: [this.registry],
  });
  readonly disconnects = new Counter({
    name: 'pantau_mqtt_disconnects_total',
    help: 'Ended connections, by cause',
    labelNames: ['cause'] as const,
    registers: [this.registry],
  });
  readonly publishes = new Counter({
    name: 'pantau_mqtt_publishes_total',
    help: 'Messages taken from clients, by QoS',
    labelNames: ['qos'] as const,
    registers: [this.registry],
  });
  readonly refusals = new Counter({
    name: 'pantau_mqtt_refusals_total',
    help: 'What was refused, by reason',
    labelNames: ['reason'] as const,
    registers: [this.registry],
  });
  readonly notMapped = new Counter({
    name: 'pantau_mqtt_not_mapped_total',
    help: 'Messages of devices on topics that nobody mapped',
    registers: [this.registry],
  });
  readonly appendSeconds = new Histogram({
    name: 'pantau_journal_append_seconds',
    help: 'From handing messages to the journal until they are on disk',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });
  readonly setAside = new Counter({
    name: 'pantau_broker_entries_set_aside_total',
    help: 'Entries of the journal that the broker could not read or handle and passed over, by stream',
    labelNames: ['stream'] as const,
    registers: [this.registry],
  });
  readonly throttled = new Counter({
    name: 'pantau_mqtt_throttled_total',
    help: 'Messages that were read later because their device sends faster than it may',
    registers: [this.registry],
  });
  readonly droppedQueued = new Counter({
    name: 'pantau_mqtt_queued_dropped_total',
    help: 'Messages that had to leave the full queue of a kept session',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Asks the journal at every scrape, so that the answer is right also while nobody sends. */
  watch(journal: Journal): void {
    new Gauge({
      name: 'pantau_journal_full',
      help: '1 while new messages wait for space on the disk of the journal and nothing is acknowledged',
      registers: [this.registry],
      async collect() {
        this.set((await journal.space()).accepting ? 0 : 1);
      },
    });
  }
}
