import type { OpenAPIObject } from '@nestjs/swagger';
import { FIELDS_TYPE, sparse } from './fields.js';

export const CSV_TYPE = 'text/csv';
export const PARQUET_TYPE = 'application/vnd.apache.parquet';
/** What marks a route that gives Parquet too. */
export const PARQUET_EXTENSION = 'x-also-parquet';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
interface Answered {
  readonly content?: Record<string, { readonly schema?: { readonly properties?: object } }>;
}

/** Every list is a table too: whoever reads the document finds in which forms it comes. */
export function describeTables(document: OpenAPIObject): void {
  for (const { get } of Object.values(document.paths)) {
    if (get === undefined) continue;
    const { content } = (get.responses['200'] ?? {}) as Answered;
    const schema = content?.['application/json']?.schema;
    if (content === undefined || schema === undefined || !('items' in (schema.properties ?? {}))) continue;
    const isAlsoParquet = (get as Operation & { [PARQUET_EXTENSION]?: true })[PARQUET_EXTENSION] === true;
    get.parameters = [
      ...(get.parameters ?? []),
      {
        ...{ name: 'format', in: 'query', required: false },
        description:
          'csv: all that the filters fit, whatever `limit` says, as a file (RFC 4180). Times are UTC. Its last line, `#end`, holds the number of rows and the SHA-256 of all bytes before it',
        schema: {
          type: 'string',
          enum: ['json', 'csv', ...(isAlsoParquet ? ['parquet'] : [])],
          default: 'json',
        },
      },
      {
        ...{ name: 'fields', in: 'query', required: false },
        description: `Members of the items, with commas between: each item holds these alone, as \`${FIELDS_TYPE}\`; with format=csv its columns. \`more\`: all that have no name here`,
        schema: { type: 'string' },
      },
    ];
    Object.assign(content, {
      [FIELDS_TYPE]: { schema: sparse(schema as Readonly<Record<string, unknown>>) },
      [CSV_TYPE]: { schema: { type: 'string' } },
      ...(isAlsoParquet ? { [PARQUET_TYPE]: { schema: { type: 'string', format: 'binary' } } } : {}),
    });
  }
}
