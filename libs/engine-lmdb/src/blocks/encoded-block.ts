import type { EncodedEntries } from '#libs/journal';
import { PantauError } from '#libs/kernel';

/** Entries of one shard in their stored form, one after the other; few enough for a chunk. */
export interface EncodedBlock {
  readonly shard: number;
  readonly count: number;
  readonly bytes: Buffer;
  /** The same bytes with room before them for the header of a chunk, which is written there instead of copying them. */
  readonly withRoom?: Buffer;
}

/** What this engine makes of entries that are to be appended. */
export class EncodedBlocks implements EncodedEntries {
  readonly byteLength: number;

  constructor(readonly blocks: readonly EncodedBlock[]) {
    this.byteLength = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}

/** @throws PantauError `USAGE` when another journal encoded them */
export function blocksOf(encoded: EncodedEntries): readonly EncodedBlock[] {
  if (encoded instanceof EncodedBlocks) return encoded.blocks;
  throw new PantauError(
    'USAGE',
    'entries were encoded by another journal than the one that is to take them.',
  );
}
