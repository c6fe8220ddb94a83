import { FullCheckJob, HealthController } from '#apps/gateway';
import { SignIn } from '#libs/identity';
import { MINUTE } from '#libs/kernel';
import { loadConfig } from '#libs/platform';
import { temporaryFolder } from '#libs/testing';
import { LIVENESS_KEY } from '#libs/telemetry';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngines, openStore, systemClock } from '../storage/engines.js';
import { fullCheckInThread } from '../verification/full-check-thread.js';
import { memoryPlan, threadNames } from '../processes/memory-plan.js';
import { PantauFixture } from './pantau.fixture.js';
import { STAGES } from '../stages.js';

interface Health {
  readonly status: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly lag?: Readonly<Record<string, number>>;
}

describe('health', () => {
  it('names every part, tells details only to whom it knows, and metrics hold the delay of every thread', async () => {
    await using pantau = await new PantauFixture().start();
    const anybody = await pantau.get<Health>('health', null);
    expect(anybody).toMatchObject({ status: 200, body: { status: 'ok' } });
    const threads = threadNames(memoryPlan(loadConfig(pantau.file('pantau.yaml'), {})));
    const expected = [...threads, 'listener', ...STAGES.map(({ name }) => `stage ${name}`)];
    expect(anybody.body.parts).toEqual(Object.fromEntries(expected.map((part) => [part, 'ok'])));
    expect(Object.keys(anybody.body).sort()).toEqual(['detail', 'journal', 'parts', 'status', 'store']);
    expect((await pantau.get<Health>('health', 'pantau_x_wrong')).body.lag).toBeUndefined();

    const { body } = await pantau.get<Health>('health');
    const streams = STAGES.flatMap(({ name, reads }) => reads.map((stream) => `${name}.${stream}`));
    expect(Object.keys(body.lag ?? {}).sort()).toEqual(streams.sort());

    const text = await (await fetch(pantau.metrics)).text();
    for (const thread of threads) {
      const spent = new RegExp(
        `^pantau_thread_cpu_seconds_total\\{thread="${thread}"\\} ([\\d.]+)$`,
        'm',
      ).exec(text);
      // What a thread did until here cost something; Linux alone tells it.
      if (process.platform === 'linux') expect(Number(spent?.[1])).toBeGreaterThan(0);
      expect(text).toMatch(
        new RegExp(`^pantau_event_loop_lag_seconds\\{thread="${thread}"\\} [\\d.]+$`, 'm'),
      );
    }
  });

  it('is down while a part that should run does not', async () => {
    using folder = temporaryFolder('health');
    const file = join(folder.path, 'pantau.yaml');
    writeFileSync(file, `data: ${folder.path}/data\nhttp: { port: 0 }\n`);
    const config = loadConfig(file, {});
    const engines = await openEngines(config, systemClock);
    const store = await openStore(config);
    await store.setUp();
    const fullCheck = new FullCheckJob(fullCheckInThread(config, store), systemClock);
    let lagMs: number | undefined = 0;
    let claimed = new Set(['writer']);
    const controller = new HealthController({
      ...engines,
      store,
      fullCheck,
      clock: systemClock,
      verify: () => Promise.reject(new Error('no figure is asked for')),
      signIn: new SignIn(engines.users, engines.secondFactor, systemClock),
      publicUrl: undefined,
      codecs: new Map(),
      brokerListeners: [],
      keeping: { journal: {}, store: { raw: Infinity, hour: Infinity, day: Infinity } },
      openId: undefined,
      presencePolicy: { graceMs: MINUTE, brokerSilenceMs: MINUTE },
      rules: [],
      watched: {
        stages: { writer: ['readings'] },
        claimed: async () => claimed,
        threads: () => [{ name: 'ingest', lagMs }],
      },
    });
    const health = async (): Promise<{ status: number; body: unknown }> => {
      let status = 200;
      const body = await controller.health(undefined, { status: (code) => (status = code) });
      return { status, body };
    };
    const { journal } = engines;
    expect(await health()).toMatchObject({
      status: 503,
      body: { status: 'down', parts: { ingest: 'ok', listener: 'down', 'stage writer': 'down' } },
    });
    const alive = { component: 'broker', run: 'r', kind: 'beat', at: systemClock.now() } as const;
    await journal.append('liveness', [{ key: LIVENESS_KEY, data: alive }]);
    for (let shard = 0; shard < journal.shards; shard++)
      await journal.commit({ cursor: 'writer', stream: 'readings', shard, expected: 0, next: 0 });
    expect(await health()).toMatchObject({ status: 200, body: { status: 'ok' } });
    for (lagMs of [undefined, 20_000])
      expect(await health()).toMatchObject({ status: 503, body: { parts: { ingest: 'down' } } });
    lagMs = 0;
    claimed = new Set();
    expect(await health()).toMatchObject({ status: 503, body: { parts: { 'stage writer': 'down' } } });
    claimed = new Set(['writer']);
    await journal.append('liveness', [{ key: LIVENESS_KEY, data: { ...alive, kind: 'stop' } }]);
    expect(await health()).toMatchObject({ status: 503, body: { parts: { listener: 'down' } } });
    await store.close();
    await engines.close();
  });
});
