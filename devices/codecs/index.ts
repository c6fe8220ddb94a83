import type { Codec } from '#libs/telemetry';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Every codec by its name, found by its folder: adding one takes a folder and no other edit. */
export async function loadCodecs(): Promise<ReadonlyMap<string, Codec>> {
  const here = fileURLToPath(import.meta.url);
  // `index.js` where Pantau was built, `index.ts` where a test runs the sources.
  const file = here.endsWith('.ts') ? 'index.ts' : 'index.js';
  const codecs = new Map<string, Codec>();
  for (const entry of await readdir(dirname(here), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const url = pathToFileURL(join(dirname(here), entry.name, file)).href;
    const { codec } = (await import(url)) as { readonly codec: Codec };
    codecs.set(codec.name, codec);
  }
  return codecs;
}
