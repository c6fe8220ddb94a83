import type { Journal, UnreadableEntryListener } from '#libs/journal';
import { PantauError, SECOND } from '#libs/kernel';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { eventsOf, LiveChannel, placed, type LiveFilter } from './live-channel.js';
import { rendered, type LiveEvent } from './live-event.js';
import type { LivePosition } from './live-position.js';
import { LiveTail, type LivePage } from './live-tail.js';
import { TOPICS, type LiveTopic } from './live-topics.js';

/** Readers at one time: each holds a connection and the buffers of its socket. */
const MAX_READERS = 1_000;
const PAUSE = SECOND;
/** A reader for which there is nothing gets its place at least this often, and whoever stands between sees that the connection is alive. */
const ALIVE = 15 * SECOND;
/**
 * Milliseconds between two times of handing out, for each reader. To hand one its events takes about a fifth of this, so that
 * however much comes, four fifths of the thread are left to others.
 */
const PACE = 0.25;

/** The shards of a topic, followed while anybody reads it. */
interface Followed {
  readonly tails: Promise<readonly LiveTail[]>;
  readonly stop: AbortController;
  readers: number;
}

/** Those who ask for the same, and how many they are. */
interface Shared {
  readonly channel: LiveChannel;
  readers: number;
}

/**
 * Follows the journal for everybody who watches: one loop a shard and topic, while somebody follows the topic. Readers who
 * have seen all are handed what comes by the channel of those who ask for the same. A reader who is behind reads for itself
 * until it has seen all; a slow one is behind and costs nothing but its place.
 */
