import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { payloadJsonSchemas } from './json-schemas.js';

const DOCS = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'schema');

describe('docs/schema', () => {
  it.each(Object.entries(payloadJsonSchemas()))(
    'shows the %s payload as it is checked (npm run docs:schema writes it)',
    (kind, schema) => {
      const written: unknown = JSON.parse(readFileSync(join(DOCS, `${kind}.schema.json`), 'utf8'));
      expect(written).toEqual(JSON.parse(JSON.stringify(schema)));
    },
  );
});
