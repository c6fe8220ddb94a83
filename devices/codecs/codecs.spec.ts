import { REJECTION_REASONS } from '#libs/telemetry';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

it('holds every codec to the contract', async () => {
  const here = dirname(fileURLToPath(import.meta.url));
  for (const name of (await loadCodecs()).keys())
    expect([name, readFileSync(join(here, name, `${name}.spec.ts`), 'utf8')]).toEqual([
      name,
      expect.stringContaining('describeCodecContract(codec, {'),
    ]);
});

describe('docs/devices.md', () => {
  const here = dirname(fileURLToPath(import.meta.url));
  const halves = readFileSync(join(here, '..', '..', 'docs', 'devices.md'), 'utf8').split('\n---\n');

  it('lists every codec in both languages, and links pages that are there', async () => {
    expect(halves).toHaveLength(2);
    for (const half of halves) {
      const linked = [...half.matchAll(/\.\.\/devices\/codecs\/([^/]+)\/README\.md/g)].map(
        ([, name]) => name,
      );
      expect(linked.sort()).toEqual([...(await loadCodecs()).keys()].sort());
      for (const name of linked)
        expect([name, existsSync(join(here, name!, 'README.md'))]).toEqual([name, true]);
    }
  });

  it('links from every page of a codec what the maker states of validity, in both languages', async () => {
    for (const name of (await loadCodecs()).keys()) {
      const page = readFileSync(join(here, name, 'README.md'), 'utf8');
      const [indonesian = '', english = ''] = page.split(/\n(?:---\n\n# |## English\n)/);
      for (const [half, heading, anchor] of [
        [indonesian, 'Keabsahan', 'keabsahan'],
        [english, 'Validity', 'validity'],
      ] as const) {
        const [, section = ''] = half.split(new RegExp(`^##+ ${heading}$`, 'm'));
        // A table with what it reads, or that there is nothing to read.
        expect([name, heading, /^\| .+ \| .+ \|$/m.test(section.split(/^##? /m)[0] ?? '')]).toEqual([
          name,
          heading,
          true,
        ]);
        expect(section).toContain(`docs/devices.md#${anchor}`);
        expect(halves.join()).toContain(`<a id="${anchor}"></a>`);
      }
    }
  });

  it('tells what to do about every reason for a refusal, in both languages', () => {
    for (const half of halves)
      for (const reason of REJECTION_REASONS) expect(half).toContain(`\`${reason}\``);
  });
});
