import { Packr } from 'msgpackr';
import type { UtcMillis } from '#libs/kernel';
import type { StoredForm } from '#libs/streams';
import type { NewEntry } from '#libs/journal';
import type { EncodedBlock } from './encoded-block.js';

/**
 * The stored form of consecutive entries of one shard: an 8-byte big-endian float (time of the append), a 4-byte
 * count, then for each entry standard MessagePack `[key, data]`, the data in the form of its stream. The header can be read
 * without decoding the rest.
 */
export const HEADER_BYTES = 12;

/** Entries stored under one key. Large enough to amortise the B-tree, small enough that reading from its middle is cheap. */
export const MAX_CHUNK_ENTRIES = 256;
/** A chunk ends with the entry that reaches this. */
export const MAX_CHUNK_BYTES = 4 * 1024 * 1024;

// No record extension: the bytes stay standard MessagePack, and keys that a device chose never become code.
export const packr = new Packr({ useRecords: false });

/** @throws TypeError when the data is not plain; what the form throws */
export function encodeEntry({ key, data }: NewEntry, form?: StoredForm): Buffer {
  return packr.pack([key, form === undefined ? data : form.pack(data)]);
}

/** Number of entries in all. */
export function countOf(pieces: readonly EncodedBlock[]): number {
  return pieces.reduce((sum, { count }) => sum + count, 0);
}

/** Joins encoded entries into a chunk. A single piece that has room for the header becomes one where it lies. */
export function encodeChunk(pieces: readonly EncodedBlock[], appendedAt: UtcMillis): Buffer {
  const [first] = pieces;
  const chunk =
    pieces.length === 1 && first?.withRoom !== undefined
      ? first.withRoom
      : Buffer.concat([Buffer.allocUnsafe(HEADER_BYTES), ...pieces.map(({ bytes }) => bytes)]);
  chunk.writeDoubleBE(appendedAt, 0);
  chunk.writeUInt32BE(countOf(pieces), 8);
  return chunk;
}

export interface ChunkHeader {
  readonly appendedAt: UtcMillis;
  readonly count: number;
}

export function readChunkHeader(chunk: Buffer): ChunkHeader {
  return { appendedAt: chunk.readDoubleBE(0), count: chunk.readUInt32BE(8) };
}

/** The entries as they were before they were encoded in this form. */
export function decodeEntries({ bytes }: EncodedBlock, form?: StoredForm): NewEntry[] {
  const pairs = packr.unpackMultiple(bytes) as unknown as [string, unknown][];
  return pairs.map(([key, stored]) => ({ key, data: dataOf(stored, form) }));
}

function dataOf(stored: unknown, form: StoredForm | undefined): unknown {
  // What is no list was written before the stream had a form.
  return form !== undefined && Array.isArray(stored) ? form.unpack(stored) : stored;
}
