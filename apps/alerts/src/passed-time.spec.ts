import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { BatchContext, StageCache, StageState } from '#libs/journal-transport';
import type { StreamName } from '#libs/streams';
import type { Liveness, Observation, Uplink } from '#libs/telemetry';
import { temporaryFolder } from '#libs/testing';
import { PassedTime } from './passed-time.js';

const DEVICE = 'udara-01';
const UPLINK: Uplink = {
  ...{ site: 'betung', device: DEVICE, kind: 'telemetry', topic: '', payload: new Uint8Array() },
  ...{ receivedAt: 0, qos: 1, messageId: 1, dup: false, session: 's', will: false },
};
const READING: Observation = {
  ...{ site: 'betung', device: DEVICE, ts: 0, receivedAt: 0, uplink: { shard: 0, offset: 0 }, readings: [] },
};
const beat = (at: number, uplinks: readonly number[]): Liveness => ({
  ...{ component: 'broker', run: 'r', kind: 'beat', at, time: { heardSince: 0, uplinks } },
});

/** A journal in which cursors are moved by hand, as stages would. */
async function open() {
  const folder = temporaryFolder('passed-time');
  const state = LmdbStateStore.open(folder.path);
  const journal = await LmdbJournal.open({ state, clock: { now: () => 0 }, shards: 2 });
  const passed = new PassedTime(journal);
  const move = async (cursor: string, stream: StreamName, shard: number, next: number): Promise<void> => {
    const expected = await journal.position(cursor, stream, shard);
    await journal.commit({ cursor, stream, shard, expected, next });
  };
  return {
    journal,
    move,
    /** What a stage does with a batch of `liveness` in shard 0; what is kept is kept as with its commit. */
    async beats(...batch: readonly Liveness[]): Promise<number | undefined> {
      const origin = { stage: 'alerts', stream: 'liveness', shard: 0, first: 0 };
      const kept = new StageState(state, new StageCache());
      const beat = await passed.after(batch, new BatchContext(origin, kept, journal));
      await state.write(kept.writes());
      return beat?.ts;
    },
    async [Symbol.asyncDispose]() {
      await journal.close();
      await state.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('the time that has passed for a shard', () => {
  it('is that of a beat at once when nothing is on its way, and of several of the newest', async () => {
    await using fixture = await open();
    expect(await fixture.beats(beat(1, [0, 0]))).toBe(1);
    expect(await fixture.beats(beat(2, [0, 0]), beat(3, [0, 0]))).toBe(3);
    expect(await fixture.beats()).toBeUndefined();
  });

  it('is of a beat only when what had arrived before it in any shard is decoded, and that is judged', async () => {
    await using fixture = await open();
    const { journal, move } = fixture;
    await journal.append('uplink', [{ key: DEVICE, data: UPLINK }]);
    const uplinks = [0, 1].map(async (shard) => (await journal.extent('uplink', shard)).next);
    const arrived = await Promise.all(uplinks);
    const shard = arrived.indexOf(1);
    expect(await fixture.beats(beat(1, arrived))).toBeUndefined();
    // Ingest decodes it: what comes out must be judged first, also if it is of a device of another shard than its sender.
    const inShard0 = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, data: READING }));
    await journal.append('readings', inShard0);
    const { next } = await journal.extent('readings', 0);
    expect(next).toBeGreaterThan(0);
    await move('ingest', 'uplink', shard, 1);
    expect(await fixture.beats(beat(2, arrived))).toBeUndefined();
    // More keeps coming: only what was there when ingest had passed the beat counts.
    await move('alerts', 'readings', 0, next);
    await journal.append('readings', inShard0);
    expect(await fixture.beats(beat(3, arrived))).toBe(1);
    expect(await fixture.beats(beat(4, arrived))).toBeUndefined();
    await move('alerts', 'readings', 0, (await journal.extent('readings', 0)).next);
    expect(await fixture.beats(beat(5, arrived))).toBe(5);
  });
});
