import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();

/** The files and changes of a section of CONTRIBUTING.md: each block of code with the path that is named before it. */
function recipe(heading) {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const section = text.split(`\n### ${heading}\n`)[1]?.split(/\n##+ /)[0];
  if (section === undefined) throw new Error(`CONTRIBUTING.md has no section "${heading}".`);
  const blocks = section.matchAll(/`([\w./-]+\.(?:ts|yaml))`:\n\n {3}```(ts|diff|yaml)\n([^]*?)\n {3}```/g);
  return Array.from(blocks, ([, path, language, body]) => ({
    path,
    language,
    body: body.replaceAll(/^ {3}/gm, ''),
  }));
}

/** Does what a block says: a new file, entries for a list, or lines behind those that the block shows before them. */
function follow(folder, { path, language, body }) {
  const file = join(folder, path);
  if (language === 'ts') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${body}\n`);
    return;
  }
  if (language === 'yaml') {
    const [, ...entries] = body.split('\n');
    writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd()}\n${entries.join('\n')}\n`);
    return;
  }
  const lines = readFileSync(file, 'utf8').split('\n');
  let at = -1;
  for (const line of body.split('\n')) {
    if (line.startsWith('+')) lines.splice(++at, 0, line.slice(1));
    else {
      at = lines.indexOf(line.slice(1), at + 1);
      if (at < 0) throw new Error(`${path} has no line "${line.slice(1)}" there.`);
    }
  }
  writeFileSync(file, lines.join('\n'));
}

function run(folder, script, ...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', join(ROOT, 'node_modules', script), ...args],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } },
  );
  return { status, output: stdout + stderr };
}

describe('the recipes of CONTRIBUTING.md, followed by somebody new', () => {
  let folder;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pantau-recipes-'));
    for (const name of ['package.json', 'tsconfig.json', 'jest.config.js', 'config', 'libs'])
      cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    for (const name of ['apps', 'devices', 'simulators', 'scripts']) mkdirSync(join(folder, name));
    cpSync(join(ROOT, 'apps/alerts'), join(folder, 'apps/alerts'), { recursive: true });
    cpSync(join(ROOT, 'scripts/jest-summary.mjs'), join(folder, 'scripts/jest-summary.mjs'));
    // The gateway is not there, so neither is what compares its answers with the document.
    const jest = readFileSync(join(ROOT, 'jest.config.js'), 'utf8').replace(
      /^ *setupFilesAfterEnv:.*\n/m,
      '',
    );
    writeFileSync(join(folder, 'jest.config.js'), jest);
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // `reads` is the suite that reads the file of the project to which the recipe adds.
  it.each([
    ['A kind of rule', 4, 'libs/alerting/src/rules.spec.ts'],
    ['A kind of rule that judges silence', 3, 'libs/alerting/src/rules.spec.ts'],
    ['An indicator function', 3, 'libs/indicators/src/indicators.spec.ts'],
    ['An indicator', 1, 'libs/indicators/src/catalogue.spec.ts'],
  ])('%s', (heading, blocks, reads) => {
    const steps = recipe(heading);
    expect(steps).toHaveLength(blocks);
    for (const step of steps) follow(folder, step);
    const specs = [reads, ...steps.map(({ path }) => path).filter((path) => path.endsWith('.spec.ts'))];
    const code = steps.map(({ path }) => path).filter((path) => path.endsWith('.ts'));
    if (code.length > 0) {
      const config = {
        extends: './tsconfig.json',
        compilerOptions: { noEmit: true },
        include: [],
        files: code,
      };
      writeFileSync(join(folder, 'tsconfig.recipe.json'), JSON.stringify(config));
      expect(run(folder, 'typescript/bin/tsc', '-p', 'tsconfig.recipe.json')).toEqual({
        status: 0,
        output: '',
      });
    }
    const tested = run(folder, 'jest/bin/jest.js', '--maxWorkers=1', ...specs);
    expect(tested.output).toMatch(/Tests: +\d+ passed, \d+ total/);
    expect(tested.status).toBe(0);
  });
});
