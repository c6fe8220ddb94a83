import { z } from 'zod';

/** Where in the order of a list an item stands: what it is ordered by, so that what comes meanwhile moves nothing. */
type Place = readonly (string | number)[];

/** A cursor is opaque to those who page: only what an answer gave is one. */
export function cursorText(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

const LONGEST_CURSOR = 1_000;

/** The member of a query that says where a list goes on. @param place - what its cursors hold */
export const after = <T extends z.ZodType>(place: T) =>
  z
    .string()
    .max(LONGEST_CURSOR)
    .transform((text, context): z.output<T> => {
      const found = place.safeParse(placeOf(text));
      if (found.success) return found.data;
      context.addIssue({ code: 'custom', message: 'expected `next` of an answer of this list' });
      return z.NEVER;
    })
    .optional()
    .describe('The list goes on after this: `next` of the answer before');

/** An instant in a cursor: one that is stored. */
export const instantPlace = z.int().min(0).max(8.64e15);

/** Where a list that is ordered by names goes on. */
export const afterName = after(z.tuple([z.string().max(500)]));

function placeOf(text: string): unknown {
  try {
    // eslint-disable-next-line no-restricted-properties -- bounded, and flat: anything else is refused by the schema
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown;
  } catch {
    return undefined;
  }
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly truncated?: true;
  /** Of the query that goes on. */
  readonly next?: string;
}

/**
 * A page of a list, and where the next one begins.
 *
 * @param items - one more than the limit when there are more
 */
export function pageOf<T>(items: readonly T[], limit: number, place: (item: T) => Place): Page<T> {
  const last = items[limit - 1];
  if (items.length <= limit || last === undefined) return { items };
  return { items: items.slice(0, limit), truncated: true, next: cursorText(place(last)) };
}

/** The same page with its items as they are shown. */
export function shownAs<T, R>({ items, ...rest }: Page<T>, show: (item: T, i: number) => R): Page<R> {
  return { ...rest, items: items.map(show) };
}

/** Entries that are looked at for one answer: a filter that fits few of many ends a page before it is full. */
export const LOOKED_AT = 5_000;
const BATCH = 500;

interface Keyed {
  readonly key: string;
}

/**
 * Those of an ordered list that fit, until the page is full or enough was looked at; then the page says where to go on, be
 * it empty. It begins with as many as the page may hold, and looks at more at a time where few of them fit.
 *
 * @param read - at most so many items behind a key
 * @param matching - those of a batch that fit, as they are shown, in their order
 */
export async function matchingPage<T extends Keyed, R extends Keyed = T>(
  read: (after: string | undefined, limit: number) => Promise<readonly T[]>,
  matching: (batch: readonly T[]) => readonly R[] | Promise<readonly R[]>,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<Page<R>> {
  const found: R[] = [];
  let at = after;
  let batch = Math.min(BATCH, limit + 1);
  for (let looked = 0; looked < LOOKED_AT; batch = Math.min(BATCH, 2 * batch)) {
    const items = await read(at, batch);
    looked += batch;
    found.push(...(await matching(items)));
    if (found.length > limit) return pageOf(found, limit, ({ key }) => [key]);
    at = items.at(-1)?.key ?? at;
    if (items.length < batch) return { items: found };
  }
  return { items: found, truncated: true, ...(at === undefined ? {} : { next: cursorText([at]) }) };
}
