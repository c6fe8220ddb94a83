import { DECODERS } from '#apps/ingest';
import { loadConfig } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { STREAM_NAMES, STREAMS } from '#libs/streams';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { openEngines } from './storage/engines.js';
import { STAGES } from './stages.js';
import { THREADS } from './watchdog/watchdog.js';

describe('the table of stages', () => {
  const names = STAGES.map(({ name }) => name);

  it.each(STREAM_NAMES)('says as the catalogue who appends to %s', (stream) => {
    const declared = STAGES.filter(({ appends }) => appends.includes(stream)).map(({ name }) => name);
    const { appendedBy } = STREAMS[stream] as { readonly appendedBy: readonly string[] };
    // The API and the broker append as well, and are no stages while they do.
    const elsewhere = ['gateway', 'broker', 'identity'];
    expect(declared.sort()).toEqual(appendedBy.filter((name) => !elsewhere.includes(name)).sort());
  });

  it('lets every stream be read by somebody, unless brokers and checks alone follow it, or people read it page by page', () => {
    const read = new Set(STAGES.flatMap(({ reads }) => reads));
    const [paged, followed] = [['audit'], ['identity', 'settings']] as const;
    expect(STREAM_NAMES.filter((stream) => !read.has(stream)).sort()).toEqual([...paged, ...followed]);
  });

  it('runs every stage once, in a thread that is watched', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(['main', ...STAGES.map(({ thread }) => thread)])).toEqual(new Set(THREADS));
  });

  it('lets nothing share the thread that acknowledges what devices post', () => {
    const { thread } = STAGES.find(({ name }) => name === 'http-intake')!;
    expect(STAGES.filter((stage) => stage.thread === thread)).toHaveLength(1);
    expect(thread).not.toBe('main');
  });

  it('lets whoever decodes record the versions of what decodes, once', async () => {
    using folder = temporaryFolder('stages');
    cpSync(join(import.meta.dirname, '../../../config'), folder.path, { recursive: true });
    const config = loadConfig(join(folder.path, 'pantau.yaml'), {});
    const engines = await openEngines(config);
    try {
      const unused = (): never => {
        throw new Error('ingest needs no store and listens nowhere');
      };
      const parts = { config, engines, store: unused, onListening: unused };
      for (const stage of STAGES.filter(({ name }) => name === 'ingest'))
        for (let run = 0; run < 2; run++) await stage.prepare(parts);
      const recorded = await engines.registry.settings.history(DECODERS);
      expect(recorded.map(({ value }) => value)).toEqual([
        expect.objectContaining({ pantau: 1, senml: expect.any(Number) }),
      ]);
    } finally {
      await engines.close();
    }
  });
});
