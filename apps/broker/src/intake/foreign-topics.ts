import { type Callback } from '../callback.js';
import type { Journal } from '#libs/journal';
import { SECOND, type Clock, type Millis } from '#libs/kernel';
import type { Logger } from '#libs/platform';
import type { StateStore } from '#libs/state';
import type { Rejection, SetAsideReason, SetAsideTopic } from '#libs/telemetry';
import { SET_ASIDE_TOPICS } from '#namespaces/broker-state';
import { createHash } from 'node:crypto';

/** A message on a topic that is not its sender's. */
export interface ForeignMessage {
  readonly reason: SetAsideReason;
  readonly detail: string;
  readonly sender: string;
  readonly site: string | undefined;
  readonly topic: string;
  /** The name that a mapping read in the topic, where it is no registered device's. */
  readonly unknownName?: string | undefined;
  /** As much of it as was read. */
  readonly payload: Uint8Array;
  readonly payloadBytes: number;
  readonly retain: boolean;
}

export interface ForeignTopicsHooks {
  /** A message was set aside. */
  readonly counted: (reason: SetAsideReason) => void;
}

const SHOWN_TOPIC = 256;
const SAMPLE_BYTES = 512;
/** The key of what a sender published on topics beyond its bound. */
const FURTHER = 'further';

/**
 * Messages on topics that are not their sender's. They are acknowledged, because a device that is refused sends the same
 * again for ever, and delivered to nobody. Of each topic the state keeps the number, the times and one sample, durable before
 * the acknowledgement; so a flood costs no more than its topics. What claims to be somebody else's is told in the stream
 * `rejected` as well, at most once a second for each topic.
 */
export class ForeignTopics {
  #fresh: { readonly message: ForeignMessage; readonly done: Callback }[] = [];
  #running: Promise<void> | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Topics whose refusals are not told yet, by key. */
  readonly #untold = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly state: StateStore,
    private readonly journal: Journal,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly hooks: ForeignTopicsHooks,
    /** Topics that are listed of a sender; what comes on others is counted together. */
    private readonly topicsPerSender: number,
    private readonly everyMs: Millis = SECOND,
  ) {}

  /** Tells what an earlier run had no time to tell. */
  async start(): Promise<void> {
    for (const { key, value } of await this.state.list(SET_ASIDE_TOPICS))
      if (value.reason === 'topic_not_allowed' && value.reported < value.count) this.#untold.add(key);
    await this.#tell();
  }

  /** Calls back once the message is counted on disk. */
  add(message: ForeignMessage, done: Callback): void {
    this.hooks.counted(message.reason);
    this.#fresh.push({ message, done });
    // What comes while a commit runs is the next one.
    this.#running ??= this.#run();
  }

  /** Returns when everything that was counted is told. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#tell();
  }

  async #run(): Promise<void> {
    while (this.#fresh.length > 0) {
      const batch = this.#fresh;
      this.#fresh = [];
      let failure: Error | null = null;
      try {
        await this.#inTurn(() => this.#count(batch.map(({ message }) => message)));
      } catch (error) {
        failure = error as Error;
      }
      for (const { done } of batch) done(failure);
    }
    this.#running = undefined;
    if (this.#untold.size > 0 && !this.#stopped)
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        void this.#tell();
      }, this.everyMs).unref();
  }

  /** One change of records after the other: each writes back what it has read. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #count(messages: readonly ForeignMessage[]): Promise<void> {
    const records = new Map<string, SetAsideTopic>();
    const now = this.clock.now();
    const fresh = new Map<string, number>();
    for (const message of messages) {
      let key = keyOf(message.sender, message.topic);
      let known = records.get(key) ?? (await this.state.get(SET_ASIDE_TOPICS, key));
      if (known === undefined) {
        const listed = fresh.get(message.sender) ?? (await this.#listed(message.sender));
        fresh.set(message.sender, listed + 1);
        if (listed >= this.topicsPerSender) {
          key = `${message.sender}/${FURTHER}/${message.reason}`;
          known = records.get(key) ?? (await this.state.get(SET_ASIDE_TOPICS, key));
        }
      }
      const isFurther = key.includes(`/${FURTHER}/`);
      records.set(
        key,
        known === undefined
          ? recordOf(message, now, isFurther)
          : { ...known, count: known.count + 1, lastAt: now },
      );
      if (message.reason === 'topic_not_allowed') this.#untold.add(key);
    }
    await this.state.write(Array.from(records, ([key, value]) => SET_ASIDE_TOPICS.put(key, value)));
  }

  /** Topics that are listed of a sender, as far as it matters. */
  async #listed(sender: string): Promise<number> {
    const limit = this.topicsPerSender;
    return (await this.state.list(SET_ASIDE_TOPICS, { prefix: `${sender}/`, limit })).length;
  }

  /** Tells in `rejected` what was counted since the last time. */
  async #tell(): Promise<void> {
    const keys = [...this.#untold];
    this.#untold.clear();
    try {
      const records = await this.state.getMany(SET_ASIDE_TOPICS, keys);
      for (const [i, record] of records.entries()) {
        if (record === undefined || record.reported >= record.count) continue;
        const { sender, site, topic, detail, sample, sampleBytes, count, reported, lastAt } = record;
        const data: Rejection = {
          reason: 'topic_not_allowed',
          detail,
          receivedAt: lastAt,
          device: sender,
          ...(site === undefined ? {} : { site }),
          ...(topic === undefined ? {} : { topic }),
          payload: sample,
          payloadBytes: sampleBytes,
          count: count - reported,
        };
        this.logger.warn({ sender, topic, count: data.count }, 'a topic that is not its sender’s');
        await this.journal.append('rejected', [{ key: sender, data }]);
        // Counted again meanwhile: only what was told is noted.
        const key = keys[i] ?? '';
        await this.#inTurn(async () => {
          const now = (await this.state.get(SET_ASIDE_TOPICS, key)) ?? record;
          await this.state.write([SET_ASIDE_TOPICS.put(key, { ...now, reported: count })]);
        });
      }
    } catch (error) {
      for (const key of keys) this.#untold.add(key);
      this.logger.error({ err: error }, 'refused topics could not be told');
    }
  }
}

function recordOf(message: ForeignMessage, now: number, isFurther: boolean): SetAsideTopic {
  const { reason, detail, sender, site, topic, unknownName, payload, payloadBytes, retain } = message;
  return {
    reason,
    detail: isFurther ? `further topics, too many different ones to list; the last kind: ${detail}` : detail,
    sender,
    ...(site === undefined ? {} : { site }),
    ...(isFurther ? {} : { topic: topic.slice(0, SHOWN_TOPIC) }),
    ...(unknownName === undefined ? {} : { unknownName: unknownName.slice(0, SHOWN_TOPIC) }),
    count: 1,
    firstAt: now,
    lastAt: now,
    sample: Uint8Array.from(payload.subarray(0, SAMPLE_BYTES)),
    sampleBytes: payloadBytes,
    retain,
    reported: 0,
  };
}

/** Of a fixed size, however long the topic is. */
function keyOf(sender: string, topic: string): string {
  return `${sender}/${createHash('sha256').update(topic).digest('hex').slice(0, 32)}`;
}
