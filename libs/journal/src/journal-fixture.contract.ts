import type { Clock } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { AnyJournal, Entry } from './journal.js';

export interface JournalFixture extends AsyncDisposable {
  readonly journal: AnyJournal;
  readonly state: StateStore;
  /** The journal's clock, to be moved by the test. */
  readonly clock: { -readonly [K in keyof Clock]: Clock[K] };
  /** Takes the journal's space down to its reserve, or gives it back. */
  setShortOfSpace(isShort: boolean): void;
  /** Closes the journal and opens it again on the same data. */
  reopen(): Promise<AnyJournal>;
}

/** All entries of a stream, shard by shard. */
export async function readAll<T>(journal: AnyJournal, stream: string): Promise<Entry<T>[]> {
  const all: Entry<T>[] = [];
  for (let shard = 0; shard < journal.shards; shard++) {
    const { first } = await journal.extent(stream, shard);
    for (let from = first; ;) {
      const entries = await journal.read(stream, shard, from, 1000);
      if (entries.length === 0) break;
      all.push(...entries);
      from += entries.length;
    }
  }
  return all;
}
