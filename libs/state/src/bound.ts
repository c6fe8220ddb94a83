import type { UtcMillis } from '#libs/kernel';

/** What keeps the rows of a namespace from becoming ever more. */
export type Bound<T = unknown> =
  /** There is one for each of these. */
  | { readonly rowsFor: string }
  /** Its owner removes a row when this is so. */
  | { readonly until: string }
  | AgeBound<T>
  /** There are ever more by intent, for this reason. */
  | { readonly forever: string };

/**
 * Rows go with the entries of their stream (`journal.retention`). Their keys have a time (`sortable`): at the beginning, or behind a
 * name and a slash. The stage that writes them declares that they are trimmed (`Stage.trims`).
 */
export interface AgeBound<T> {
  readonly stream: string;
  /** A name stands before the time. */
  readonly isGrouped?: true;
  /** Of each name the newest of those that are old enough stays. */
  readonly keepsNewest?: true;
  /** Whether one that is old enough by its key may go. */
  isOver?(value: T, before: UtcMillis): boolean;
}

/** For people. */
export function boundText(bound: Bound): string {
  if ('rowsFor' in bound) return `one for ${bound.rowsFor}`;
  if ('until' in bound) return `until ${bound.until}`;
  if ('forever' in bound) return `for ever: ${bound.forever}`;
  return `as long as \`${bound.stream}\``;
}
