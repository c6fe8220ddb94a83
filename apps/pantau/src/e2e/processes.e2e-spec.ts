import { seededRandom } from '#libs/kernel';
import { describeWith, startInfluxd, waitUntil } from '#libs/testing';
import { expectAcknowledged, Installation } from './crash.fixture.js';

type Words = readonly [string, ...string[]];
/** Each stage a process of its own, ingest two; those that share the embedded store are one. */
const PROCESSES: readonly Words[] = [
  ['broker'],
  ['http-intake'],
  ['ingest', '--shards', '0,1'],
  ['ingest', '--shards', '2,3'],
  ['alerts'],
  ['evidence'],
  ['writer', 'tiers', 'gateway'],
];
/** With a store that is a server, who writes it and who asks it are two. Those whose kill is another one than above come first. */
const PROCESSES_WITH_SERVER: readonly Words[] = [
  ['gateway'],
  ['writer', 'tiers'],
  ['alerts'],
  ['evidence'],
  ['ingest'],
  ['broker'],
];

/** What a run comes to: alerts with their steps, and the figures of every day. */
async function conclusions(pantau: Installation): Promise<unknown> {
  const alerts = await pantau.get<{ items: { alert: string; history: unknown }[] }>('alerts?limit=1000');
  const figures = await pantau.get<{
    items: { indicator: string; subject: unknown; period: unknown; value: unknown }[];
  }>('indicators?from=2015-12-06&to=2016-01-09&limit=1000');
  return {
    alerts: alerts.items
      .map(({ alert, history }) => ({ alert, history }))
      .toSorted((a, b) => (a.alert < b.alert ? -1 : 1)),
    figures: figures.items
      .map(({ indicator, subject, period, value }) => JSON.stringify({ indicator, subject, period, value }))
      .sort(),
  };
}

async function replayed(pantau: Installation, disturb: () => Promise<void>): Promise<unknown> {
  const replay = await pantau.startReplay();
  await disturb();
  await waitUntil('the replay is over', () => replay.process.exitCode !== null, 120_000);
  if (replay.process.exitCode !== 0) throw new Error(replay.output());
  await pantau.caughtUp();
  await expectAcknowledged(pantau);
  return conclusions(pantau);
}

/** What an undisturbed process comes to; one run serves every test. */
let undisturbed: Promise<unknown> | undefined;
async function runUndisturbed(): Promise<unknown> {
  await using whole = await Installation.make();
  await whole.start();
  const found = await replayed(whole, async () => undefined);
  expect((found as { figures: unknown[] }).figures.length).toBeGreaterThan(50);
  return found;
}

/** Runs them with kills in their order, then of anyone, and compares with one process that nobody disturbed. */
async function compareKilled(
  pantau: Installation,
  processes: readonly Words[],
  kills: number,
): Promise<void> {
  const expected = await (undisturbed ??= runUndisturbed());
  await Promise.all(processes.map((words) => pantau.start(...words)));
  const random = seededRandom(15);
  const found = await replayed(pantau, async () => {
    for (let n = 0; n < kills; n++) {
      const words = processes[n < processes.length ? n : Math.floor(random() * processes.length)]!;
      const share = 100 + 100 * n;
      await waitUntil(`${share} messages are acknowledged`, () => pantau.acknowledged().length >= share);
      await pantau.kill('SIGKILL', ...words);
      await pantau.start(...words);
    }
  });
  expect(found).toEqual(expected);
}

describeWith(['influxd'], 'stages as processes over a real InfluxDB', () => {
  it('come to the same as one undisturbed process, killed in the middle', async () => {
    await using influx = await startInfluxd();
    await using pantau = await Installation.make({
      PANTAU_STORE: 'influxdb',
      PANTAU_INFLUX_VERSION: '1',
      PANTAU_INFLUX_URL: influx.url,
    });
    await compareKilled(pantau, PROCESSES_WITH_SERVER, 4);
  }, 600_000);
});

