import fc, { type Arbitrary } from 'fast-check';

export type Schema = Readonly<Record<string, unknown>>;

/** Texts that have broken programs, and what stands in the test installation under these names. */
const HOSTILE_TEXTS = [
  ...[
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\u202e',
    '\ufeff',
    '\uffff',
    '😀'.repeat(40),
    'x'.repeat(5_000),
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'NaN',
    '-0',
    '1e999',
    '٣',
  ],
  ...['../..', '.', '%00', "' OR 1=1 --", '=1+1', '${7*7}', '*', '#', '+/#', 'udara-01/', '\n', '\r\nx: y'],
  ...[
    '9007199254740993',
    '-1',
    '1.5',
    '0x10',
    '2026-02-30',
    '+275760-09-13T00:00:00.001Z',
    '2026-01-01T24:00:00Z',
  ],
];
const HOSTILE_NUMBERS = [0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 8.64e15 + 1, 1e300, -1e300, 5e-324];

function nested(depth: number, isList: boolean): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = isList ? [value] : { a: value };
  return value;
}

/** An object with a member of that name of its own, also of one that a literal would take for something else. */
export function withMember(value: object, name: string, member: unknown): object {
  return Object.defineProperty({ ...value }, name, {
    value: member,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

export const hostileText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: 'binary', maxLength: 80 }),
);

