import type { Journal, NewEntry } from '#libs/journal';
import type { Clock, Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import { beatKeys, LIVENESS_KEY, type Liveness } from '#libs/telemetry';
import { randomUUID } from 'node:crypto';

/** A longer pause than this many beats is an interruption: the machine was suspended. */
const BEATS_MISSED = 3;

/**
 * Writes down when Pantau was awake and listening. A silence of a device counts against it only while this was so;
 * the rest is unknown time. Every beat also goes to each shard, with what had arrived by then.
 */
export class LivenessRecorder {
  /** Names this run of this broker. */
  readonly run = randomUUID();
  readonly #beatKeys: readonly string[];
  #timer: NodeJS.Timeout | undefined;
  /** The time in which all devices were heard without interruption, up to the last record; undefined while they are not. */
  #heard: TimeSpan | undefined;
  #wasInterrupted = false;

  constructor(
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly beatMs: Millis,
    private readonly logger: Logger,
    private readonly source: {
      readonly component: 'broker' | 'bridge';
      /** Whether devices can be heard now; while they cannot, nothing is recorded. */
      isListening(): boolean;
      /** Whether they can be by every other way in: nobody knows which way the next message of a device comes. */
      othersListen(): boolean | Promise<boolean>;
    },
  ) {
    this.#beatKeys = beatKeys(journal.shards);
  }

  async start(): Promise<void> {
    if (this.source.isListening()) await this.#record('start');
    this.#timer = setInterval(() => {
      if (!this.source.isListening()) {
        this.#interrupt();
        return;
      }
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
    const at = this.clock.now();
    const { component } = this.source;
    const isPartial = !(await this.source.othersListen());
    const data: Liveness = {
      ...{ component, run: this.run, kind, at },
      ...(isPartial ? { partial: true } : this.#wasInterrupted && { resumed: true }),
    };
    if (isPartial) {
      this.#interrupt();
      await this.journal.append('liveness', [{ key: LIVENESS_KEY, data }]);
      return;
    }
    const isGoingOn =
      this.#heard !== undefined && at >= this.#heard.to && at - this.#heard.to <= BEATS_MISSED * this.beatMs;
    this.#wasInterrupted = false;
    this.#heard = { from: isGoingOn ? (this.#heard as TimeSpan).from : at, to: at };
    const beats = kind === 'beat' ? await this.#beats(data, this.#heard.from) : [];
    await this.journal.append('liveness', [{ key: LIVENESS_KEY, data }, ...beats]);
  }

  #interrupt(): void {
    this.#heard = undefined;
    this.#wasInterrupted = true;
  }

  /** One for each shard. What they say had arrived is looked up after the time that they bear. */
  async #beats(data: Liveness, heardSince: UtcMillis): Promise<NewEntry<Liveness>[]> {
    const uplinks: number[] = [];
    for (let shard = 0; shard < this.journal.shards; shard++)
      uplinks.push((await this.journal.extent('uplink', shard)).next);
    return this.#beatKeys.map((key) => ({ key, data: { ...data, time: { heardSince, uplinks } } }));
  }
}
