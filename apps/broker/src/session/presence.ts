import type { Journal } from '#libs/journal';
import type { Clock } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { PresenceCause, PresenceSignal } from '#libs/telemetry';
import type { ClientSession } from './sessions.js';

/** Records when devices come and go, in the stream `signals`. */
export class PresenceRecorder {
  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** The run of the broker, as in the stream `liveness`. */
    private readonly run: string,
  ) {}

  record(
    { id, principal, silenceMs }: ClientSession,
    state: PresenceSignal['state'],
    cause: PresenceCause,
  ): void {
    if (principal.kind !== 'device') return;
    const now = this.clock.now();
    const data: PresenceSignal = {
      type: 'presence',
      site: principal.site,
      device: principal.id,
      ts: now,
      receivedAt: now,
      session: id,
      state,
      cause,
      silenceMs,
      run: this.run,
    };
    this.journal.append('signals', [{ key: principal.id, data }]).catch((error: unknown) => {
      this.logger.error({ device: principal.id, err: error }, 'presence could not be recorded');
    });
  }
}
