import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCodecs } from './index.js';

describe('loadCodecs', () => {
  it('finds every folder, each under its own name', async () => {
    const folders = readdirSync(dirname(fileURLToPath(import.meta.url)), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
    const codecs = await loadCodecs();
    expect(folders.length).toBeGreaterThan(0);
    expect([...codecs.keys()].sort()).toEqual(folders);
  });
});
