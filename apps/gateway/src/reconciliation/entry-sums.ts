import type { Extent, NewEntry } from '#libs/journal';
import { shownOf } from '#libs/evidence';
import { canonicalJson } from '#libs/kernel';
import type { JournalRef, Observation, Signal } from '#libs/telemetry';
import { createHash, randomBytes } from 'node:crypto';

/** What ingest makes of messages, of which every entry names its own. */
export type FromMessage = NewEntry<Observation | Signal>;

interface ShardSums {
  readonly first: number;
  readonly sums: Uint32Array;
}

/**
 * Compares what was written of messages with what their bytes say, in whatever order they come: four bytes for each message.
 * Each entry is a number that nobody can foresee, added for the one and subtracted for the other. A message of which anything
 * differs is overlooked once in four billion times.
 */
export class EntrySums {
  readonly #shards = new Map<number, ShardSums>();
  readonly #secret = randomBytes(32);

  /** @param withFlags - otherwise flags and what follows from them, amendments, are left out */
  constructor(private readonly withFlags: boolean) {}

  open(windows: readonly Extent[]): void {
    this.#shards.clear();
    for (const [shard, { first, next }] of windows.entries())
      this.#shards.set(shard, { first, sums: new Uint32Array(next - first) });
  }

  written(stream: string, entry: FromMessage): void {
    this.#add(stream, entry, 1);
  }

  said(stream: string, entry: FromMessage): void {
    this.#add(stream, entry, -1);
  }

  /** Messages of which not the same was written as their bytes say. */
  *differing(): Generator<JournalRef> {
    for (const [shard, { first, sums }] of this.#shards)
      for (let at = 0; at < sums.length; at++) if (sums[at] !== 0) yield { shard, offset: first + at };
  }

  #add(stream: string, { key, data }: FromMessage, sign: 1 | -1): void {
    // What the broker itself saw comes from no message.
    if (!('uplink' in data)) return;
    const { shard, offset } = data.uplink;
    const found = this.#shards.get(shard);
    const at = offset - (found?.first ?? 0);
    if (found === undefined || at < 0 || at >= found.sums.length) return;
    const shown = shownOf(data, this.withFlags);
    if (shown === '') return;
    const digest = createHash('sha256')
      .update(this.#secret)
      .update(canonicalJson([stream, key]))
      .update(shown);
    found.sums[at] = (found.sums[at] ?? 0) + sign * digest.digest().readUInt32LE(0);
  }
}
