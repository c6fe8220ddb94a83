/** An item of a list as it is shown. */
export interface Shown<T> {
  readonly item: T;
  /** It was in the list, and the newest answer does not have it any more. */
  readonly isGone: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the list goes on. */
  readonly next?: string | undefined;
}

/** What a newer first page makes of what is shown: nothing moves. New items wait, known ones are renewed where they stand. */
export interface Renewed<T> {
  readonly shown: readonly Shown<T>[];
  readonly waiting: readonly T[];
  /** So much is new that the newest page does not reach what is shown. */
  readonly isApart: boolean;
}

export function renewed<T>(
  shown: readonly Shown<T>[],
  { items, next }: Page<T>,
  by: (item: T) => string,
): Renewed<T> {
  const newest = new Map(items.map((item) => [by(item), item]));
  const reaches = next === undefined ? shown.length : shown.findLastIndex(({ item }) => newest.has(by(item)));
  const known = new Set(shown.map(({ item }) => by(item)));
  return {
    shown: shown.map(({ item, isGone }, place) => {
      const now = newest.get(by(item));
      return { item: now ?? item, isGone: now === undefined && (isGone || place < reaches) };
    }),
    waiting: items.filter((item) => !known.has(by(item))),
    isApart: reaches < 0 && shown.length > 0,
  };
}
