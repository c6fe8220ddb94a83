import { PantauError } from '#libs/kernel';

/**
 * An entry that is there and cannot be given out: its bytes, its depth or its shape are not those of its stream. Whoever
 * reads passes over it, and over nothing else.
 */
export class UnreadableEntry extends PantauError {
  /** @param key - of the entry, where that much could be read */
  constructor(
    readonly stream: string,
    readonly shard: number,
    readonly offset: number,
    readonly key: string | undefined,
    cause: unknown,
  ) {
    super('JOURNAL_CORRUPT', `stream ${stream}, shard ${shard}, offset ${offset} cannot be read.`, {
      remedy: 'Readers pass over it. Check the disk; restore the data folder from a backup if it matters.',
      cause,
    });
  }
}