export class LiveFeed {
  readonly #followed = new Map<LiveTopic, Followed>();
  readonly #shared = new Map<string, Shared>();
  readonly #closing = new AbortController();
  #readers = 0;
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
  }

  /**
   * What happens, in the order of each device, until the signal aborts or the feed is closed.
   *
   * @param since - where to go on; topics that it does not name begin now
   * @returns server-sent events as they are sent, those that are there at once together
   * @throws PantauError `OVERLOADED` with too many readers
   */
  async *read(
    filter: LiveFilter,
    since: LivePosition,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, undefined> {
    if (this.#readers >= MAX_READERS)
      throw new PantauError('OVERLOADED', `${MAX_READERS} readers are connected already.`, {
        transient: true,
      });
    if (this.#readers++ === 0) this.#alive = setInterval(() => this.#keepAlive(), ALIVE).unref();
    const followed = filter.topics.map((topic) => this.#join(topic));
    try {
      const tails = new Map<LiveTopic, readonly LiveTail[]>();
      for (const [i, topic] of filter.topics.entries())
        tails.set(topic, await (followed[i] as Followed).tails);
      yield* this.#events(filter, tails, since, AbortSignal.any([signal, this.#closing.signal]));
    } finally {
      for (const [i, topic] of filter.topics.entries()) this.#leave(topic, followed[i] as Followed);
      if (--this.#readers === 0) clearInterval(this.#alive);
    }
  }

  async *#events(
    filter: LiveFilter,
    tails: ReadonlyMap<LiveTopic, readonly LiveTail[]>,
    since: LivePosition,
    stop: AbortSignal,
  ): AsyncGenerator<Buffer, undefined> {
    const key = JSON.stringify([filter.topics, filter.site, filter.device]);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { channel: new LiveChannel(filter, tails, () => this.#readers * PACE), readers: 0 };
      this.#shared.set(key, shared);
    }
    shared.readers++;
    const { channel } = shared;
    try {
      const { place, ahead } = placeIn(tails, since);
      // An id that is ahead is one of another journal, such as that of an earlier installation.
      yield bytesOf([
        placed('start', place, { topics: filter.topics }),
        ...ahead.map((topic) => placed('lost', place, { topic, entries: null })),
      ]);
      while (!stop.aborted) {
        if (isBehind(tails, place)) {
          yield* catchUp(filter, tails, place, stop);
          continue;
        }
        // Nothing is awaited between that look and this: what comes later, the channel hands over.
        const member = channel.join();
        const end = (): void => member.end();
        stop.addEventListener('abort', end, { once: true });
        try {
          for (let chunk = await member.next(); chunk !== undefined; chunk = await member.next())
            yield chunk.bytes;
        } finally {
          stop.removeEventListener('abort', end);
          channel.leave(member);
        }
        for (const [topic, offsets] of member.place) place.set(topic, [...offsets]);
      }
    } finally {
      if (--shared.readers === 0) this.#shared.delete(key);
    }
  }

  #keepAlive(): void {
    for (const { channel } of this.#shared.values()) channel.keepAlive(ALIVE);
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
      const taken = (page: LivePage): void => {
        for (const { channel } of this.#shared.values()) channel.take({ topic, shard }, page);
      };
      tails.push(new LiveTail(this.journal, topic, shard, next, this.passedOver, taken));
    }
    for (const [shard, tail] of tails.entries()) void this.#pump(topic, shard, tail, signal);
    return tails;
  }

  async #pump(topic: LiveTopic, shard: number, tail: LiveTail, signal: AbortSignal): Promise<void> {
    while (!signal.aborted)
      try {
        await this.journal.waitFor(TOPICS[topic].stream, shard, tail.end, signal);
        await tail.extend();
      } catch (error) {
        if (error instanceof PantauError && error.code === 'JOURNAL_CLOSED') return;
        this.onError(error);
        await delay(PAUSE, undefined, { signal }).catch(() => undefined);
      }
  }
}

const bytesOf = (events: readonly LiveEvent[]): Buffer => Buffer.from(events.map(rendered).join(''));

/** Where a reader begins: behind what it has seen, elsewhere at the end. */
function placeIn(tails: ReadonlyMap<LiveTopic, readonly LiveTail[]>, since: LivePosition) {
  const place = new Map<LiveTopic, number[]>();
  const ahead: LiveTopic[] = [];
  for (const [topic, ofTopic] of tails) {
    const asked = since.get(topic);
    const offsets = ofTopic.map(({ end }, shard) => Math.min(asked?.[shard] ?? end, end));
    place.set(topic, offsets);
    if (asked?.some((offset, shard) => offset > (ofTopic[shard]?.end ?? 0)) === true) ahead.push(topic);
  }
  return { place, ahead };
}

function isBehind(
  tails: ReadonlyMap<LiveTopic, readonly LiveTail[]>,
  place: ReadonlyMap<LiveTopic, readonly number[]>,
): boolean {
  return [...tails].some(([topic, ofTopic]) =>
    ofTopic.some(({ end }, shard) => (place.get(topic)?.[shard] ?? end) < end),
  );
}

/** What stands between a place and the end, for one reader. @param place - is moved */
async function* catchUp(
  filter: LiveFilter,
  tails: ReadonlyMap<LiveTopic, readonly LiveTail[]>,
  place: Map<LiveTopic, number[]>,
  stop: AbortSignal,
): AsyncGenerator<Buffer, undefined> {
  let yieldedAt = performance.now();
  while (isBehind(tails, place) && !stop.aborted)
    for (const [topic, ofTopic] of tails)
      for (const [shard, tail] of ofTopic.entries()) {
        const from = (place.get(topic) as number[])[shard] as number;
        if (from >= tail.end) continue;
        const page = await tail.read(from);
        // Reading waits for nothing: without a turn of the event loop whoever catches up would have the thread alone.
        await nextTurn();
        const events = eventsOf(filter, { topic, shard }, page, place);
        if (events.length === 0 && performance.now() - yieldedAt >= ALIVE)
          events.push(placed('alive', place, {}));
        if (events.length === 0) continue;
        yield bytesOf(events);
        yieldedAt = performance.now();
      }
}
