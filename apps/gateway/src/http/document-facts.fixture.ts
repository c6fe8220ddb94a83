import type { OpenAPIObject } from '@nestjs/swagger';

type Node = Readonly<Record<string, unknown>>;
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

/** What somebody who uses the API may rest on, and what it asks of him, each as a sentence. */
export interface Facts {
  readonly promises: ReadonlySet<string>;
  readonly demands: ReadonlySet<string>;
}

/** Takes a document apart, so that two of them can be compared. */
export function factsOf(document: OpenAPIObject): Facts {
  const promises = new Set<string>();
  const demands = new Set<string>();
  const schemas = (document.components?.schemas ?? {}) as Node;

  const visit = (schema: unknown, at: string, isAsked: boolean, seen: readonly string[]): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const node = schema as Node;
    const { $ref } = node;
    if (typeof $ref === 'string') {
      const name = $ref.replace('#/components/schemas/', '');
      if (!seen.includes(name)) visit(schemas[name], at, isAsked, [...seen, name]);
      return;
    }
    for (const type of [(node['type'] ?? []) as string | string[]].flat())
      promises.add(`${at} may be ${type}`);
    if (Array.isArray(node['enum']))
      for (const value of node['enum'] as unknown[]) promises.add(`${at} may be ${JSON.stringify(value)}`);
    if ('const' in node) promises.add(`${at} may be ${JSON.stringify(node['const'])}`);
    for (const word of ['anyOf', 'oneOf', 'allOf'])
      for (const one of (node[word] ?? []) as unknown[]) visit(one, at, isAsked, seen);
    const required = (node['required'] ?? []) as readonly string[];
    for (const [name, member] of Object.entries((node['properties'] ?? {}) as Node)) {
      const inner = `${at}.${name}`;
      promises.add(`${inner} is there`);
      if (required.includes(name)) (isAsked ? demands : promises).add(`${inner} is always there`);
      visit(member, inner, isAsked, seen);
    }
    visit(node['additionalProperties'], `${at}.*`, isAsked, seen);
    visit(node['items'], `${at}[]`, isAsked, seen);
    for (const [i, one] of ((node['prefixItems'] ?? []) as unknown[]).entries())
      visit(one, `${at}[${i}]`, isAsked, seen);
  };

  for (const [path, operations] of Object.entries(document.paths))
    for (const method of METHODS) {
      const operation = (operations as unknown as Readonly<Record<string, Node | undefined>>)[method];
      if (operation === undefined) continue;
      const route = `${method.toUpperCase()} ${path}`;
      promises.add(`${route} is there`);
      promises.add(`${route} is called ${String(operation['operationId'])}`);
      for (const { name, in: place, required, schema } of (operation['parameters'] ??
        []) as readonly Node[]) {
        const at = `${route} ${String(place)} ${String(name)}`;
        promises.add(`${at} is there`);
        if (required === true) demands.add(`${at} is always there`);
        visit(schema, at, true, []);
      }
      const contents = (holder: unknown, at: string, isAsked: boolean): void => {
        const content = ((holder as Node | undefined)?.['content'] ?? {}) as Readonly<Record<string, Node>>;
        for (const [type, { schema }] of Object.entries(content)) {
          promises.add(`${at} ${type} is there`);
          visit(schema, `${at} ${type} `, isAsked, []);
        }
      };
      contents(operation['requestBody'], `${route} body`, true);
      for (const [status, response] of Object.entries((operation['responses'] ?? {}) as Node))
        if (status.startsWith('2')) contents(response, `${route} ${status}`, false);
    }
  return { promises, demands };
}

/** What of a released document no longer holds; additions are no fault. */
export function brokenPromises(released: OpenAPIObject, current: OpenAPIObject): string[] {
  const [before, now] = [factsOf(released), factsOf(current)];
  /** What is new may ask for whatever it likes. */
  const isOld = (demand: string): boolean => {
    const [route = ''] = /^\w+ \S+/.exec(demand) ?? [];
    return before.promises.has(`${route} is there`);
  };
  return [
    ...[...before.promises].filter((fact) => !now.promises.has(fact)).map((fact) => `no longer: ${fact}`),
    ...[...now.demands]
      .filter((fact) => !before.demands.has(fact) && isOld(fact))
      .map((fact) => `asked for now: ${fact}`),
  ];
}
