/**
 * Builds the page into `dist/web`: the client of the API from the document of the program that was just built, the page from its sources,
 * and each of its files compressed. Needs the built program; nothing is started and nothing is fetched.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'dist', 'web');
const COMPRESSED = new Set(['.css', '.geojson', '.js', '.svg', '.txt']);

run(join(root, 'scripts', 'api-client.mjs'), join(root, 'apps', 'web', 'client'));
run(
  join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
  ...['build', '--config', join(root, 'apps', 'web', 'vite.config.mjs'), '--logLevel', 'warn'],
);
for (const entry of readdirSync(page, { withFileTypes: true, recursive: true })) {
  if (!entry.isFile() || !COMPRESSED.has(extname(entry.name))) continue;
  const file = join(entry.parentPath, entry.name);
  const plain = readFileSync(file);
  const options = {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  };
  for (const [extension, compressed] of [
    ['.br', brotliCompressSync(plain, options)],
    ['.gz', gzipSync(plain, { level: 9 })],
  ])
    if (compressed.length < plain.length) writeFileSync(file + extension, compressed);
}

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
