/**
 * Set-up for `npm start`, `npm test` and `npm run check`: installs the locked packages when the lock file
 * has changed and builds when a source has changed. Does nothing, quickly, when there is nothing to do.
 * Uses Node alone, because it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// The first 20.x that can require() the ES modules among the packages.
const MINIMUM_NODE = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) {
  fail(`Pantau needs Node ${MINIMUM_NODE.join('.')} or newer; this is ${process.versions.node}.`);
}

const lockHash = hashOf([join(root, 'package-lock.json')]);
const installStamp = join(root, 'node_modules', '.pantau-installed');
if (read(installStamp) !== lockHash) {
  console.log('Pantau: installing the locked packages (first run, or the lock file changed) ...');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']);
  writeFileSync(installStamp, lockHash);
}

const WEB = join(root, 'apps', 'web');
const sources = ['apps', 'libs', 'devices', 'simulators']
  .flatMap((dir) => filesBelow(join(root, dir)))
  .filter((file) => !file.startsWith(WEB));
const buildHash =
  hashOf([join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json'), ...sources]) + lockHash;
const buildStamp = join(root, 'dist', '.pantau-built');
if (read(buildStamp) !== buildHash) {
  console.log('Pantau: building ...');
  // A file that was deleted or renamed in the sources must not live on in dist.
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  run(process.execPath, [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    join(root, 'tsconfig.build.json'),
  ]);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(buildStamp, buildHash);
}

// Its client is made from the document of the API, so it is built again with the program.
const pageHash = hashOf([join(root, 'scripts', 'build-page.mjs'), ...pageSources(WEB)]) + buildHash;
const pageStamp = join(root, 'dist', '.pantau-page-built');
if (read(pageStamp) !== pageHash) {
  console.log('Pantau: building the page ...');
  run(process.execPath, [join(root, 'scripts', 'build-page.mjs')]);
  writeFileSync(pageStamp, pageHash);
}

function pageSources(dir) {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter(
      (entry) =>
        entry.isFile() && !entry.name.includes('.spec.') && !entry.parentPath.startsWith(join(WEB, 'client')),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function filesBelow(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter(
      (entry) =>
        entry.isFile() &&
        /\.(ts|json)$/.test(entry.name) &&
        !/\.(spec|e2e-spec|contract|fixture)\.ts$/.test(entry.name),
    )
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(file.slice(root.length))
      .update('\0')
      .update(existsSync(file) && statSync(file).isFile() ? readFileSync(file) : '');
  return hash.digest('hex');
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function run(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) fail(`Pantau: set-up failed at: ${command} ${args.join(' ')}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
