import { seededRandom } from '#libs/kernel';
import { waitUntil } from '#libs/testing';
import { expectAcknowledged, Installation } from './crash.fixture.js';

/** Each stage a process of its own, ingest two; those that share the embedded store are one. */
const PROCESSES = [
  ['broker'],
  ['http-intake'],
  ['ingest', '--shards', '0,1'],
  ['ingest', '--shards', '2,3'],
  ['alerts'],
  ['evidence'],
  ['writer', 'tiers', 'gateway'],
] as const;
const KILLS = 10;

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

describe('stages as processes', () => {
  it('come to the same as one undisturbed process, each killed in the middle', async () => {
    await using whole = await Installation.make();
    await whole.start();
    const expected = await replayed(whole, async () => undefined);
    expect((expected as { figures: unknown[] }).figures.length).toBeGreaterThan(50);
    await whole.kill('SIGKILL');

    await using parts = await Installation.make();
    await Promise.all(PROCESSES.map((words) => parts.start(...words)));
    const random = seededRandom(15);
    const found = await replayed(parts, async () => {
      // Every process at least once, then anyone.
      for (let n = 0; n < KILLS; n++) {
        const words = PROCESSES[n < PROCESSES.length ? n : Math.floor(random() * PROCESSES.length)]!;
        const share = 100 + 100 * n;
        await waitUntil(`${share} messages are acknowledged`, () => parts.acknowledged().length >= share);
        await parts.kill('SIGKILL', ...words);
        await parts.start(...words);
      }
    });
    expect(found).toEqual(expected);
  }, 300_000);

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
