import { PantauError } from '#libs/kernel';
import { heldForPeers, megabytes, PEERS_SHARE, type LoadedConfig } from '#libs/platform';
import { availableParallelism } from 'node:os';
import { exportMemory, storeMemory } from '../storage/store-memory.js';
import type { StageThread } from '../stages.js';
import type { ThreadName } from '../watchdog/watchdog.js';

const MB = 1e6;

/** A thread for stages, with the bounds of its heap in megabytes. */
export interface ThreadPlan {
  readonly name: StageThread;
  /** The stages of these run in it. */
  readonly runs: readonly StageThread[];
  readonly youngMb: number;
  readonly oldMb: number;
}

/** What stages of a thread may hold at a time; each stage, and each of its shards. */
export interface StageBounds {
  readonly maxBatch: number;
  readonly cachedValues: number;
}

export interface MemoryPlan {
  /** Stages that run beside the broker, in the main thread. */
  readonly inMain: readonly StageThread[];
  readonly threads: readonly ThreadPlan[];
}

interface Layout {
  readonly inMain: readonly StageThread[];
  readonly threads: readonly Pick<ThreadPlan, 'name' | 'runs'>[];
}

const own = (name: StageThread): Layout['threads'][number] => ({ name, runs: [name] });

/**
 * What acknowledges devices never shares a thread with what works behind it. A thread costs some 40 MB and a second of processor time at the start;
 * more threads than cores make nothing faster. The store's thread is started first, because it has most to load.
 */
const LAYOUTS = {
  together: {
    inMain: ['http-intake'],
    threads: [{ name: 'store', runs: ['store', 'conclusions', 'ingest'] }],
  },
  fewCores: {
    inMain: [],
    threads: [own('store'), { name: 'ingest', runs: ['ingest', 'conclusions'] }, own('http-intake')],
  },
  apart: { inMain: [], threads: [own('store'), own('conclusions'), own('ingest'), own('http-intake')] },
} as const satisfies Record<string, Layout>;

/** Below, stages share one thread. */
const APART_FROM = 1_000 * MB;
const MANY_CORES = 4;

/** The main thread under full load, with what Node, LMDB and the watchdog take; measured (docs/configuration.md, Memory). */
const MAIN_MB = 130;
/** Old heap of what a thread runs, below which it collects garbage most of the time; measured in the same way. */
const LEAST_OLD_MB: Readonly<Record<StageThread, number>> = {
  'http-intake': 20,
  ingest: 30,
  conclusions: 30,
  store: 50,
};
/** Beyond, nothing is gained. */
const MOST_OLD_MB = 2_000;
/**
 * A batch lives until its commit. In a small young generation the collector copies it over and over meanwhile, which costs a twentieth of the
 * processor time of a backlog; a large one is never given back.
 */
const YOUNG_MB = { least: 16, most: 128, share: 1 / 64 } as const;

/**
 * How the memory of the configuration is divided: what peers and the store may take, then the main thread, then the heaps of the threads.
 *
 * @throws PantauError `CONFIG_INVALID` when it cannot hold the configuration, with what would, and for what
 */
export function memoryPlan(config: LoadedConfig, cores = availableParallelism()): MemoryPlan {
  const { memory } = config;
  const needed = neededOf(config, memory, cores);
  const spare = memory - sum(needed.parts);
  if (spare < 0) refuse(config, cores);
  const { layout, youngMb, leastMb } = needed;
  const times = 1 + spare / MB / leastMb;
  return {
    inMain: layout.inMain,
    threads: layout.threads.map((thread) => ({
      ...thread,
      youngMb,
      oldMb: Math.min(MOST_OLD_MB, Math.floor(leastOf(thread) * times)),
    })),
  };
}

interface Needed {
  readonly layout: Layout;
  readonly youngMb: number;
  /** Of the old heaps together. */
  readonly leastMb: number;
  readonly parts: readonly (readonly [what: string, bytes: number])[];
}

/** What would be needed at the least if there were so much memory. */
function neededOf(config: LoadedConfig, memory: number, cores: number): Needed {
  const layout = LAYOUTS[memory < APART_FROM ? 'together' : cores < MANY_CORES ? 'fewCores' : 'apart'];
  const youngMb = between(YOUNG_MB.least, Math.floor((memory / MB) * YOUNG_MB.share), YOUNG_MB.most);
  const leastMb = layout.threads.reduce((all, thread) => all + leastOf(thread), 0);
  const peers = Object.entries(heldForPeers(config));
  const parts = [
    ['the main thread', MAIN_MB * MB],
    [`stages in ${layout.threads.length} other thread(s)`, (leastMb + layout.threads.length * youngMb) * MB],
    ['the store', storeMemory({ ...config, memory })],
    ['exports', exportMemory({ memory })],
    ...peers.map(([key, bytes]) => [`mqtt.limits.${key}`, bytes] as const),
    // Those that nobody has set grow with it.
    ['other limits', (memory - config.memory) * PEERS_SHARE],
  ] as const;
  return { layout, youngMb, leastMb, parts: parts.filter(([, bytes]) => bytes > 0) };
}

function refuse(config: LoadedConfig, cores: number): never {
  let { memory } = config;
  // More memory asks for more, though for less than there is of it.
  for (let all = sum(neededOf(config, memory, cores).parts); all > memory;) {
    memory = Math.ceil(all / MB) * MB;
    all = sum(neededOf(config, memory, cores).parts);
  }
  const size = `${memory / MB}MB`;
  const parts = neededOf(config, memory, cores).parts.map(([what, bytes]) => `${what} ${megabytes(bytes)}`);
  throw new PantauError(
    'CONFIG_INVALID',
    `memory: ${megabytes(config.memory)} cannot hold this configuration, which needs ${size}: ${parts.join(', ')}.`,
    { remedy: `Set memory to ${size} or more, or lower the keys that are named.` },
  );
}

const sum = (parts: Needed['parts']): number => parts.reduce((all, [, bytes]) => all + bytes, 0);

const leastOf = ({ runs }: Pick<ThreadPlan, 'runs'>): number =>
  runs.reduce((all, name) => all + LEAST_OLD_MB[name], 0);

/** Threads that there are. */
export function threadNames({ threads }: MemoryPlan): readonly ThreadName[] {
  return ['main', ...threads.map(({ name }) => name)];
}

/** What fits into the heap of a thread beside its program, whatever the stages and the devices. */
export function stageBounds({ oldMb }: Pick<ThreadPlan, 'oldMb'>, shards: number): StageBounds {
  return {
    maxBatch: between(4_000, 40 * oldMb, 40_000),
    cachedValues: between(250, Math.floor((28 * oldMb) / shards), 10_000),
  };
}

function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
