import { Registry } from '#libs/identity';
import { loadConfig, readYamlFile } from '#libs/platform';
import { LmdbStateStore } from '#libs/engine-lmdb';
import { temporaryFolder } from '#libs/testing';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ingestOptions } from './ingest-options.js';
import { sitesFileSchema } from './sites-file.js';

const CONFIG = join(import.meta.dirname, '..', '..', '..', '..', 'config');
const shipped = (name: string): string => readFileSync(join(CONFIG, name), 'utf8');
/** A commented line of YAML: it goes on after the mark with a key, an item or something nested; prose begins in upper case. */
const EXAMPLE = /^ *# (?: +.*|- .*|[a-z][a-zA-Z]*: .*|[a-z][a-zA-Z]*:)$/;

/** The examples of `pantau.yaml`: each begins with a key at the margin and goes on below it. */
function examplesOf(text: string): string[] {
  const examples: string[] = [];
  let isOpen = false;
  for (const line of text.split('\n')) {
    const isExample = EXAMPLE.test(line);
    if (!isExample || (line.startsWith('#  ') && !isOpen)) {
      isOpen = false;
      continue;
    }
    const plain = line.slice(2);
    if (plain.startsWith(' ')) examples.push(`${examples.pop() ?? ''}\n${plain}`);
    else examples.push(plain);
    isOpen = true;
  }
  return examples;
}

/** Every commented line of YAML without its mark. */
function uncommented(text: string): string {
  return text
    .split('\n')
    .map((line) => (EXAMPLE.test(line) ? line.replace('# ', '') : line))
    .join('\n');
}

describe('the examples in config', () => {
  const examples = examplesOf(shipped('pantau.yaml'));

  it('are found', () => {
    const keys = examples.map((example) => example.slice(0, example.indexOf(':')));
    for (const key of ['data', 'mqtt', 'journal', 'store', 'ingest', 'qualityControl', 'mappings'])
      expect(keys).toContain(key);
  });

  it.each(examples)('are taken by the loader: %s', async (example) => {
    using folder = temporaryFolder('config');
    cpSync(CONFIG, folder.path, { recursive: true });
    const file = join(folder.path, 'pantau.yaml');
    writeFileSync(file, example);
    const config = loadConfig(file, {});
    const key = example.slice(0, example.indexOf(':'));
    const state = LmdbStateStore.open(folder.path);
    try {
      const { mappings, qcLimits } = await ingestOptions(config, new Registry(state));
      if (key === 'qualityControl') expect(qcLimits?.version).toBe('contoh-1');
      if (key === 'mappings') {
        expect(mappings.match('tele/Tasmota-2F8183/SENSOR')).toMatchObject({
          device: 'udara-talang-kelapa',
          mapping: { codec: 'tasmota', utcOffsetMs: 7 * 3_600_000 },
        });
        expect(mappings.match('frigate/stats')).toMatchObject({ device: 'nvr-pangkalan-balai' });
      }
    } finally {
      await state.close();
    }
  });

  it('are taken in sites.yaml', () => {
    using folder = temporaryFolder('config');
    const file = join(folder.path, 'sites.yaml');
    writeFileSync(file, uncommented(shipped('sites.yaml')));
    const { devices } = readYamlFile(file, sitesFileSchema);
    const byId = new Map(devices.map((device) => [device.id, device]));
    expect(byId.get('udara-betung')?.humidityCorrection).toBe('epa-2021');
    expect(byId.get('pencatat-01')?.maxAge).toBe(200 * 24 * 3_600_000);
    expect(byId.get('nvr-pangkalan-balai')?.speaksFor).toEqual(['cctv-pangkalan-balai-01']);
    // As it is shipped, they are comments.
    expect(readYamlFile(join(CONFIG, 'sites.yaml'), sitesFileSchema).devices).toHaveLength(2);
  });
});
