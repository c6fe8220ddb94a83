import { PantauError } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import { JOURNAL } from './namespaces.js';

const DEFAULT_SHARDS = 4;

/**
 * Into how many shards the journal is split: as it was made, whatever is wanted now.
 *
 * @throws PantauError `CONFIG_INVALID`, `JOURNAL_CORRUPT` when the number cannot be read
 */
export async function journalShards(state: StateStore, wanted = DEFAULT_SHARDS): Promise<number> {
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 256)
    throw new PantauError('CONFIG_INVALID', `the journal has 1 to 256 shards, not ${wanted}.`);
  await state.putIfAbsent(JOURNAL, 'shards', wanted);
  // Within a transaction: what another process has just written may not be seen outside of one yet.
  if (await state.writeIf([JOURNAL.seen('shards', wanted)], [])) return wanted;
  const shards = await state.get(JOURNAL, 'shards');
  if (shards === undefined)
    throw new PantauError('JOURNAL_CORRUPT', 'it cannot be read into how many shards the journal is split.', {
      remedy: 'Put the data folder back from a backup.',
    });
  return shards;
}
