/**
 * Writes what documents take from the code: docs/schema (the JSON Schema of every payload, of scenarios and of truth files,
 * from the schemas that check them), the picture of the air's model beside the recorded stations, and the tables of streams and of namespaces in docs/architecture.md,
 * and of permissions in docs/accounts.md.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { permissionsTable } from '../dist/libs/identity/src/index.js';
import { namespacesTable } from '../dist/libs/state/src/index.js';
import { streamsTable } from '../dist/libs/streams/src/index.js';
import { payloadJsonSchemas } from '../dist/libs/telemetry/src/index.js';
import { airPicture } from '../dist/simulators/replay/src/index.js';
import { scenarioJsonSchema, truthJsonSchema } from '../dist/simulators/scenario/src/index.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const docs = join(root, 'docs');
const dist = join(root, 'dist');
const folder = join(docs, 'schema');
mkdirSync(folder, { recursive: true });
const schemas = { ...payloadJsonSchemas(), scenario: scenarioJsonSchema(), truth: truthJsonSchema() };
for (const [kind, schema] of Object.entries(schemas)) {
  writeFileSync(join(folder, `${kind}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}

mkdirSync(join(docs, 'pictures'), { recursive: true });
writeFileSync(join(docs, 'pictures', 'air-model.svg'), airPicture());

const definitions = [];
for (const folder of ['apps', 'libs'])
  for (const owner of readdirSync(join(dist, folder))) {
    const file = join(dist, folder, owner, 'src/namespaces.js');
    if (!existsSync(file)) continue;
    for (const { definition } of Object.values(await import(file))) definitions.push(definition);
  }

/** Writes tables between their marks. */
async function writeTables(name, tables) {
  const file = join(docs, name);
  let text = readFileSync(file, 'utf8');
  for (const [mark, table] of Object.entries(tables))
    text = text.replace(
      new RegExp(`<!-- ${mark} -->\\n[^]*?<!-- /${mark} -->`),
      `<!-- ${mark} -->\n\n${table}\n\n<!-- /${mark} -->`,
    );
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

await writeTables('architecture.md', { streams: streamsTable(), namespaces: namespacesTable(definitions) });
await writeTables('accounts.md', { permissions: permissionsTable() });
