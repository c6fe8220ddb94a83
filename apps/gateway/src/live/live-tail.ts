import { readPage, type Journal, type UnreadableEntryListener } from '#libs/journal';
import { TOPICS, type LiveTopic, type Shown } from './live-topics.js';

/** An entry as it is sent, rendered once for all readers. */
export interface LiveEntry {
  readonly offset: number;
  readonly site: string | undefined;
  readonly device: string | undefined;
  /** JSON on one line. Empty for an entry that nobody is shown. */
  readonly text: string;
}

export interface LivePage {
  readonly entries: readonly LiveEntry[];
  /** The offset to read next; the one that was asked for when there is nothing behind it. */
  readonly next: number;
  /** Entries that retention took before they were read. */
  readonly lost: number;
}

/** Entries of a shard that are kept rendered. A reader that is further back reads the journal. */
const KEPT = 500;
const PAGE = 500;
/** Pages of the journal that are kept rendered, for readers who are equally far back: after a restart all of them are. */
const KEPT_PAGES = 2;

/**
 * The end of one shard of one topic, shared by all that follow it: each entry is read and rendered once, however many
 * they are.
 */
export class LiveTail {
  #entries: LiveEntry[] = [];
  /** Behind the last of them. */
  #end: number;
  readonly #pages = new Map<number, Promise<LivePage>>();

  /** @param taken - told of what was appended in the turn in which {@link end} moves behind it */
  constructor(
    private readonly journal: Journal,
    private readonly topic: LiveTopic,
    private readonly shard: number,
    end: number,
    private readonly passedOver: UnreadableEntryListener,
    private readonly taken: (page: LivePage) => void,
  ) {
    this.#end = end;
  }

  /** Where the next entry will be taken up. */
  get end(): number {
    return this.#end;
  }

  /** Takes up what was appended. One call at a time. */
  async extend(): Promise<void> {
    const page = await this.#page(this.#end);
    this.#entries.push(...page.entries);
    this.#end = page.next;
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    this.taken(page);
  }

  /** What stands at and behind an offset, up to {@link end}. */
  async read(from: number): Promise<LivePage> {
    const first = this.#entries[0]?.offset ?? this.#end;
    if (from < first) return this.#upToEnd(from, await this.#earlier(from));
    const entries = this.#entries.slice(lowerBound(this.#entries, from)).slice(0, PAGE);
    return { entries, next: Math.max(from, (entries.at(-1)?.offset ?? this.#end - 1) + 1), lost: 0 };
  }

  /** The journal may be further than what was taken up, which its readers are given by another way. */
  #upToEnd(from: number, page: LivePage): LivePage {
    const next = this.#end;
    if (page.next <= next) return page;
    const entries = page.entries.slice(0, lowerBound(page.entries, next));
    return { entries, next, lost: Math.min(page.lost, next - from) };
  }

  /** From the journal, in pages that begin at the same places for everybody. */
  async #earlier(from: number): Promise<LivePage> {
    const start = from - (from % PAGE);
    const { entries, next } = await (this.#pages.get(start) ?? this.#kept(start));
    // The page is of before more was appended, or retention has taken its beginning.
    if (next <= from || entries.length === 0) return this.#page(from);
    return { entries: entries.slice(lowerBound(entries, from)), next, lost: 0 };
  }

  #kept(start: number): Promise<LivePage> {
    const page = this.#page(start);
    const [oldest] = this.#pages.keys();
    if (oldest !== undefined && this.#pages.size >= KEPT_PAGES) this.#pages.delete(oldest);
    this.#pages.set(start, page);
    const forget = (): void => {
      if (this.#pages.get(start) === page) this.#pages.delete(start);
    };
    page.then(({ next }) => {
      if (next < start + PAGE) forget();
    }, forget);
    return page;
  }

  async #page(from: number): Promise<LivePage> {
    const { stream, show } = TOPICS[this.topic];
    const { entries, unreadable, next } = await readPage(this.journal, stream, this.shard, from, PAGE);
    if (unreadable !== undefined) this.passedOver(unreadable);
    const isLost = entries.length === 0 && unreadable === undefined && next > from;
    return {
      entries: entries.map(({ offset, data }) => entryOf(offset, show(data))),
      next,
      lost: isLost ? next - from : 0,
    };
  }
}

function entryOf(offset: number, shown: Shown | undefined): LiveEntry {
  if (shown === undefined) return { offset, site: undefined, device: undefined, text: '' };
  const { site, device, data } = shown;
  return { offset, site, device, text: JSON.stringify(data) };
}

/** The place of the first entry at or behind an offset; entries stand in order, and some offsets may be missing. */
function lowerBound(entries: readonly LiveEntry[], offset: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] as LiveEntry).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
