/** Makes a TypeScript client of the API of this version: `node scripts/api-client.mjs FOLDER`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [, , target] = process.argv;
if (target === undefined) {
  console.error('Say where: npm run api:client -- FOLDER');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'pantau-api-'));
const input = join(folder, 'openapi.json');
const run = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
try {
  process.exitCode =
    run(join(root, 'scripts/api-document.mjs'), input) ||
    run(
      join(root, 'node_modules/@hey-api/openapi-ts/bin/run.js'),
      ...['-i', input, '-o', target, '--no-log-file'],
    );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