/** JSON of any shape. */
export const hostileValue: Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(...HOSTILE_NUMBERS, true, false, null, [], {}),
  fc.integer({ min: 1, max: 200 }).map((depth) => nested(depth, depth % 2 === 0)),
  fc.tuple(hostileText, hostileText).map(([name, value]) => withMember({}, name, value)),
  fc.array(fc.integer(), { minLength: 200, maxLength: 300 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Bodies that are no JSON of the kind that a program would write. */
export const hostileBody: Arbitrary<string | Buffer> = fc.oneof(
  fc.constantFrom<string | Buffer>(
    ...['', '{', 'null', '[]', '""', '1e999', '{"__proto__":{"x":1}}', '{"a":1,"a":2}', '"\\ud800"', 'NaN'],
    ...['['.repeat(20_000), `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, `[${'{},'.repeat(20_000)}1]`],
    Buffer.from([0xff, 0xfe, 0x7b]),
    JSON.stringify('x'.repeat(1_100_000)),
  ),
  hostileValue.map((value) => JSON.stringify(value)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

/** A cursor as lists give it, with anything in its places. */
export const forgedCursor: Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom<unknown>(...HOSTILE_NUMBERS), hostileText, fc.constant('pm25')), {
    maxLength: 5,
  })
  .map((place) => Buffer.from(JSON.stringify(place)).toString('base64url'));

const EARLIEST = new Date(0);
const LATEST = new Date('2199-12-31T23:59:59Z');
const instant = fc.date({ min: EARLIEST, max: LATEST, noInvalidDate: true }).map((at) => at.toISOString());

/** Values that fit the schemas of a document. */
export class Values {
  constructor(
    private readonly components: Readonly<Record<string, Schema>>,
    /** What exists, by the name of the member or parameter that would name it. */
    private readonly known: Readonly<Record<string, readonly string[]>>,
  ) {}

  /** @param name - of the member or parameter that has the value */
  fitting(schema: Schema, name: string, depth = 0): Arbitrary<unknown> {
    const known = this.known[name];
    const any = this.#ofSchema(schema, name, depth);
    return known === undefined
      ? any
      : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
  }

  #ofSchema(schema: Schema, name: string, depth: number): Arbitrary<unknown> {
    const { $ref, anyOf, oneOf, enum: choices, const: only, type } = schema;
    if (typeof $ref === 'string')
      return depth > 4
        ? fc.constant(null)
        : this.fitting(this.components[$ref.split('/').at(-1)!] ?? {}, name, depth + 1);
    if (only !== undefined) return fc.constant(only);
    if (Array.isArray(choices)) return fc.constantFrom(...(choices as unknown[]));
    const alternatives = (anyOf ?? oneOf) as readonly Schema[] | undefined;
    if (alternatives !== undefined)
      return fc.oneof(...alternatives.map((one) => this.fitting(one, name, depth + 1)));
    if (Array.isArray(type))
      return fc.oneof(
        ...(type as string[]).map((one) => this.#ofSchema({ ...schema, type: one }, name, depth)),
      );
    if (type === 'object') return this.#object(schema, depth);
    if (type === 'array') return this.#list(schema, name, depth);
    if (type === 'boolean') return fc.boolean();
    if (type === 'integer' || type === 'number') return numberOf(schema);
    return type === 'string' ? textOf(schema, name) : hostileValue;
  }

  #object(
    { properties = {}, required = [], additionalProperties }: Schema,
    depth: number,
  ): Arbitrary<object> {
    const members = Object.entries(properties as Readonly<Record<string, Schema>>);
    const present = fc.record(
      Object.fromEntries(members.map(([name, one]) => [name, this.fitting(one, name, depth + 1)])),
      { requiredKeys: required as string[] },
    );
    if (typeof additionalProperties !== 'object' || depth > 3) return present;
    const value = this.fitting(additionalProperties as Schema, '', depth + 1);
    return fc
      .tuple(present, fc.array(fc.tuple(fc.string({ maxLength: 20 }), value), { maxLength: 3 }))
      .map(([object, more]) => more.reduce<object>((all, [name, one]) => withMember(all, name, one), object));
  }

  #list({ items, prefixItems, minItems, maxItems }: Schema, name: string, depth: number): Arbitrary<unknown> {
    if (Array.isArray(prefixItems))
      return fc.tuple(...(prefixItems as Schema[]).map((one) => this.fitting(one, name, depth + 1)));
    const minLength = (minItems as number | undefined) ?? 0;
    return fc.array(this.fitting((items ?? {}) as Schema, name, depth + 1), {
      minLength,
      maxLength: Math.max(minLength, Math.min(4, (maxItems as number | undefined) ?? 4)),
    });
  }
}

function numberOf({ type, minimum, maximum, exclusiveMinimum }: Schema): Arbitrary<number> {
  const min = Math.max(
    (minimum as number | undefined) ?? Number.MIN_SAFE_INTEGER,
    typeof exclusiveMinimum === 'number' ? exclusiveMinimum + 1 : Number.MIN_SAFE_INTEGER,
  );
  const max = (maximum as number | undefined) ?? Number.MAX_SAFE_INTEGER;
  const edges = fc.constantFrom(min, max);
  return type === 'integer'
    ? fc.oneof(fc.integer({ min, max: Math.min(max, min + 100) }), edges)
    : fc.oneof(fc.double({ min, max, noNaN: true }), edges);
}

function textOf({ format, pattern, minLength, maxLength }: Schema, name: string): Arbitrary<string> {
  if (format === 'date-time' || name === 'from' || name === 'to' || name === 'ts') return instant;
  if (name === 'after') return forgedCursor;
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  const [min = 0, max = 200] = [minLength, maxLength] as (number | undefined)[];
  const bounds = { minLength: min, maxLength: Math.min(max, min + 20) };
  const durations = ['30s', '1h', '1d'].filter((text) => text.length >= min && text.length <= max);
  return fc.oneof(
    fc.string(bounds),
    fc.string({ unit: 'binary', ...bounds }),
    ...(durations.length === 0 ? [] : [fc.constantFrom(...durations)]),
  );
}

/** The same value with one thing about it that is not as it was. */
export function spoilt(value: unknown): Arbitrary<unknown> {
  const places = placesOf(value);
  return fc
    .tuple(fc.nat(places.length - 1), fc.nat(3), hostileValue, hostileText)
    .map(([at, how, what, name]) => changedAt(value, places[at]!, how, what, name));
}

type Place = readonly (string | number)[];

function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null || at.length > 6) return [at];
  return [at, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...at, name]))];
}

function changedAt(
  value: unknown,
  [first, ...rest]: Place,
  how: number,
  what: unknown,
  name: string,
): unknown {
  if (first === undefined) {
    if (how === 1) return [value];
    return how === 2 && typeof value === 'object' && value !== null && !Array.isArray(value)
      ? withMember(value, name, what)
      : what;
  }
  const inner = value as Readonly<Record<string, unknown>>;
  if (how === 3 && rest.length === 0 && !Array.isArray(value))
    return Object.fromEntries(Object.entries(inner).filter(([member]) => member !== first));
  const changed = changedAt(inner[first], rest, how, what, name);
  if (!Array.isArray(value)) return withMember(inner, String(first), changed);
  return value.map((item: unknown, i) => (String(i) === String(first) ? changed : item));
}
