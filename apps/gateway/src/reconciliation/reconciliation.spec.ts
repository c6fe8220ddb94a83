import { LocalAccountQueries, countedKey } from '#libs/journal-transport-state';
import { DAY, HOUR } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import { ACCOUNT } from '#namespaces/journal-transport-state';
import { AccountFixture as Fixture, observation, PM10, PM25, refusal, T } from './account.fixture.js';
import { FullCheckJob } from './full-check-job.js';
import { reconcile } from './reconciliation.js';

const DAY_OF_T = '2026-01-01';
const AT = new Date(T + HOUR).toISOString();

describe('the account', () => {
  it('is the same from the counters and from a full check, in passes as small as one likes', async () => {
    await using f = await new Fixture().open();
    await f.send(40);
    for (let i = 0; i < 38; i++) await f.decode(i, i % 10 === 9 ? undefined : [PM25, PM10]);
    const account = await reconcile(f.journal, new LocalAccountQueries(f.state));
    expect(account).toMatchObject({
      messages: { received: 40, becameReadings: 35, refused: 3, waiting: 2, unaccounted: 0 },
      values: { decoded: 70, written: 70, waiting: 0 },
      refusals: { not_json: 3 },
      balanced: true,
    });
    for (const sizes of [{}, { valuesAtOnce: 7, messagesAtOnce: 3 }]) {
      expect(await f.check(sizes)).toMatchObject({
        messages: { kept: 38, becameReadings: 35, refused: 3, unaccounted: 0 },
        values: { decoded: 70, distinct: 70, stored: 70, missing: 0, byFlag: { 1: 35, 3: 35 } },
        waiting: { messages: 2, observations: 0 },
        balanced: true,
      });
    }
  });

  it('names a value that is in the journal and not in the store', async () => {
    await using f = await new Fixture().open();
    await f.send(3);
    for (let i = 0; i < 3; i++) await f.decode(i, [PM25], i !== 1);
    expect(await f.check()).toMatchObject({
      values: { distinct: 3, stored: 2, missing: 1 },
      differences: [
        { part: 'store', device: 'a', day: DAY_OF_T, row: `${AT} pm25`, journal: '5 1', store: null },
      ],
      balanced: false,
    });
    expect(await f.check({ storeKeepsFrom: T + 2 * HOUR })).toMatchObject({
      values: { stored: 2, expired: 1, missing: 0 },
      balanced: true,
    });
  });

  it('names device, day and row of what the store holds otherwise or alone, as many as there were', async () => {
    await using f = await new Fixture().open();
    await f.send(3);
    for (let i = 0; i < 3; i++) await f.decode(i, [PM25]);
    expect(await f.check()).toMatchObject({
      values: { different: 0, unsaid: 0 },
      differences: [],
      balanced: true,
    });
    const one = { part: 'store', device: 'a', day: DAY_OF_T, row: `${AT} pm25`, journal: '5 1' };
    for (const [changed, store] of [
      [{ ...PM25, value: 6 }, '6 1'],
      [{ ...PM25, flag: 4, failed: ['spike'] }, '5 4 spike'],
    ] as const) {
      await f.store.write([observation(1, T, [changed])]);
      expect(await f.check()).toMatchObject({
        values: { stored: 2, different: 1, unsaid: 0, missing: 0 },
        differences: [{ ...one, store }],
        balanced: false,
      });
    }
    await f.store.write([observation(1, T, [PM25]), observation(30, T, [PM10])]);
    const row = `${new Date(T + 30 * HOUR).toISOString()} pm10`;
    expect(await f.check()).toMatchObject({
      values: { stored: 3, different: 0, unsaid: 1 },
      differences: [{ ...one, day: '2026-01-02', row, journal: null, store: '9 3' }],
      balanced: false,
    });
    // What arrives while the check goes on is in the store before the check has read of it.
    expect((await f.check({ now: T })).balanced).toBe(true);
  });

  it('adds up after retention of readings, of messages, and of both, and says what was taken', async () => {
    for (const streams of [['readings'], ['uplink'], ['uplink', 'readings', 'rejected']] as StreamName[][]) {
      await using f = await new Fixture().open();
      await f.send(4);
      for (let i = 0; i < 4; i++) await f.decode(i, i === 3 ? undefined : [PM25]);
      f.now = T + 2 * DAY;
      await f.send(2);
      for (let i = 4; i < 6; i++) await f.decode(i, [PM25]);
      for (const stream of streams) await f.journal.retain(stream, { maxAge: DAY });
      const taken = {
        messages: streams.includes('uplink') ? 4 : 0,
        observations: streams.includes('readings') ? 3 : 0,
      };
      expect(await reconcile(f.journal, new LocalAccountQueries(f.state))).toMatchObject({
        messages: { received: 6, becameReadings: 5, refused: 1, waiting: 0, unaccounted: 0 },
        values: { decoded: 5, written: 5, waiting: 0 },
        takenByRetention: taken,
        balanced: true,
      });
      const check = await f.check();
      expect(check).toMatchObject({ takenByRetention: taken, balanced: true, values: { missing: 0 } });
      expect(check.values).toMatchObject({ unsaid: 0, notVerifiable: taken.observations });
      expect(check.messages.outcomeTakenByRetention).toBe(streams.length === 1 && taken.observations ? 3 : 0);
      expect(check.messages.unaccounted).toBe(0);
    }
  });

  it('notices a message that was decoded without a trace', async () => {
    await using f = await new Fixture().open();
    await f.send(2);
    await f.decode(0, [PM25]);
    await f.journal.seek('ingest', 'uplink', 0, 2);
    expect(await f.check()).toMatchObject({ messages: { unaccounted: 1 }, balanced: false });
  });

  it('says of a folder of an earlier version what was not counted', async () => {
    await using f = await new Fixture().open();
    await f.send(3);
    for (let i = 0; i < 2; i++) await f.decode(i, [PM25]);
    const keys = [
      countedKey({ stage: 'ingest', stream: 'uplink', shard: 0 }),
      countedKey({ stage: 'writer', stream: 'readings', shard: 0 }),
    ];
    await f.state.write(keys.map((key) => ACCOUNT.remove(key)));
    await f.decode(2, [PM25]);
    expect(await reconcile(f.journal, new LocalAccountQueries(f.state))).toMatchObject({
      messages: { received: 3, becameReadings: 1, beforeCounting: 2, waiting: 0, unaccounted: 0 },
      balanced: true,
    });
  });
});

describe('the full check as a job', () => {
  it('runs one at a time, tells how far it is, and ends when it is cancelled', async () => {
    await using f = await new Fixture().open();
    await f.send(1_500);
    await f.journal.commit({ cursor: 'ingest', stream: 'uplink', shard: 0, expected: 0, next: 1_500 });
    await f.journal.append(
      'rejected',
      Array.from({ length: 5_000 }, () => ({ key: 'a', data: refusal(T) })),
    );
    let seen = 0;
    const job = new FullCheckJob(
      (_device, signal, onProgress) =>
        f.check({
          signal,
          onProgress: (progress) => {
            onProgress(progress);
            if (++seen === 2) void job.cancel();
          },
        }),
      f.clock,
    );
    expect(job.start(undefined).state).toBe('running');
    expect(() => job.start(undefined)).toThrow(/CHECK_RUNNING/);
    // Without blocking: the loop turns while it runs.
    while (job.status.state === 'running') await new Promise(setImmediate);
    expect(job.status).toMatchObject({ state: 'cancelled', progress: { done: 2_000 } });
    expect(job.start(undefined).state).toBe('running');
    expect((await job.cancel()).state).toBe('cancelled');
  });
});
