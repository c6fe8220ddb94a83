import { boundsFault, ENTRY_BOUNDS } from '#libs/kernel';
import type { StoredForm, StreamShape } from '#libs/streams';
import { HEADER_BYTES, packr, readChunkHeader } from './chunk.js';
import { type Entry, UnreadableEntry } from '#libs/journal';
import { endOfValue } from '../message-pack.js';

/** Where a chunk stands, and what its stream says of its entries. */
export interface ChunkPlace {
  readonly stream: string;
  readonly shard: number;
  readonly firstOffset: number;
  readonly form: StoredForm | undefined;
  readonly shape: StreamShape | undefined;
}

/**
 * The entries of a chunk in their order, each by itself: one that cannot be read stands as such among the others. This is
 * the door through which everything that was stored comes back.
 *
 * @returns none when not even the header can be read
 */
export function decodeChunk(chunk: Buffer, place: ChunkPlace): (Entry | UnreadableEntry)[] {
  if (chunk.length < HEADER_BYTES) return [];
  const { appendedAt, count } = readChunkHeader(chunk);
  const { stream, shard, firstOffset, form, shape } = place;
  // One copy for all: the bytes within the entries are parts of it, and the chunk's own belong to LMDB.
  return pairsIn(Buffer.from(chunk.subarray(HEADER_BYTES)), count).map((pair, i) => {
    const offset = firstOffset + i;
    const unreadable = (key: string | undefined, cause: unknown): UnreadableEntry =>
      new UnreadableEntry(stream, shard, offset, key, cause);
    if (pair instanceof Undecodable) return unreadable(pair.key, pair.cause);
    if (!Array.isArray(pair) || typeof pair[0] !== 'string')
      return unreadable(undefined, new TypeError('no key and data'));
    const [key, stored] = pair as [string, unknown];
    try {
      // What is no list was written before the stream had a form.
      const isPacked = form !== undefined && Array.isArray(stored);
      const data = isPacked ? form.unpack(stored) : stored;
      const fault = boundsOf(data, isPacked) ?? shape?.(data);
      return fault === undefined
        ? { shard, offset, appendedAt, key, data }
        : unreadable(key, new TypeError(fault));
    } catch (cause) {
      return unreadable(key, cause);
    }
  });
}

/** A form makes its data flat; looking through it would cost as much as decoding it. */
function boundsOf(data: unknown, isPacked: boolean): string | undefined {
  return isPacked ? undefined : boundsFault(data, ENTRY_BOUNDS)?.message;
}

class Undecodable {
  constructor(
    readonly key: string | undefined,
    readonly cause: unknown,
  ) {}
}

function pairsIn(bytes: Buffer, count: number): unknown[] {
  try {
    const pairs = packr.unpackMultiple(bytes) as unknown[] | undefined;
    if (pairs?.length === count) return pairs;
  } catch {
    // One of them cannot be decoded.
  }
  return pairsOneByOne(bytes, count);
}

function pairsOneByOne(bytes: Buffer, count: number): unknown[] {
  const pairs: unknown[] = [];
  let at: number | undefined = 0;
  // No entry takes less than a byte, whatever the header says.
  for (let left = Math.min(count, bytes.length); left > 0; left--) {
    const end: number | undefined = at === undefined ? undefined : endOfValue(bytes, at);
    pairs.push(
      at === undefined || end === undefined
        ? new Undecodable(undefined, new RangeError('the bytes end before the entry'))
        : pairIn(bytes.subarray(at, end)),
    );
    at = end;
  }
  return pairs;
}

function pairIn(bytes: Buffer): unknown {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    return new Undecodable(keyIn(bytes), cause);
  }
}

const PAIR = 0x92;

function keyIn(bytes: Buffer): string | undefined {
  const end = bytes[0] === PAIR ? endOfValue(bytes, 1) : undefined;
  try {
    const key: unknown = end === undefined ? undefined : packr.unpack(bytes.subarray(1, end));
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}
