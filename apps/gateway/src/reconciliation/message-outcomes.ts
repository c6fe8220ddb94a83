import { pagesOf, type Entry, type Extent, type Journal } from '#libs/journal';
import type { UtcMillis } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import type { JournalRef } from '#libs/telemetry';

/** What a message became; the first that applies counts. */
const OUTCOMES = ['reading', 'signal', 'command', 'refused', 'ignored', 'repeated'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The streams that hold what messages become. */
const TRACES = ['readings', 'signals', 'commands', 'rejected'] as const;

const NOT_ASKED = 0;
const OPEN = 1;

interface ShardOutcomes {
  readonly first: number;
  /** A byte for each message. */
  readonly states: Uint8Array;
}

/** What messages of the journal became, a window at a time: one byte for each while it is open. */
export class MessageOutcomes {
  /** `open` holds those without a trace, `taken` how many of them may have left one that retention took. */
  readonly counts = {
    ...{ reading: 0, signal: 0, command: 0, refused: 0, ignored: 0, repeated: 0 },
    ...{ open: 0, kept: 0, taken: 0 },
  };
  readonly #shards = new Map<number, ShardOutcomes>();

  constructor(private readonly journal: Journal) {}

  /** @param isAsked - whether all of them are asked for; otherwise each is named by {@link begin} */
  open(shard: number, first: number, next: number, isAsked = true): void {
    this.#shards.set(shard, { first, states: new Uint8Array(next - first).fill(isAsked ? OPEN : NOT_ASKED) });
  }

  begin({ shard, offset }: JournalRef): void {
    const found = this.#shards.get(shard);
    if (found !== undefined) found.states[offset - found.first] = OPEN;
  }

  settle({ shard, offset }: JournalRef, outcome: Outcome): void {
    const found = this.#shards.get(shard);
    const at = offset - (found?.first ?? 0);
    const state = found?.states[at] ?? NOT_ASKED;
    if (found === undefined || state === NOT_ASKED) return;
    const settled = OUTCOMES.indexOf(outcome) + 2;
    found.states[at] = state === OPEN ? settled : Math.min(state, settled);
  }

  /** Counts what is open; every trace was settled. */
  async close(): Promise<void> {
    const { counts } = this;
    const complete = await this.#completeSince();
    for (const [shard, { first, states }] of this.#shards) {
      const boundary = await this.#firstAppendedAfter(complete, shard, {
        first,
        next: first + states.length,
      });
      for (const [at, state] of states.entries()) {
        if (state === NOT_ASKED) continue;
        counts.kept++;
        const outcome = state === OPEN ? undefined : OUTCOMES[state - 2];
        if (outcome !== undefined) counts[outcome]++;
        else {
          counts.open++;
          if (first + at < boundary) counts.taken++;
        }
      }
    }
    this.#shards.clear();
  }

  /** From when on every trace is kept: a trace is appended after its message. */
  async #completeSince(): Promise<UtcMillis> {
    let since = 0;
    for (const stream of TRACES) {
      for (let shard = 0; shard < this.journal.shards; shard++) {
        const { first, next } = await this.journal.extent(stream, shard);
        if (first === 0) continue;
        const oldest = await this.#oldestFrom(stream, shard, first, next);
        since = Math.max(since, oldest?.appendedAt ?? Infinity);
      }
    }
    return since;
  }

  async #firstAppendedAfter(since: UtcMillis, shard: number, { first, next }: Extent): Promise<number> {
    let [low, high] = [first, next];
    if (since === 0) return first;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      // What retention has taken meanwhile was older.
      const isKept = middle >= (await this.journal.extent('uplink', shard)).first;
      const entry = isKept ? await this.#oldestFrom('uplink', shard, middle, next) : undefined;
      if (entry === undefined || entry.appendedAt < since) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first entry from an offset on that can be read; each is appended no earlier than those before it. */
  async #oldestFrom(stream: StreamName, shard: number, from: number, to: number): Promise<Entry | undefined> {
    const pages = pagesOf(this.journal, stream, shard, () => undefined, { from, to, page: 1 });
    for await (const [oldest] of pages) return oldest;
    return undefined;
  }
}
