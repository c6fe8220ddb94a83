import 'reflect-metadata';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describeApi } from '../describe-api.js';

type Schema = Readonly<Record<string, unknown>>;
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}
interface Operation {
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

const document = await describeApi();
const operations = Object.entries(document.paths).flatMap(([path, ofPath]) =>
  Object.entries(ofPath as unknown as Readonly<Record<string, Operation>>).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
  ),
);

/** Where a schema says nothing about a value, so that a client would call it `unknown`. */
function vague(
  schema: unknown,
  components: OpenAPIObject['components'],
  at: string,
  seen = new Set<string>(),
): string[] {
  if (typeof schema !== 'object' || schema === null) return schema === false ? [] : [at];
  const { $ref, anyOf, oneOf, allOf, type, enum: values, const: value } = schema as Schema;
  if (typeof $ref === 'string') {
    const name = $ref.replace('#/components/schemas/', '');
    if (seen.has(name)) return [];
    const known = (components?.schemas as Readonly<Record<string, unknown>> | undefined)?.[name];
    return vague(known, components, name, new Set([...seen, name]));
  }
  const inner = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  if (inner.length > 0) return inner.flatMap((one, i) => vague(one, components, `${at}/${i}`, seen));
  if (type === undefined && values === undefined && value === undefined) return [at];
  const {
    properties = {},
    additionalProperties,
    items,
    prefixItems,
  } = schema as Readonly<Record<string, Schema | undefined>>;
  const isObject = type === 'object' || (Array.isArray(type) && type.includes('object'));
  const isList = type === 'array' || (Array.isArray(type) && type.includes('array'));
  return [
    ...Object.entries(properties).flatMap(([name, one]) => vague(one, components, `${at}.${name}`, seen)),
    ...(isObject && (additionalProperties !== undefined || Object.keys(properties).length === 0)
      ? vague(additionalProperties, components, `${at}.*`, seen)
      : []),
    ...(Array.isArray(prefixItems)
      ? (prefixItems as unknown[]).flatMap((one, i) => vague(one, components, `${at}[${i}]`, seen))
      : []),
    ...(isList && prefixItems === undefined ? vague(items, components, `${at}[]`, seen) : []),
  ];
}

/** Of an operation, what is missing for a client that has types for all of it. */
function gaps({ security, parameters = [], requestBody, responses }: Operation): string[] {
  const { components } = document;
  const contents = ({ content = {} }: Content, at: string): string[] =>
    Object.entries(content).flatMap(([type, { schema }]) => vague(schema, components, `${at} ${type}`));
  const statuses = Object.keys(responses);
  // A redirection says where to go, and has no content.
  const answered = statuses.filter((status) => status.startsWith('2') || status === '302');
  const required = ['400', '429', '500', '503', ...(security === undefined ? [] : ['401', '403'])];
  return [
    ...(answered.length === 0 ? ['answers nothing'] : []),
    ...statuses
      .filter((status) => !['204', '302', '304'].includes(status) && responses[status]?.content === undefined)
      .map((status) => `${status} without content`),
    ...required.filter((status) => responses[status] === undefined).map((status) => `no ${status}`),
    ...Object.entries(responses).flatMap(([status, response]) => contents(response, status)),
    ...(requestBody === undefined ? [] : contents(requestBody, 'body')),
    ...parameters.flatMap(({ name, schema }) => vague(schema, components, name)),
  ];
}

describe('the document of the API', () => {
  it('is OpenAPI 3.1 and holds every schema that it refers to', () => {
    expect(document.openapi).toBe('3.1.0');
    const text = JSON.stringify(document);
    expect(text).not.toMatch(/\$defs|"nullable"/);
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(Object.keys(document.components?.schemas ?? {})).toContain(name);
  });

  it.each(operations)('%s has the type of all that it takes and answers', (_name, operation) => {
    expect(gaps(operation)).toEqual([]);
  });

  it('goes on behind a cursor in every list that can be long', () => {
    const bounded = [
      // Of one device in a month; as many as a chart has pixels; the members that are kept of a device; what stands in a file.
      ...['/api/v1/rollups', '/api/v1/devices/{device}/timeline', '/api/v1/readings/envelope'],
      ...['/api/v1/devices/{device}/unread', '/api/v1/rules'],
      // As many days as are asked for, a month at most.
      '/api/v1/reconciliation/days',
      // The people of an installation, and what they hold.
      ...['/api/v1/users', '/api/v1/tokens', '/api/v1/sessions'],
    ];
    const resolved = (schema: Schema | undefined): Schema => {
      const name = typeof schema?.['$ref'] === 'string' ? schema['$ref'].split('/').at(-1) : undefined;
      return name === undefined
        ? (schema ?? {})
        : ((document.components?.schemas?.[name] ?? {}) as unknown as Schema);
    };
    const lists = operations.filter(([name, { responses }]) => {
      const schema = resolved(responses['200']?.content?.['application/json']?.schema);
      return name.startsWith('GET ') && Object.keys(schema['properties'] ?? {}).includes('items');
    });
    expect(lists.length).toBeGreaterThan(10);
    for (const [name, { parameters = [], responses }] of lists) {
      if (bounded.includes(name.slice(4))) continue;
      const schema = resolved(responses['200']?.content?.['application/json']?.schema);
      const query = parameters.filter((one) => one.in === 'query').map((one) => one.name);
      expect({ name, query, next: Object.keys(schema['properties'] ?? {}) }).toEqual({
        name,
        query: expect.arrayContaining(['after', 'limit']) as string[],
        next: expect.arrayContaining(['next']) as string[],
      });
    }
  });

  it('would notice a route without a type', () => {
    const described = { content: { 'application/json': { schema: { type: 'object' } } } };
    expect(gaps({ responses: {} })).toContain('answers nothing');
    expect(gaps({ responses: { 200: {} } })).toContain('200 without content');
    expect(gaps({ security: [], responses: { 200: described } })).toEqual(
      expect.arrayContaining(['no 400', 'no 401', '200 application/json.*']),
    );
  });
});
