import { DAY, type UtcMillis } from '#libs/kernel';
import type { Database } from 'lmdb';
import { createHash } from 'node:crypto';
import { HEADER_BYTES, readChunkHeader, type ChunkHeader } from './blocks/chunk.js';
import type { CursorPosition, Removal, RetentionPolicy, RetentionReport } from '#libs/journal';
import type { ChunkKey, LmdbStreams } from './lmdb-streams.js';

/** By the day: retention runs every few minutes, for years. */
type RemovalKey = [stream: string, shard: number, day: number];

/** Removes old entries of the streams of one environment, and records what it took in the same transaction. */
export class Retention {
  readonly #removals: Database<Removal, RemovalKey>;

  constructor(
    private readonly streams: LmdbStreams,
    private readonly onRemoved: (stream: string, shard: number, firstOffset: number) => void,
  ) {
    this.#removals = streams.environment.database('journal-removals', 'msgpack');
  }

  /** Inside a transaction. @param cursors - all that there are */
  apply(
    stream: string,
    shard: number,
    { maxAge = Infinity, maxBytes = Infinity, unread = 'wait' }: RetentionPolicy,
    cursors: Iterable<CursorPosition>,
    now: UtcMillis,
  ): RetentionReport {
    const readers = [...cursors].filter((reader) => reader.stream === stream && reader.shard === shard);
    const slowest = Math.min(...readers.map(({ next }) => next));
    const { next, ...head } = this.streams.head(stream, shard);
    let { first, bytes } = head;
    let droppedBytes = 0;
    let heldBack = 0;
    let removal = this.#removals.get([stream, shard, dayOf(now)]);
    for (const { key, value } of this.streams.chunks.getRange({
      start: [stream, shard, 0],
      end: [stream, shard, next],
    })) {
      const { appendedAt, count } = this.#headerOf(key, value, next);
      if (appendedAt >= now - maxAge && bytes <= maxBytes) break;
      const end = key[2] + count;
      if (heldBack > 0 || (end > slowest && unread === 'wait')) {
        // Counted as if it went, so that the report tells how much is past the limits.
        heldBack += count;
        bytes -= value.length;
        continue;
      }
      removal = {
        ...{ stream, shard, at: now, from: removal?.from ?? key[2], to: end, appendedUntil: appendedAt },
        digest: createHash('sha256')
          .update(removal?.digest ?? '')
          .update(value)
          .digest('hex'),
      };
      void this.streams.chunks.remove(key);
      this.onRemoved(stream, shard, key[2]);
      droppedBytes += value.length;
      first = end;
      bytes -= value.length;
    }
    const dropped = first - head.first;
    if (removal !== undefined && dropped > 0) {
      this.streams.putHead(stream, shard, { first, next, bytes: head.bytes - droppedBytes });
      void this.#removals.put([stream, shard, dayOf(now)], removal);
    }
    const past = first + heldBack;
    return {
      stream,
      shard,
      dropped,
      heldBack,
      cursors: readers
        .filter((reader) => reader.next < past)
        .map((reader) => ({ cursor: reader.cursor, unread: past - reader.next })),
    };
  }

  /**
   * What a chunk says of itself; of one without a header, which readers name, what its neighbour says: it reaches to the next
   * chunk and is no younger.
   */
  #headerOf([stream, shard, first]: ChunkKey, chunk: Buffer, next: number): ChunkHeader {
    if (chunk.length >= HEADER_BYTES) return readChunkHeader(chunk);
    let end = next;
    const behind = { start: [stream, shard, first + 1] as ChunkKey, end: [stream, shard, next] as ChunkKey };
    for (const { key, value } of this.streams.chunks.getRange(behind)) {
      end = Math.min(end, key[2]);
      if (value.length >= HEADER_BYTES)
        return { appendedAt: readChunkHeader(value).appendedAt, count: end - first };
    }
    return { appendedAt: Infinity, count: end - first };
  }

  /** In order of shards, and of time within each. */
  removals(stream: string): Removal[] {
    const range = { start: [stream, 0, 0] as RemovalKey, end: [stream, Infinity, 0] as RemovalKey };
    return Array.from(this.#removals.getRange(range), ({ value }) => value);
  }
}

function dayOf(at: UtcMillis): number {
  return Math.floor(at / DAY);
}
