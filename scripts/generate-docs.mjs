/** Writes docs/schema: the JSON Schema of every payload, of scenarios and of truth files, from the schemas that check them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { payloadJsonSchemas } from '../dist/libs/telemetry/src/index.js';
import { scenarioJsonSchema, truthJsonSchema } from '../dist/simulators/scenario/src/index.js';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'schema');
mkdirSync(folder, { recursive: true });
const schemas = { ...payloadJsonSchemas(), scenario: scenarioJsonSchema(), truth: truthJsonSchema() };
for (const [kind, schema] of Object.entries(schemas)) {
  writeFileSync(join(folder, `${kind}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}
