import { loadConfig, heldForPeers, type LoadedConfig } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryPlan, stageBounds, threadNames } from './memory-plan.js';
import { exportMemory, storeMemory } from '../storage/store-memory.js';
import { STAGES, type StageThread } from '../stages.js';

const MB = 1e6;
const THREADS: readonly StageThread[] = [...new Set(STAGES.map(({ thread }) => thread))];

function configured(text: string): LoadedConfig {
  using folder = temporaryFolder('memory');
  const file = join(folder.path, 'pantau.yaml');
  writeFileSync(file, text);
  return loadConfig(file, {});
}

const MEMORIES = ['512MB', '700MB', '1GB', '2GiB', '8GB', '64GB'];

function refusalOf(config: LoadedConfig): unknown {
  try {
    return memoryPlan(config, 2);
  } catch (error) {
    return error;
  }
}

describe('the division of memory', () => {
  it.each(MEMORIES.flatMap((memory) => [1, 2, 4, 64].map((cores) => ({ memory, cores }))))(
    'gives away no more than $memory on $cores cores, and runs every stage once',
    ({ memory, cores }) => {
      const config = configured(`memory: ${memory}\n`);
      const { inMain, threads } = memoryPlan(config, cores);
      const heaps = threads.reduce((sum, { youngMb, oldMb }) => sum + youngMb + oldMb, 0) * MB;
      const peers = Object.values(heldForPeers(config)).reduce((sum, bytes) => sum + bytes, 0);
      const all = heaps + peers + storeMemory(config) + exportMemory(config);
      expect(all).toBeGreaterThan(0);
      expect(all).toBeLessThan(config.memory);
      expect([...inMain, ...threads.flatMap(({ runs }) => runs)].sort()).toEqual([...THREADS].sort());
    },
  );

  it('takes fewer threads with little memory, and on few cores', () => {
    const names = (memory: string, cores: number): readonly string[] =>
      threadNames(memoryPlan(configured(`memory: ${memory}\n`), cores));
    expect(names('512MB', 8)).toEqual(['main', 'store']);
    expect(names('1GB', 2)).toEqual(['main', 'store', 'ingest', 'http-intake']);
    expect(names('1GB', 4)).toEqual(['main', 'store', 'conclusions', 'ingest', 'http-intake']);
  });

  it('lets nothing that works behind it share the thread that acknowledges what devices post', () => {
    for (const memory of MEMORIES) {
      const { inMain, threads } = memoryPlan(configured(`memory: ${memory}\n`), 8);
      const sharing = threads.find(({ runs }) => runs.includes('http-intake'));
      expect(sharing?.runs ?? inMain).toEqual(['http-intake']);
    }
  });

  it('makes batches and caches smaller with the heap', () => {
    const [small, large] = ['512MB', '16GB'].map((memory) => {
      const [store] = memoryPlan(configured(`memory: ${memory}\n`), 8).threads;
      return stageBounds(store!, 4);
    });
    expect(small!.maxBatch).toBeLessThan(large!.maxBatch);
    expect(small!.cachedValues).toBeLessThan(large!.cachedValues);
  });

  it.each([
    [
      'memory: 200MB\n',
      /memory: 200 MB cannot hold this configuration, which needs \d+MB: .*main thread 130 MB/,
    ],
    [
      'memory: 512MB\nmqtt: { limits: { connections: 20000 } }\n',
      /needs 3\d{3}MB: .*mqtt\.limits\.connections 1,800 MB/,
    ],
    [
      'memory: 512MB\nmqtt: { limits: { bounds: { waitingBytes: { total: 1000000000 } } } }\n',
      /mqtt\.limits\.bounds\.waitingBytes 1,000 MB/,
    ],
  ])('is refused where it cannot hold the configuration: %s', (text, expected) => {
    const config = configured(text);
    expect(String(refusalOf(config))).toMatch(expected);
    // What it says that it needs is enough.
    const [, needed = ''] = /needs (\d+MB)/.exec(String(refusalOf(config))) ?? [];
    memoryPlan(configured(text.replace(/\d+MB/, needed)), 2);
  });
});
