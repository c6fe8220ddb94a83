import { LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { MINUTE, shardOf } from '#libs/kernel';
import { LIVENESS_KEY, type Liveness, type Uplink } from '#libs/telemetry';
import { temporaryFolder, waitUntil } from '#libs/testing';
import { LivenessRecorder } from './liveness-recorder.js';

const SHARDS = 4;
const BEAT_MS = 20;
const logger = { error: () => undefined } as never;

describe('the beats of Pantau', () => {
  it('reach every shard with what had arrived in all, and since when devices were heard without a gap', async () => {
    using folder = temporaryFolder('liveness');
    const state = LmdbStateStore.open(folder.path);
    let now = 0;
    const clock = { now: () => now };
    const journal = await LmdbJournal.open({ state, clock, shards: SHARDS });
    const uplink: Uplink = {
      ...{ site: 'betung', device: 'udara-01', kind: 'telemetry', topic: '', payload: new Uint8Array() },
      ...{ receivedAt: 0, qos: 1, messageId: 1, dup: false, session: 's', will: false },
    };
    await journal.append('uplink', [{ key: 'udara-01', data: uplink }]);
    let isListening = true;
    let askedInVain = 0;
    let othersListen = true;
    const source = {
      othersListen: () => othersListen,
      component: 'broker' as const,
      isListening: () => {
        if (!isListening) askedInVain++;
        return isListening;
      },
    };
    const recorder = new LivenessRecorder(journal, clock, BEAT_MS, logger, source);
    const beats = async (shard: number): Promise<Liveness[]> => {
      const { next } = await journal.extent('liveness', shard);
      const entries = next === 0 ? [] : await journal.read('liveness', shard, 0, next);
      expect(entries.every(({ key }) => shardOf(key, SHARDS) === shard)).toBe(true);
      return entries.filter(({ key }) => key !== LIVENESS_KEY).map(({ data }) => data);
    };
    const anotherOfEach = async (): Promise<Liveness[]> => {
      const counts = await Promise.all([0, 1, 2, 3].map(async (shard) => (await beats(shard)).length));
      await waitUntil('each shard has another', async () => {
        for (const [shard, count] of counts.entries())
          if ((await beats(shard)).length <= count + 1) return false;
        return true;
      });
      return Promise.all([0, 1, 2, 3].map(async (shard) => (await beats(shard)).at(-1)!));
    };
    await recorder.start();
    const arrived = [0, 1, 2, 3].map((shard) => (shard === shardOf('udara-01', SHARDS) ? 1 : 0));
    for (const { time } of await anotherOfEach()) expect(time).toEqual({ heardSince: 0, uplinks: arrived });
    // The machine was suspended.
    now = MINUTE;
    for (const { time } of await anotherOfEach()) expect(time).toMatchObject({ heardSince: MINUTE });
    now += BEAT_MS;
    for (const { at, time } of await anotherOfEach())
      expect([at, time?.heardSince]).toEqual([MINUTE + BEAT_MS, MINUTE]);
    // Nobody could be heard for a while.
    isListening = false;
    await waitUntil('it asked', () => askedInVain > 0);
    now += BEAT_MS;
    isListening = true;
    for (const { time } of await anotherOfEach()) expect(time?.heardSince).toBe(MINUTE + 2 * BEAT_MS);
    // Whom another way in would have heard cannot be told: that is said, and no shard is told that time has passed.
    othersListen = false;
    const records = async (): Promise<Liveness[]> => {
      const shard = shardOf(LIVENESS_KEY, SHARDS);
      const { next } = await journal.extent('liveness', shard);
      const entries = await journal.read('liveness', shard, 0, next);
      return entries.filter(({ key }) => key === LIVENESS_KEY).map(({ data }) => data);
    };
    await waitUntil('it says so', async () => (await records()).at(-1)?.partial === true);
    const told = (await beats(0)).length;
    const said = (await records()).length;
    now += BEAT_MS;
    await waitUntil('it goes on', async () => (await records()).length > said + 1);
    expect((await beats(0)).length).toBe(told);
    othersListen = true;
    for (const { time } of await anotherOfEach()) expect(time?.heardSince).toBe(MINUTE + 3 * BEAT_MS);
    expect((await records()).at(-1)).not.toHaveProperty('partial');
    // What was recorded before an interruption is not continued, however short it was.
    const resumed = (await records()).flatMap(({ at, resumed }) => (resumed === true ? [at] : []));
    expect(resumed).toEqual([MINUTE + 2 * BEAT_MS, MINUTE + 3 * BEAT_MS]);
    await recorder.stop();
    await journal.close();
    await state.close();
  });
});
