import type { Journal } from '#libs/journal';
import type { UtcMillis } from '#libs/kernel';
import type { JournalRef } from '#libs/telemetry';
import { firstAppendedSince, oldestReadable } from '../journal/appended-since.js';

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
      const extent = { first, next: first + states.length };
      const boundary =
        complete === 0 ? first : await firstAppendedSince(this.journal, 'uplink', shard, complete, extent);
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
        const oldest = await oldestReadable(this.journal, stream, shard, { first, next });
        since = Math.max(since, oldest?.appendedAt ?? Infinity);
      }
    }
    return since;
  }
}
