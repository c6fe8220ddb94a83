/**
 * Writes what documents take from the code: docs/schema (the JSON Schema of every payload, of scenarios and of truth files,
 * from the schemas that check them), and the table of streams in docs/architecture.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { streamsTable } from '../dist/libs/streams/src/index.js';
import { payloadJsonSchemas } from '../dist/libs/telemetry/src/index.js';
import { scenarioJsonSchema, truthJsonSchema } from '../dist/simulators/scenario/src/index.js';

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');
const folder = join(docs, 'schema');
mkdirSync(folder, { recursive: true });
const schemas = { ...payloadJsonSchemas(), scenario: scenarioJsonSchema(), truth: truthJsonSchema() };
for (const [kind, schema] of Object.entries(schemas)) {
  writeFileSync(join(folder, `${kind}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}

const architecture = join(docs, 'architecture.md');
const text = readFileSync(architecture, 'utf8').replace(
  /<!-- streams -->\n[^]*?<!-- \/streams -->/,
  `<!-- streams -->\n\n${streamsTable()}\n\n<!-- /streams -->`,
);
writeFileSync(
  architecture,
  await format(text, { ...(await resolveConfig(architecture)), filepath: architecture }),
);
