import type { Journal, UnreadableEntryListener } from '#libs/journal';
import { PantauError, SECOND } from '#libs/kernel';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { positionText, type LivePosition } from './live-position.js';
import { LiveTail, type LiveEntry } from './live-tail.js';
import { TOPICS, type LiveTopic } from './live-topics.js';

/** What a reader asks for. */
export interface LiveFilter {
  readonly topics: readonly LiveTopic[];
  readonly site: string | undefined;
  readonly device: string | undefined;
}

export interface LiveEvent {
  /** Of the topic; `start` is the first; `lost` says what cannot be had any more; `alive` that there is nothing. */
  readonly type: LiveTopic | 'start' | 'lost' | 'alive';
  /** From where whoever has seen this event goes on. */
  readonly id: string;
  /** JSON on one line. */
  readonly text: string;
}

/** Readers at one time: each holds a connection and the buffers of its socket. */
const MAX_READERS = 1_000;
const PAUSE = SECOND;
/** A reader for which there is nothing gets its place at least this often, and whoever stands between sees that the connection is alive. */
const ALIVE = 15 * SECOND;

/** The shards of a topic, followed while anybody reads it. */
interface Followed {
  readonly tails: Promise<readonly LiveTail[]>;
  readonly stop: AbortController;
  readers: number;
}

/**
 * Follows the journal for everybody who watches: one loop a shard and topic, while somebody follows the topic, and any
 * number of readers, each at its own place. A slow reader is behind and costs nothing but its place.
 */
export class LiveFeed {
  readonly #followed = new Map<LiveTopic, Followed>();
  readonly #closing = new AbortController();
  #readers = 0;
  #news = newNews();
  #alive: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly passedOver: UnreadableEntryListener,
    private readonly onError: (error: unknown) => void,
  ) {}

  get readers(): number {
    return this.#readers;
  }

  /** Ends all readers. */
  close(): void {
    this.#closing.abort();
    this.#tell();
  }

  /**
   * What happens, in the order of each device, until the signal aborts or the feed is closed.
   *
   * @param since - where to go on; topics that it does not name begin now
   * @returns events, those that are there at once together
   * @throws PantauError `OVERLOADED` with too many readers
   */
  async *read(
    filter: LiveFilter,
    since: LivePosition,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LiveEvent[], undefined> {
    if (this.#readers >= MAX_READERS)
      throw new PantauError('OVERLOADED', `${MAX_READERS} readers are connected already.`, {
        transient: true,
      });
    if (this.#readers++ === 0) this.#alive = setInterval(() => this.#tell(), ALIVE).unref();
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    const wake = (): void => this.#tell();
    signal.addEventListener('abort', wake, { once: true });
    const followed = filter.topics.map((topic) => this.#join(topic));
    try {
      yield* this.#events(filter, since, stop);
    } finally {
      for (const [i, topic] of filter.topics.entries()) this.#leave(topic, followed[i] as Followed);
      signal.removeEventListener('abort', wake);
      if (--this.#readers === 0) clearInterval(this.#alive);
    }
  }

  async *#events(
    { topics, site, device }: LiveFilter,
    since: LivePosition,
    stop: AbortSignal,
  ): AsyncGenerator<readonly LiveEvent[], undefined> {
    const tails = new Map<LiveTopic, readonly LiveTail[]>();
    const places = new Map<LiveTopic, number[]>();
    const ahead: LiveTopic[] = [];
    for (const topic of topics) {
      const ofTopic = await (this.#followed.get(topic) as Followed).tails;
      const asked = since.get(topic);
      tails.set(topic, ofTopic);
      places.set(
        topic,
        ofTopic.map(({ end }, shard) => Math.min(asked?.[shard] ?? end, end)),
      );
      if (asked?.some((offset, shard) => offset > (ofTopic[shard] as LiveTail).end) === true)
        ahead.push(topic);
    }
    const isAskedFor = (entry: LiveEntry): boolean =>
      entry.text !== '' && (site ?? entry.site) === entry.site && (device ?? entry.device) === entry.device;
    const place = (type: LiveEvent['type'], data: object): LiveEvent => ({
      type,
      id: positionText(places),
      text: JSON.stringify(data),
    });
    yield [
      place('start', { topics }),
      // The id is one of another journal, such as that of an earlier installation.
      ...ahead.map((topic) => place('lost', { topic, entries: null })),
    ];
    let yieldedAt = performance.now();
    while (!stop.aborted) {
      // Before the look: what comes during it is seen by the next.
      const news = this.#news;
      let isBehind = false;
      for (const [topic, ofTopic] of tails)
        for (const [shard, tail] of ofTopic.entries()) {
          const offsets = places.get(topic) as number[];
          const from = offsets[shard] as number;
          if (from >= tail.end) continue;
          const { entries, next, lost } = await tail.read(from);
          // Reading waits for nothing: without a turn of the event loop whoever catches up would have the thread alone.
          await nextTurn();
          const events: LiveEvent[] = [];
          for (const entry of entries) {
            if (!isAskedFor(entry)) continue;
            offsets[shard] = entry.offset + 1;
            events.push({ type: topic, id: positionText(places), text: entry.text });
          }
          offsets[shard] = next;
          isBehind ||= next < tail.end;
          if (lost > 0) events.push(place('lost', { topic, entries: lost }));
          if (events.length === 0) continue;
          yield events;
          yieldedAt = performance.now();
        }
      if (isBehind) continue;
      if (performance.now() - yieldedAt >= ALIVE) {
        yield [place('alive', {})];
        yieldedAt = performance.now();
      }
      await news.promise;
    }
  }

  #join(topic: LiveTopic): Followed {
    let followed = this.#followed.get(topic);
    if (followed === undefined) {
      const stop = new AbortController();
      followed = { tails: this.#open(topic, stop.signal), stop, readers: 0 };
      this.#followed.set(topic, followed);
    }
    followed.readers++;
    return followed;
  }

  #leave(topic: LiveTopic, followed: Followed): void {
    if (--followed.readers > 0) return;
    followed.stop.abort();
    this.#followed.delete(topic);
  }

  /** Begins to follow a topic, at its end. */
  async #open(topic: LiveTopic, stop: AbortSignal): Promise<readonly LiveTail[]> {
    const { stream } = TOPICS[topic];
    const signal = AbortSignal.any([stop, this.#closing.signal]);
    const tails: LiveTail[] = [];
    for (let shard = 0; shard < this.journal.shards; shard++) {
      const { next } = await this.journal.extent(stream, shard);
      tails.push(new LiveTail(this.journal, topic, shard, next, this.passedOver));
    }
    for (const [shard, tail] of tails.entries()) void this.#pump(topic, shard, tail, signal);
    return tails;
  }

  async #pump(topic: LiveTopic, shard: number, tail: LiveTail, signal: AbortSignal): Promise<void> {
    while (!signal.aborted)
      try {
        await this.journal.waitFor(TOPICS[topic].stream, shard, tail.end, signal);
        await tail.extend();
        this.#tell();
      } catch (error) {
        if (error instanceof PantauError && error.code === 'JOURNAL_CLOSED') return;
        this.onError(error);
        await delay(PAUSE, undefined, { signal }).catch(() => undefined);
      }
  }

  /** Wakes all readers that wait. One promise for all of them and for each turn: a race would hold every one that lost. */
  #tell(): void {
    const { resolve } = this.#news;
    this.#news = newNews();
    resolve();
  }
}

interface News {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function newNews(): News {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
