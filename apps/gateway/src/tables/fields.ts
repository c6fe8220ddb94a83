import { PantauError } from '#libs/kernel';
import { MORE, type Column } from './columns.js';

/** Of an answer whose items hold only the members that were asked for: its schema is another one. */
export const FIELDS_TYPE = 'application/vnd.pantau.fields+json';

type Node = Readonly<Record<string, unknown>>;

/**
 * The members of the items that `fields` names, separated by commas.
 *
 * @throws PantauError `USAGE` with the names that the list knows
 */
export function membersAsked(text: unknown, columns: readonly Column[]): ReadonlySet<string> {
  const known = new Set(columns.map(({ member }) => member));
  const wanted = typeof text === 'string' ? text.split(',') : [];
  if (wanted.length > 0 && wanted.every((name) => known.has(name))) return new Set(wanted);
  const message = `expected names of ${[...known].join(', ')}, with commas between`;
  throw new PantauError('USAGE', `fields: ${message}`, { fields: [{ field: 'fields', message }] });
}

/** Gives an item with these members alone, in the order that it has. */
export function onlyThese(
  wanted: ReadonlySet<string>,
  columns: readonly Column[],
): (item: object) => Record<string, unknown> {
  const known = new Set(columns.map(({ member }) => member));
  return (item) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => wanted.has(known.has(name) ? name : MORE)));
}

/** The schema of a list whose items may lack any of their members. */
export function sparse(list: Node): Node {
  const definitions = (list['$defs'] ?? {}) as Readonly<Record<string, Node>>;
  const { items, ...others } = list['properties'] as Readonly<Record<string, Node>>;
  const item = withoutRequired((items?.['items'] ?? {}) as Node, definitions);
  return { ...list, properties: { items: { ...items, items: item }, ...others } };
}

function withoutRequired(item: Node, definitions: Readonly<Record<string, Node>>): Node {
  const { $ref } = item;
  if (typeof $ref === 'string')
    return withoutRequired(definitions[$ref.split('/').at(-1) ?? ''] ?? {}, definitions);
  return Object.fromEntries(Object.entries(item).filter(([name]) => name !== 'required' && name !== 'id'));
}
