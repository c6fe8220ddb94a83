import { messageOf, PantauError, type Clock, type UtcMillis } from '#libs/kernel';
import type { CheckProgress, FullCheck } from './full-check.js';

/** Runs a check somewhere where it holds up nobody. Rejects with the signal's reason when it aborts. */
export type RunFullCheck = (
  device: string | undefined,
  signal: AbortSignal,
  onProgress: (progress: CheckProgress) => void,
) => Promise<FullCheck>;

/** What became of the check that was started last. */
export interface FullCheckStatus {
  readonly state: 'none' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly device?: string;
  readonly startedAt?: UtcMillis;
  readonly finishedAt?: UtcMillis;
  readonly progress?: CheckProgress;
  /** With `failed`. */
  readonly problem?: string;
  /** With `done`. */
  readonly result?: FullCheck;
}

/** The full check as a job: one at a time, with progress, to be cancelled at any moment. */
export class FullCheckJob {
  #status: FullCheckStatus = { state: 'none' };
  #abort: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly run: RunFullCheck,
    private readonly clock: Clock,
  ) {}

  get status(): FullCheckStatus {
    return this.#status;
  }

  /** @throws PantauError `CHECK_RUNNING` */
  start(device: string | undefined): FullCheckStatus {
    if (this.#abort !== undefined)
      throw new PantauError('CHECK_RUNNING', 'a full check is running already.', {
        remedy: 'Wait for it, or cancel it: DELETE /api/v1/reconciliation/check.',
      });
    const abort = new AbortController();
    this.#abort = abort;
    const begun = { ...(device === undefined ? {} : { device }), startedAt: this.clock.now() };
    this.#status = { state: 'running', ...begun };
    const end = (rest: Pick<FullCheckStatus, 'state' | 'problem' | 'result'>): void => {
      const { progress } = this.#status;
      this.#abort = undefined;
      this.#status = {
        ...begun,
        ...(progress === undefined ? {} : { progress }),
        finishedAt: this.clock.now(),
        ...rest,
      };
    };
    this.#running = this.run(device, abort.signal, (progress) => {
      this.#status = { ...this.#status, progress };
    }).then(
      (result) => end({ state: 'done', result }),
      (error: unknown) =>
        end(abort.signal.aborted ? { state: 'cancelled' } : { state: 'failed', problem: messageOf(error) }),
    );
    return this.#status;
  }

  /** Resolves when nothing runs any more. */
  async cancel(): Promise<FullCheckStatus> {
    this.#abort?.abort();
    await this.#running;
    return this.#status;
  }
}
