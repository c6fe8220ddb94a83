import { rendered, type LiveChunk, type LiveEvent } from './live-event.js';
import { positionText, type LivePosition } from './live-position.js';
import type { LiveEntry, LivePage, LiveTail } from './live-tail.js';
import type { LiveTopic } from './live-topics.js';

/** Events that wait to be handed out together. */
const MOST_PENDING = 1_000;

/** What a reader asks for. */
export interface LiveFilter {
  readonly topics: readonly LiveTopic[];
  readonly site: string | undefined;
  readonly device: string | undefined;
}

/** Whether somebody who asks for this is sent an entry. */
export function isAskedFor({ site, device }: LiveFilter, entry: LiveEntry): boolean {
  return (
    entry.text !== '' && (site ?? entry.site) === entry.site && (device ?? entry.device) === entry.device
  );
}

/** Events of a page of one shard, with their places. @param places - of those who have seen all before; moved behind the page */
export function eventsOf(
  filter: LiveFilter,
  { topic, shard }: { readonly topic: LiveTopic; readonly shard: number },
  { entries, next, lost }: LivePage,
  places: ReadonlyMap<LiveTopic, number[]>,
): LiveEvent[] {
  const offsets = places.get(topic) as number[];
  const events: LiveEvent[] = [];
  for (const entry of entries) {
    if (!isAskedFor(filter, entry)) continue;
    offsets[shard] = entry.offset + 1;
    events.push({ type: topic, id: positionText(places), text: entry.text });
  }
  offsets[shard] = next;
  if (lost > 0) events.push(placed('lost', places, { topic, entries: lost }));
  return events;
}

export function placed(type: LiveEvent['type'], places: LivePosition, data: object): LiveEvent {
  return { type, id: positionText(places), text: JSON.stringify(data) };
}

/**
 * Those who ask for the same and have seen all that there is. What comes is filtered, rendered and put together once for
 * all of them: each is handed the same bytes.
 */
export class LiveChannel {
  readonly #members = new Set<LiveMember>();
  /** Of events that nobody has been handed yet. */
  #pending: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #handedAt = -Infinity;

  /** @param pace - the least time between two times of handing out. Milliseconds */
  constructor(
    readonly filter: LiveFilter,
    private readonly tails: ReadonlyMap<LiveTopic, readonly LiveTail[]>,
    private readonly pace: () => number,
  ) {}

  /** Of whoever has seen all that was taken up: the tails are told of in the turn in which their ends move. */
  place(): Map<LiveTopic, number[]> {
    return new Map([...this.tails].map(([topic, tails]) => [topic, tails.map(({ end }) => end)]));
  }

  /** For a reader whose place is {@link place} in this turn. */
  join(): LiveMember {
    const member = new LiveMember(this.#pending.length, this.place());
    this.#members.add(member);
    return member;
  }

  leave(member: LiveMember): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = [];
  }

  /** What one of the tails has just taken up. */
  take(source: { readonly topic: LiveTopic; readonly shard: number }, page: LivePage): void {
    if (this.#members.size === 0 || !this.tails.has(source.topic)) return;
    const events = eventsOf(this.filter, source, page, this.place());
    if (events.length === 0) return;
    this.#pending.push(...events.map(rendered));
    const wait = this.#handedAt + this.pace() - performance.now();
    if (wait <= 0 || this.#pending.length >= MOST_PENDING) this.#handOut();
    else this.#timer ??= setTimeout(() => this.#handOut(), wait);
  }

  /** Lets those hear something who have heard nothing for so long. Milliseconds. */
  keepAlive(silence: number): void {
    if (performance.now() - this.#handedAt < silence || this.#pending.length > 0) return;
    if (this.#members.size === 0) return;
    this.#pending.push(rendered(placed('alive', this.place(), {})));
    this.#handOut();
  }

  #handOut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#handedAt = performance.now();
    const pending = this.#pending;
    this.#pending = [];
    const place = this.place();
    const chunks = new Map<number, LiveChunk>();
    for (const member of this.#members) {
      const { from } = member;
      member.from = 0;
      if (from === pending.length) continue;
      const chunk = chunks.get(from) ?? { bytes: Buffer.from(pending.slice(from).join('')), place };
      chunks.set(from, chunk);
      if (!member.hand(chunk)) this.leave(member);
    }
  }
}

/** A reader at the end. One that is still busy with the events before the last is not waited for: it has fallen behind. */
export class LiveMember {
  #next: LiveChunk | undefined;
  #isOver = false;
  #wake: () => void = () => undefined;

  /**
   * @param from - of what is pending, how much it has seen
   * @param place - behind what it was handed
   */
  constructor(
    public from: number,
    public place: LivePosition,
  ) {}

  /** @returns whether it was taken */
  hand(chunk: LiveChunk): boolean {
    if (this.#next === undefined) {
      this.#next = chunk;
      this.place = chunk.place;
    } else this.#isOver = true;
    this.#wake();
    return !this.#isOver;
  }

  /** What it is handed next; undefined when it has fallen behind, or was ended. */
  async next(): Promise<LiveChunk | undefined> {
    if (this.#next === undefined && !this.#isOver)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    const chunk = this.#next;
    this.#next = undefined;
    return chunk;
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }
}
