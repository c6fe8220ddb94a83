import { HOUR } from '#libs/kernel';
import type { z } from 'zod';
import { openApiSchema } from '../http/openapi.js';

type Node = Readonly<Record<string, unknown>>;
/** What stands for all members that a schema does not name. */
export const MORE = 'more';

/** A column of a table, and what it says of an item. */
export interface Column {
  /** The members on the way to it, with points between. */
  readonly name: string;
  /** The member of the item that it is or lies in; `more` for what the schema does not name. */
  readonly member: string;
  readonly of: (item: Node) => unknown;
}

/** The columns of a list, from the schema of its answer; undefined for an answer that is no list. */
export function columnsOf(answer: z.ZodType): readonly Column[] | undefined {
  const schema = openApiSchema(answer, 'output') as Node;
  const definitions = (schema['$defs'] ?? {}) as Readonly<Record<string, Node>>;
  const { items } = (schema['properties'] ?? {}) as Readonly<Record<string, Node | undefined>>;
  if (items?.['type'] !== 'array') return undefined;
  return ofObject(resolved(items['items'] as Node, definitions), definitions, []);
}

function ofObject(
  schema: Node,
  definitions: Readonly<Record<string, Node>>,
  path: readonly string[],
): Column[] {
  const properties = membersOf(schema, definitions) ?? {};
  const columns = Object.entries(properties).flatMap(([name, member]) => {
    const inner = resolved(member, definitions);
    const at = [...path, name];
    return membersOf(inner, definitions) === undefined ? leaf(at) : ofObject(inner, definitions, at);
  });
  if (schema['properties'] === undefined || typeof schema['additionalProperties'] !== 'object')
    return columns;
  // Whatever else an item has, such as the detail of a kind of alert.
  const known = new Set(Object.keys(properties));
  const more = (item: Node): unknown => {
    const others = Object.entries((at(item, path) ?? {}) as Node).filter(([name]) => !known.has(name));
    return others.length === 0 ? undefined : Object.fromEntries(others);
  };
  const name = [...path, MORE];
  const [member = MORE] = name;
  return [...columns, { name: name.join('.'), member, of: more }];
}

/** An hour is written with both its ends: 14:00 alone may be either. */
function leaf(path: readonly string[]): Column[] {
  const [member = ''] = path;
  const column = { name: path.join('.'), member, of: (item: Node) => at(item, path) };
  if (path.at(-1) !== 'hour') return [column];
  const end = (item: Node): unknown => new Date(Date.parse(String(at(item, path))) + HOUR).toISOString();
  return [column, { name: `${column.name}End`, member, of: end }];
}

function at(item: Node, path: readonly string[]): unknown {
  let value: unknown = item;
  for (const name of path)
    value = typeof value === 'object' && value !== null ? (value as Node)[name] : undefined;
  return value;
}

/** The members of an object where they are known, so that each is a column: by name, or as those of an enumeration. */
function membersOf(
  { type, properties, propertyNames, additionalProperties }: Node,
  definitions: Readonly<Record<string, Node>>,
): Readonly<Record<string, Node>> | undefined {
  if (type !== 'object') return undefined;
  if (properties !== undefined) return properties as Readonly<Record<string, Node>>;
  const { enum: names } = resolved((propertyNames ?? {}) as Node, definitions);
  if (!Array.isArray(names)) return undefined;
  return Object.fromEntries((names as string[]).map((name) => [name, additionalProperties as Node]));
}

/** The schema that a reference means; of one that may be null too, the other. */
function resolved(schema: Node, definitions: Readonly<Record<string, Node>>): Node {
  const { $ref, anyOf } = schema;
  if (typeof $ref === 'string') return resolved(definitions[$ref.split('/').at(-1) ?? ''] ?? {}, definitions);
  if (!Array.isArray(anyOf)) return schema;
  const others = (anyOf as Node[]).filter(({ type }) => type !== 'null');
  return others.length === 1 && others[0] !== undefined ? resolved(others[0], definitions) : schema;
}
