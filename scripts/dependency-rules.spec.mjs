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
    for (const file of ['libs/state/src/index.ts', 'libs/state/src/inner.ts', 'apps/writer/src/index.ts'])
      write(folder, file, 'export const value = 1;\n');
    write(folder, path, source);
    const { stdout } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        'libs',
        'apps',
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
  ])('%s catches %s', (rule, path, source) => {
    expect(violations(path, source)).toContain(rule);
  });

  it('let a stage import a library through its barrel', () => {
    expect(violations('apps/ingest/src/x.ts', "export { value } from '#libs/state';\n")).toContain(
      'no dependency violations',
    );
  });
});
