import type { Journal } from '#libs/journal';
import { SECOND, TokenBucket, type Clock, type Millis, type Rate } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { Rejection, RejectionReason } from '#libs/telemetry';

export interface DoorRefusal {
  readonly reason: RejectionReason;
  readonly detail: string;
  readonly device?: string;
  readonly site?: string;
  readonly topic?: string;
}

/** Kinds of refusal kept apart within a second; a flood of invented names is then counted together. */
const MAX_KINDS = 500;
/** Of what a peer wrote itself. */
const MAX_DETAIL = 500;
const MAX_TOPIC = 200;

/**
 * Refusals at the door (identity, topic) on their way to the stream `rejected`. Equal ones of one second become one
 * entry with a count, and beyond a rate all of one reason, so that a client that knocks a thousand times a second fills
 * neither the journal nor the log.
 */
export class Refusals {
  #pending = new Map<string, { refusal: DoorRefusal; count: number }>();
  readonly #entries: TokenBucket;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly count: (reason: RejectionReason) => void,
    /** Entries with a detail of their own. */
    rate: Rate,
    /** What is equal within this time is counted together. */
    private readonly everyMs: Millis = SECOND,
  ) {
    this.#entries = new TokenBucket(rate, clock.now());
  }

  add({ detail, topic, ...rest }: DoorRefusal): void {
    const refusal: DoorRefusal = {
      ...rest,
      detail: detail.slice(0, MAX_DETAIL),
      ...(topic === undefined ? {} : { topic: topic.slice(0, MAX_TOPIC) }),
    };
    this.count(refusal.reason);
    const key = `${refusal.reason}\u0000${refusal.device ?? ''}\u0000${refusal.topic ?? ''}\u0000${refusal.detail}`;
    const known = this.#pending.get(key);
    if (known !== undefined) known.count++;
    else if (this.#pending.size < MAX_KINDS && this.#entries.tryTake(this.clock.now()))
      this.#pending.set(key, { refusal, count: 1 });
    else this.#countTogether(refusal.reason);
    this.#timer ??= setTimeout(() => void this.flush(), this.everyMs).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const refused = [...this.#pending.values()];
    this.#pending = new Map();
    if (refused.length === 0) return;
    const receivedAt = this.clock.now();
    const entries = refused.map(({ refusal, count }) => ({
      key: refusal.device ?? '',
      data: { ...refusal, receivedAt, count } satisfies Rejection,
    }));
    for (const { refusal, count } of refused) this.logger.warn({ ...refusal, count }, 'refused at the door');
    try {
      await this.journal.append('rejected', entries);
    } catch (error) {
      this.logger.error({ error }, 'refusals could not be recorded');
    }
  }

  #countTogether(reason: RejectionReason): void {
    const key = `${reason}\u0000…`;
    const known = this.#pending.get(key);
    if (known !== undefined) known.count++;
    else
      this.#pending.set(key, {
        refusal: { reason, detail: 'further refusals, too many different ones to list' },
        count: 1,
      });
  }
}
