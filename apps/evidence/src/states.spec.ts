import 'reflect-metadata';
import { BucketSource, EvidenceReader, JournalSource } from '#libs/evidence';
import { Registry } from '#libs/identity';
import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage } from '#libs/journal-transport';
import { lagOf } from '#libs/journal';
import { canonicalJson, HOUR, localDaySpan, seededRandom } from '#libs/kernel';
import { HEARTBEAT_STATES, LIVENESS_KEY, type Liveness, type Signal } from '#libs/telemetry';
import { temporaryFolder, waitUntil, silentLogger } from '#libs/testing';
import { EvidenceModule } from './evidence.module.js';

const DATE = '2015-12-07';
const { from } = localDaySpan(DATE)!;
const clock = { now: () => 1_000 };
const BEAT = HOUR;

it('every state of a heartbeat comes to the indicator, from the stage and from the journal alike', async () => {
  using folder = temporaryFolder('states');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock, shards: 1 });
  const registry = new Registry(state);
  await registry.putSite({ id: 'betung', name: 'Betung' });
  await registry.putDevice({ id: 'cctv-01', site: 'betung', kind: 'camera', name: 'K', intervalMs: HOUR });
  const stage = await createStage(EvidenceModule.register(BEAT, registry), {
    ...{ stage: 'evidence', journal, state, clock, random: seededRandom(1), logger: silentLogger },
  });
  await stage.listen();
  const signals = HEARTBEAT_STATES.map((said, i): Signal => ({
    ...{ type: 'heartbeat', site: 'betung', device: 'cctv-01', state: said },
    ...{ ts: from + i * HOUR, receivedAt: from + i * HOUR, uplink: { shard: 0, offset: i } },
  }));
  const beats = signals.map(({ ts }, i): Liveness => ({
    ...{ component: 'broker', run: 'r', kind: i === 0 ? 'start' : 'beat', at: ts },
  }));
  await journal.append(
    'signals',
    signals.map((data) => ({ key: 'cctv-01', data })),
  );
  await journal.append(
    'liveness',
    beats.map((data) => ({ key: LIVENESS_KEY, data })),
  );
  await waitUntil('the stage caught up', async () => {
    const lags = await Promise.all(
      (['signals', 'liveness'] as const).map((stream) => lagOf(journal, 'evidence', stream)),
    );
    return lags.every((lag) => lag === 0);
  });
  const stages = new EvidenceReader(registry, new BucketSource(state));
  const journals = new EvidenceReader(registry, new JournalSource(journal, BEAT));
  const record = await stages.get('soc.cctv.availability', 'cctv-01', DATE);
  expect(record).toMatchObject({
    version: 2,
    value: (2 / 3) * 100,
    // The last heartbeat is the end of what is accounted for.
    dataCapture: { upMs: 2 * HOUR, degradedMs: HOUR, downReportedMs: HOUR, plannedMs: HOUR, unknownMs: 0 },
  });
  expect(canonicalJson(await journals.get('soc.cctv.availability', 'cctv-01', DATE))).toBe(
    canonicalJson(record),
  );
  await stage.close();
  await journal.close();
  await state.close();
});
