import type { Journal } from '#libs/journal';
import type { Clock, Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import { LIVENESS_KEY, type Liveness } from '#libs/telemetry';
import { randomUUID } from 'node:crypto';

/**
 * Writes down when Pantau was awake and listening. A silence of a device counts against it only while this was so;
 * the rest is unknown time.
 */
export class LivenessRecorder {
  /** Names this run of this broker. */
  readonly run = randomUUID();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly beatMs: Millis,
    private readonly logger: Logger,
    /** `isListening`: whether devices can be heard now; while they cannot, nothing is recorded. */
    private readonly source: { readonly component: 'broker' | 'bridge'; isListening(): boolean },
  ) {}

  async start(): Promise<void> {
    if (this.source.isListening()) await this.#record('start');
    this.#timer = setInterval(() => {
      if (!this.source.isListening()) return;
      this.#record('beat').catch((error: unknown) =>
        this.logger.error({ error }, 'own liveness could not be recorded'),
      );
    }, this.beatMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.source.isListening()) await this.#record('stop');
  }

  async #record(kind: Liveness['kind']): Promise<void> {
    const data: Liveness = { component: this.source.component, run: this.run, kind, at: this.clock.now() };
    await this.journal.append('liveness', [{ key: LIVENESS_KEY, data }]);
  }
}
