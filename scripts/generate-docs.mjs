/** Writes docs/schema: the JSON Schema of every payload, from the schemas that check the payloads. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { payloadJsonSchemas } from '../dist/libs/telemetry/src/index.js';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'schema');
mkdirSync(folder, { recursive: true });
for (const [kind, schema] of Object.entries(payloadJsonSchemas())) {
  writeFileSync(join(folder, `${kind}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}
