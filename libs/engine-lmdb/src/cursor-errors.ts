import { PantauError } from '#libs/kernel';

/** For who asks for what is gone. */
export function lostEntries(stream: string, shard: number, from: number, first: number): PantauError {
  return new PantauError(
    'CURSOR_LOST_ENTRIES',
    `${stream}/${shard} begins at ${first}; ${first - from} entries from ${from} are gone.`,
    {
      remedy: 'Retention dropped them. Continue at the beginning of the stream, and keep it longer.',
    },
  );
}

/** For who moves a cursor that somebody else moved. @param stands - where it is */
export function cursorConflict(cursor: string, place: string, stands: number, expected: number): PantauError {
  return new PantauError(
    'CURSOR_CONFLICT',
    `cursor ${cursor} of ${place} stands at ${stands}, not ${expected}.`,
    {
      remedy: 'Another process runs this stage on this shard; run one of them.',
      transient: true,
    },
  );
}
