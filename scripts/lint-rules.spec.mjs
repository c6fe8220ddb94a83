import { ESLint, Linter } from 'eslint';
import { parser } from 'typescript-eslint';

/** What the project's own configuration of ESLint says of a line, with the rules that need no types. */
async function messages(path, source) {
  const { rules } = await new ESLint().calculateConfigForFile(path);
  const chosen = Object.entries(rules).filter(([name]) => /^(no-restricted-.*|max-lines)$/.test(name));
  return new Linter()
    .verify(
      source,
      { files: ['**/*.ts'], languageOptions: { parser }, rules: Object.fromEntries(chosen) },
      { filename: 'x.ts' },
    )
    .map(({ message }) => message);
}

const READS = 'await this.pantau.journal.read(name, 0, 0, 1);';
const DEFINES = "import { defineNamespace } from '#libs/state';";
const ROW = "import type { Row } from '#libs/kernel';";
const PLACES = 'type Stored = readonly [ts: number, value: number, flag: number, site?: string];';
const RAW_WRITE = "void state.write([{ namespace: 'evidence/liveness', key: 'k', value: 1 }]);";
const YAML = "import { parse } from 'yaml';";

describe('lint', () => {
  it.each([
    ['what is stored read past the door', 'apps/gateway/src/x.ts', READS, 'readPage'],
    ['also through a variable', 'libs/evidence/src/x.ts', 'journal.readBackwards(name);', 'readPage'],
    ['also in the file of a form', 'libs/evidence/src/x-form.ts', READS, 'readPage'],
    ['a row outside of the file of a form', 'libs/evidence/src/x.ts', ROW, '-form.ts'],
    ['the places of a row outside of the file of a form', 'apps/gateway/src/x.ts', PLACES, '-form.ts'],
    ['the places of a row in the journal', 'libs/journal/src/x.ts', PLACES, '-form.ts'],
    ['a namespace outside of namespaces.ts', 'apps/gateway/src/x.ts', DEFINES, 'namespaces.ts'],
    ['a namespace in the file of a form', 'apps/gateway/src/x-form.ts', DEFINES, 'namespaces.ts'],
    ['all namespaces handed on', 'libs/evidence/src/x.ts', "export * from './namespaces.js';", 'query'],
    ['a namespace handed on', 'libs/evidence/src/x.ts', "export { A } from './namespaces.js';", 'query'],
    ['a row written past its namespace', 'apps/gateway/src/x.ts', RAW_WRITE, 'declared namespace'],
    ['also in the journal', 'libs/journal/src/x.ts', RAW_WRITE, 'declared namespace'],
    ['also in the file of a form', 'apps/ingest/src/x-form.ts', RAW_WRITE, 'declared namespace'],
    ['YAML without bounds', 'libs/platform/src/x.ts', YAML, 'parseYamlDocument'],
    ['YAML without bounds beside namespaces', 'apps/gateway/src/namespaces.ts', YAML, 'parseYamlDocument'],
    ['JSON without bounds', 'apps/ingest/src/x.ts', 'JSON.parse(text);', 'parseJson'],
    [
      'a stream by its name',
      'apps/alerts/src/x.ts',
      "import { EventPattern } from '@nestjs/microservices';",
      'FromStream',
    ],
    ['a file of more than 400 lines', 'apps/alerts/src/x.ts', 'f();\n'.repeat(401), '400'],
    ['also one of tests', 'apps/alerts/src/x.e2e-spec.ts', 'f();\n'.repeat(401), '400'],
    ['the time of the machine', 'apps/alerts/src/x.ts', 'Date.now();', 'Clock'],
    ['chance without a seed', 'simulators/scenario/x.ts', 'Math.random();', 'seeded'],
  ])('refuses %s', async (_what, path, source, remedy) => {
    expect(await messages(path, source)).toEqual([expect.stringContaining(remedy)]);
  });

  it.each([
    ['the journal', 'libs/journal/src/x.ts', READS],
    ['the shared reads', 'libs/journal-transport/src/shared-reads.ts', READS],
    ['the file of a form', 'libs/evidence/src/x-form.ts', `${ROW}\n${PLACES}`],
    [
      'three coordinates',
      'libs/evidence/src/x.ts',
      'type Point = readonly [x: number, y: number, z: number];',
    ],
    ['namespaces.ts', 'apps/gateway/src/namespaces.ts', DEFINES],
    ['a test', 'apps/gateway/src/x.spec.ts', `${READS}\nDate.now();`],
    ['a file of 400 lines', 'apps/alerts/src/x.ts', 'f();\n'.repeat(400)],
  ])('lets %s have its own', async (_what, path, source) => {
    expect(await messages(path, source)).toEqual([]);
  });
});
