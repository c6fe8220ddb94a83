import { Registry } from '#libs/identity';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { type Journal, lagOf } from '#libs/journal';
import { createStage } from '#libs/journal-transport';
import { SECOND, seededRandom } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Observation, Rejection } from '#libs/telemetry';
import { temporaryFolder, waitUntil } from '#libs/testing';
import type { TimeSeriesStore } from '#libs/timeseries';
import { TiersModule } from './tiers.module.js';
import { WriterModule } from './writer.module.js';

const clock = { now: () => 1_000 };
/** Short, so that a test of an absent store takes little time. */
const BACKOFF_MS = 5;

export interface WritersFixture extends AsyncDisposable {
  readonly journal: Journal;
  readonly state: StateStore;
  readonly registry: Registry;
  append(readings: readonly Observation[]): Promise<void>;
  /** How often a stage has waited for the store. */
  waits(): number;
  caughtUp(deadlineMs?: number): Promise<void>;
  rejected(): Promise<Rejection[]>;
}

/** Both writing stages on a journal of their own, with devices of one site in the registry. */
export async function openWriters(
  store: TimeSeriesStore,
  devices: readonly string[],
): Promise<WritersFixture> {
  const folder = temporaryFolder('writer');
  const state = LmdbStateStore.open(folder.path);
  // As maps, so that it can hold readings whose parameter is unknown.
  // Without the forms of the streams, so that a test can append what no form takes any more.
  const journal = await LmdbJournal.open({ state, clock, shards: 4, streams: {} });
  const registry = new Registry(state);
  await registry.putSite({ id: 'betung', name: 'Betung' });
  for (const id of devices)
    await registry.putDevice({ id, site: 'betung', kind: 'air', name: id, intervalMs: SECOND });
  let waits = 0;
  const logger = {
    log: () => undefined,
    error: () => undefined,
    warn: (message: unknown) => (waits += String(message).includes('waits') ? 1 : 0),
  };
  const base = { journal, state, clock, random: seededRandom(1), backoffMs: BACKOFF_MS, logger };
  const apps = [
    await createStage(WriterModule.register(store, registry, clock), { ...base, stage: 'writer' }),
    await createStage(TiersModule.register(store, registry, clock), { ...base, stage: 'tiers' }),
  ];
  for (const app of apps) await app.listen();
  return {
    journal,
    state,
    registry,
    append: (readings) =>
      journal.append(
        'readings',
        readings.map((data) => ({ key: data.device, data })),
      ),
    waits: () => waits,
    caughtUp: (deadlineMs) =>
      waitUntil(
        'everything is stored',
        async () =>
          (await lagOf(journal, 'writer', 'readings')) + (await lagOf(journal, 'tiers', 'rollups')) === 0,
        deadlineMs,
      ).then(() => undefined),
    async rejected() {
      const shards = Array.from({ length: journal.shards }, (_, shard) =>
        journal.read('rejected', shard, 0, 100_000),
      );
      return (await Promise.all(shards)).flat().map(({ data }) => data);
    },
    async [Symbol.asyncDispose]() {
      for (const app of apps) await app.close();
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}