describe('stages as processes', () => {
  it('come to the same as one undisturbed process, each killed in the middle', async () => {
    await using pantau = await Installation.make();
    await compareKilled(pantau, PROCESSES, 10);
  }, 600_000);

  it('take in what devices post while the API is halted, and while it is away', async () => {
    await using pantau = await Installation.make();
    const api = ['writer', 'tiers', 'gateway', 'ingest'] as const;
    await pantau.start('http-intake');
    await pantau.start(...api);
    const [device, password] = await pantau.addDevice();
    const from = Date.now() - 60_000;
    const post = async (n: number, to: 'intake' | 'http'): Promise<number> => {
      const body = JSON.stringify({ ts: from + n * 1_000, values: { pm25: n } });
      return (await pantau.post(device, password, body, to)).status;
    };
    expect([await post(1, 'intake'), await post(2, 'http')]).toEqual([202, 202]);
    pantau.signal('SIGSTOP', ...api);
    expect(await post(3, 'intake')).toBe(202);
    pantau.signal('SIGCONT', ...api);
    await pantau.kill('SIGKILL', ...api);
    expect(await post(4, 'intake')).toBe(202);
    await pantau.start(...api);
    const stored = async (): Promise<number> => (await pantau.get<{ count: number }>('readings/count')).count;
    await waitUntil('all four are stored', async () => (await stored()) === 4);
    await pantau.kill('SIGKILL', 'http-intake');
    const refused = await pantau.post(device, password, '{}', 'http');
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'INTAKE_UNAVAILABLE' }),
    ]);
  }, 120_000);

  it('are missed by health while one of them is gone', async () => {
    await using pantau = await Installation.make();
    await pantau.start('writer', 'tiers', 'gateway', 'alerts', 'evidence', 'broker', 'http-intake');
    await pantau.start('ingest', '--shards', '0,1');
    const parts = async (): Promise<unknown> => (await pantau.get<{ parts: object }>('health')).parts;
    await waitUntil('the listener is heard', async () =>
      JSON.stringify(await parts()).includes('"listener":"ok"'),
    );
    expect(await parts()).toMatchObject({ main: 'ok', 'stage alerts': 'ok', 'stage ingest': 'down' });
    await pantau.start('ingest', '--shards', '2,3');
    await waitUntil('every stage runs', async () => !JSON.stringify(await parts()).includes('down'));
    await pantau.kill('SIGKILL', 'ingest', '--shards', '0,1');
    expect(await parts()).toMatchObject({ 'stage alerts': 'ok', 'stage ingest': 'down' });
  }, 120_000);

  it('refuse a shard that another one runs and say who, until that one is gone', async () => {
    await using pantau = await Installation.make();
    await pantau.start('ingest', '--shards', '0,1');
    const second = pantau.run('run', 'ingest', '--shards', '1,2');
    await waitUntil('it has ended', () => second.process.exitCode !== null);
    expect([second.process.exitCode, second.output()]).toEqual([
      1,
      expect.stringContaining(
        `SHARD_CLAIMED: shard 1 of stage ingest is run by process ${pantau.pid('ingest', '--shards', '0,1')}`,
      ),
    ]);
    // What reads nothing is not split by shards.
    await pantau.start('http-intake', '--shards', '0');
    const other = pantau.run('run', 'http-intake', '--shards', '1');
    await waitUntil('it has ended', () => other.process.exitCode !== null);
    expect(other.output()).toContain('SHARD_CLAIMED: shard 0 of stage http-intake');
    // What it had claimed before it met the other is free again.
    await pantau.start('ingest', '--shards', '2,3');
    await pantau.kill('SIGKILL', 'ingest', '--shards', '0,1');
    await pantau.start('ingest', '--shards', '0,1');
    expect(await pantau.kill('SIGTERM', 'ingest', '--shards', '0,1')).toBe(0);
    await pantau.start('ingest', '--shards', '0,1');
  }, 120_000);
});
