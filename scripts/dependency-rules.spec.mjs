import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();

/** Files that each break a rule of the architecture: the rule, the file, and what it says. */
const FORBIDDEN = [
  ['libs-never-import-apps', 'libs/state/src/x.ts', "export { value } from '#apps/writer';\n"],
  ['apps-never-import-apps', 'apps/ingest/src/x.ts', "export { value } from '#apps/writer';\n"],
  ['pure-libraries-do-no-io', 'libs/alerting/src/x.ts', "export { readFileSync } from 'node:fs';\n"],
  ['pure-libraries-do-no-io', 'libs/alerting/src/x.ts', "export { Module } from '@nestjs/common';\n"],
  [
    'pure-libraries-import-pure-libraries',
    'libs/alerting/src/x.ts',
    "export { value } from '#libs/state';\n",
  ],
  [
    'through-the-barrel',
    'apps/ingest/src/x.ts',
    "export { value } from '../../../libs/state/src/inner.js';\n",
  ],
  [
    'engines-only-from-the-composition',
    'libs/state/src/x.ts',
    "export { value } from '#libs/engine-lmdb';\n",
  ],
  [
    'engines-only-from-the-composition',
    'libs/engine-influx/src/x.ts',
    "export { value } from '#libs/engine-lmdb';\n",
  ],
  [
    'engines-only-from-the-composition',
    'apps/writer/src/x.ts',
    "export const open = () => import('#libs/engine-lmdb');\n",
  ],
  ...['devices/codecs/x.ts', 'simulators/air/src/x.ts'].flatMap((path) => [
    ['simulators-and-devices-stand-alone', path, "export { value } from '#libs/state';\n"],
    ['simulators-and-devices-stand-alone', path, "export { value } from '#apps/writer';\n"],
  ]),
  ['drivers-only-in-engines', 'libs/state/src/x.ts', "export { open } from 'lmdb';\n"],
  [
    'drivers-only-in-engines',
    'apps/pantau/src/x.ts',
    "export { InfluxDB } from '@influxdata/influxdb-client';\n",
  ],
  [
    'state-has-an-owner',
    'apps/gateway/src/x.ts',
    "export { value as own } from '#namespaces/ingest-state';\n",
  ],
  [
    'state-has-an-owner',
    'libs/evidence/src/x.ts',
    "export { value as own } from '../../ingest-state/src/namespaces.js';\n",
  ],
  [
    'state-has-an-owner',
    'apps/pantau/src/x.ts',
    "export { value as own } from '../../ingest/src/namespaces.js';\n",
  ],
  ['page-knows-the-api-alone', 'apps/web/src/x.ts', "export { value } from '#libs/state';\n"],
  [
    'page-knows-the-api-alone',
    'apps/web/src/x.svelte',
    '<script lang="ts">\n  import { value } from \'#apps/writer\';\n  console.log(value);\n</script>\n',
  ],
  ['nobody-imports-the-page', 'apps/ingest/src/x.ts', "export { value } from '../../web/src/value';\n"],
  ['namespaces-stay-inside', 'libs/ingest-state/src/index.ts', "export * from './namespaces.js';\n"],
];
/** Files that break none. */
const ALLOWED = [
  ['apps/pantau/src/x.ts', "export { value } from '#libs/engine-lmdb';\n"],
  ['apps/writer/src/x.spec.ts', "export { value } from '#libs/engine-lmdb';\n"],
  ['libs/engine-lmdb/src/x.ts', "export { open } from 'lmdb';\n"],
  ['libs/engine-lmdb/src/x.spec.ts', "export { value } from '#contracts/state';\n"],
  ['apps/ingest/src/x.ts', "export { value } from '#namespaces/ingest-state';\n"],
  ['apps/ingest/src/x.ts', "export { value } from './namespaces.js';\n"],
  ['devices/codecs/x.ts', "export { value } from '#libs/kernel';\n"],
  ['simulators/air/src/x.ts', "export { value } from '#libs/kernel';\n"],
  ['apps/ingest/src/x.ts', "export { value } from '#libs/state';\n"],
];

/** The same file under a name of its own, so that all stand in one tree. */
const numbered = (path, n) => path.replace(/\/x[.]/, `/x${n}.`);

/** The rules that each of these files breaks, in one run for all: loading the tool takes longer than judging. */
function brokenRules(files) {
  const folder = mkdtempSync(join(tmpdir(), 'pantau-rules-'));
  try {
    for (const name of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs'])
      cpSync(join(ROOT, name), join(folder, name));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const file of [
      'libs/state/src/index.ts',
      'libs/state/src/inner.ts',
      'libs/state/src/state.contract.ts',
      'libs/engine-lmdb/src/index.ts',
      'libs/ingest-state/src/namespaces.ts',
      'libs/kernel/src/index.ts',
      'devices/codecs/index.ts',
      'simulators/air/src/index.ts',
      'apps/writer/src/index.ts',
      'apps/ingest/src/namespaces.ts',
      'apps/web/src/value.ts',
    ])
      write(folder, file, 'export const value = 1;\n');
    for (const [path, source] of files) write(folder, path, source);
    const { stdout } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        ...['libs', 'apps', 'devices', 'simulators'],
        ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    const { modules, summary } = JSON.parse(stdout);
    const read = new Set(modules.map(({ source }) => source));
    return files.map(([path]) =>
      read.has(path)
        ? summary.violations.filter(({ from }) => from === path).map(({ rule }) => rule.name)
        : undefined,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(folder, path, source) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), source);
}

describe('the rules of the architecture', () => {
  const cases = [...FORBIDDEN, ...ALLOWED.map((file) => [undefined, ...file])].map(
    ([rule, path, source], n) => ({ rule, path, file: numbered(path, n), source, line: source.trim() }),
  );
  let broken;
  beforeAll(() => {
    const rules = brokenRules(cases.map(({ file, source }) => [file, source]));
    broken = new Map(cases.map(({ file }, i) => [file, rules[i]]));
  });

  it.each(cases.filter(({ rule }) => rule !== undefined))('$rule catches $path', ({ rule, file }) => {
    expect(broken.get(file)).toContain(rule);
  });

  it.each(cases.filter(({ rule }) => rule === undefined))('let $path say: $line', ({ file }) => {
    expect(broken.get(file)).toEqual([]);
  });
});
