import type { Journal, NewEntry } from '#libs/journal';
import type { Uplink } from '#libs/telemetry';

type Done = (error?: Error | null) => void;

/**
 * Collects the messages that one turn of the event loop brings from all sockets, appends them together and calls each
 * back once they are durable. One promise for hundreds of messages instead of one for each: with the fsync shared
 * already, promises were what a message cost most.
 */
export class UplinkBatcher {
  #entries: NewEntry<Uplink>[] = [];
  #callbacks: Done[] = [];

  /** @param onAppended - told how long an append took, in seconds */
  constructor(
    private readonly journal: Journal,
    private readonly onAppended: (seconds: number) => void,
  ) {}

  /** @param done - called without an error once the message is on disk */
  add(data: Uplink, done: Done): void {
    if (this.#entries.length === 0) setImmediate(() => this.#flush());
    this.#entries.push({ key: data.device, data });
    this.#callbacks.push(done);
  }

  #flush(): void {
    const callbacks = this.#callbacks;
    const startedAt = performance.now();
    const appended = this.journal.append('uplink', this.#entries);
    this.#entries = [];
    this.#callbacks = [];
    appended.then(
      () => {
        this.onAppended((performance.now() - startedAt) / 1_000);
        for (const done of callbacks) done(null);
      },
      (error: unknown) => {
        for (const done of callbacks) done(error as Error);
      },
    );
  }
}
