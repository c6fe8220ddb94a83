import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();

/** Runs the architecture's rules on a tree with one file of its own making in it. */
function violations(path, source) {
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
    write(folder, path, source);
    const { stdout } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        ...['libs', 'apps', 'devices', 'simulators'],
        '--config',
        '.dependency-cruiser.cjs',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(folder, path, source) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), source);
}

describe('the rules of the architecture', () => {
  it.each([
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
  ])('%s catches %s', (rule, path, source) => {
    expect(violations(path, source)).toContain(rule);
  });

  it.each([
    ['apps/pantau/src/x.ts', "export { value } from '#libs/engine-lmdb';\n"],
    ['apps/writer/src/x.spec.ts', "export { value } from '#libs/engine-lmdb';\n"],
    ['libs/engine-lmdb/src/x.ts', "export { open } from 'lmdb';\n"],
    ['libs/engine-lmdb/src/x.spec.ts', "export { value } from '#contracts/state';\n"],
  ])('let %s know an engine', (path, source) => {
    expect(violations(path, source)).toContain('no dependency violations');
  });

  it.each(['#namespaces/ingest-state', './namespaces.js'])('let the owner of state import %s', (path) => {
    expect(violations('apps/ingest/src/x.ts', `export { value } from '${path}';\n`)).toContain(
      'no dependency violations',
    );
  });

  it.each(['devices/codecs/x.ts', 'simulators/air/src/x.ts'])('let %s import the kernel', (path) => {
    expect(violations(path, "export { value } from '#libs/kernel';\n")).toContain('no dependency violations');
  });

  it('let a stage import a library through its barrel', () => {
    expect(violations('apps/ingest/src/x.ts', "export { value } from '#libs/state';\n")).toContain(
      'no dependency violations',
    );
  });
});
