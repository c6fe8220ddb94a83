import 'reflect-metadata';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage } from '#libs/journal-transport';
import { lagOf } from '#libs/journal';
import { seededRandom } from '#libs/kernel';
import { LIVENESS_KEY, type Liveness } from '#libs/telemetry';
import { silentLogger, temporaryFolder, waitUntil } from '#libs/testing';
import { ProjectionModule } from '../gateway.js';
import { BROKER_RUNS } from '../namespaces.js';

it('keeps the newest runs of the broker, however often it is started', async () => {
  using folder = temporaryFolder('broker-runs');
  const state = LmdbStateStore.open(folder.path);
  const clock = { now: () => 1_000 };
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const stage = await createStage(ProjectionModule.register(1), {
    ...{ stage: 'gateway', journal, state, clock, random: seededRandom(1), logger: silentLogger },
  });
  await stage.listen();
  try {
    const beat = (run: number, kind: Liveness['kind']) => {
      const data: Liveness = { component: 'broker', run: `r-${run}`, kind, at: run * 10 };
      return { key: LIVENESS_KEY, data };
    };
    for (let run = 0; run < 200; run++)
      await journal.append('liveness', [
        beat(run, 'start'),
        beat(run, 'beat'),
        ...(run < 199 ? [beat(run, 'stop')] : []),
      ]);
    await waitUntil('it was read', async () => (await lagOf(journal, 'gateway', 'liveness')) === 0);
    const runs = (await state.list(BROKER_RUNS)).map(({ value }) => value);
    const kept = Array.from({ length: 50 }, (_, i) => `r-${150 + i}`);
    expect(runs.map(({ run }) => run).sort()).toEqual(kept.sort());
    expect(runs.find(({ run }) => run === 'r-199')).toMatchObject({ startedAt: 1_990, stopped: false });
    expect(runs.find(({ run }) => run === 'r-198')).toMatchObject({ startedAt: 1_980, stopped: true });
  } finally {
    await stage.close();
    await journal.close();
    await state.close();
  }
});
