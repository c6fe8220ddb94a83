import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** A file of the page, and the same compressed, where that is smaller. */
export interface PageFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly br: Buffer | undefined;
  readonly gzip: Buffer | undefined;
}

/** The page as it was built. */
export interface PageFiles {
  /** What every address of the page answers. */
  readonly index: PageFile;
  /** By path without a leading slash. Their names hold a digest of their content, so they never change. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.geojson': 'application/geo+json; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};
const COMPRESSED = { br: '.br', gzip: '.gz' } as const;
const INDEX = 'index.html';
/** How the build names an asset in `index.html`. */
const BUILT_ADDRESS = /(["'])\.\//g;

/**
 * Reads the page into memory: it is small, and no path that somebody asks for ever reaches the disk.
 *
 * @param folder - what the build wrote
 * @param path - of the public address: empty, or as `/pantau`
 * @returns undefined where no page was built
 */
export async function readPageFiles(folder: string, path: string): Promise<PageFiles | undefined> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((): Dirent[] => []);
  const files = new Map<string, Buffer>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    files.set(relative(folder, file).split(sep).join('/'), await readFile(file));
  }
  const index = files.get(INDEX);
  if (index === undefined) return undefined;
  const assets = new Map<string, PageFile>();
  for (const [name, plain] of files) {
    const type = TYPES[extname(name)];
    if (type === undefined || name === INDEX) continue;
    const compressed = { br: files.get(name + COMPRESSED.br), gzip: files.get(name + COMPRESSED.gzip) };
    assets.set(name, { type, plain, ...compressed });
  }
  return { index: indexFile(index, path), assets };
}

/** The page is asked for below any address, so it names its assets from the root, which the installation knows and the build does not. */
function indexFile(built: Buffer, path: string): PageFile {
  const plain = Buffer.from(built.toString().replace(BUILT_ADDRESS, `$1${path}/`));
  return {
    type: TYPES['.html'] as string,
    ...{ plain, br: brotliCompressSync(plain), gzip: gzipSync(plain) },
  };
}
