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
  readonly #run = randomUUID();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly beatMs: Millis,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    await this.#record('start');
    this.#timer = setInterval(() => {
      this.#record('beat').catch((error: unknown) =>
        this.logger.error({ error }, 'own liveness could not be recorded'),
      );
    }, this.beatMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#record('stop');
  }

  async #record(kind: Liveness['kind']): Promise<void> {
    const data: Liveness = { component: 'broker', run: this.#run, kind, at: this.clock.now() };
    await this.journal.append('liveness', [{ key: LIVENESS_KEY, data }]);
  }
}
