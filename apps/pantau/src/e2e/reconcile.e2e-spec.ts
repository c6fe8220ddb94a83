import { seededRandom } from '#libs/kernel';
import { waitUntil } from '#libs/testing';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { PantauFixture } from './pantau.fixture.js';

/** A real day of a community network, which is not shipped: the folder `PANTAU_AIR_DATA` holds the archives. */
const ARCHIVE = join(process.env['PANTAU_AIR_DATA'] ?? 'not given', 'sensor-community');

/** The same shape made up: drifting cadence, a gap, values that repeat, fail their range and stick. */
function madeUpArchive(file: string): void {
  const random = seededRandom(20190419);
  const lines = ['sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2'];
  for (let sensor = 1; sensor <= 19; sensor++) {
    for (let second = sensor; second < 86_400; second += 147 + Math.floor(random() * 3)) {
      if (sensor === 3 && second > 30_000 && second < 31_000) continue;
      const pm10 = sensor === 4 ? 20 : 10 + random() * 30;
      const time = new Date(Date.UTC(2019, 3, 19) + second * 1_000).toISOString().slice(0, 19);
      const pm25 = random() < 0.01 ? 1_200 : pm10 * random();
      lines.push(`${sensor};SDS011;1;0;0;${time};${pm10.toFixed(2)};;;${pm25.toFixed(2)};;`);
    }
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
}

describe('a day of a network of sensors through MQTT', () => {
  it('is accounted for to the last line', async () => {
    await using pantau = await new PantauFixture().start();
    const real = ['sds011', 'dht22', 'bme280'].map((kind) =>
      join(ARCHIVE, `2019-04-19_${kind}_fleet.csv.gz`),
    );
    const files = real.every((file) => existsSync(file)) ? real : [pantau.file('fleet.csv')];
    if (files.length === 1) madeUpArchive(files[0]!);
    const lines = files.flatMap((file) => {
      const bytes = readFileSync(file);
      return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split('\n').slice(1);
    });

    const archives = files.map((file, i) => `  - { file: ${file}, prefix: sc${i} }`);
    writeFileSync(
      pantau.file('plan.yaml'),
      `site: betung\nfrom: 2019-04-19T00:00:00Z\nto: 2019-04-20T00:00:00Z\narchives:\n${archives.join('\n')}\n`,
    );
    const [plan, passwords, log] = ['plan.yaml', 'passwords.json', 'acknowledged.jsonl'].map((name) =>
      pantau.file(name),
    ) as [string, string, string];
    expect((await pantau.command('device', 'add-plan', plan, '--credentials', passwords)).code).toBe(0);
    const replay = await pantau.command(
      ...['replay', plan, '--url', pantau.url, '--credentials', passwords],
      ...['--speed', 'max', '--acknowledged-log', log],
    );
    expect(replay).toMatchObject({
      code: 0,
      output: expect.stringContaining(`${lines.length} dari/of ${lines.length}`),
    });
    await waitUntil('every stage has read everything', async () => {
      const { body } = await pantau.get<{ lag: Record<string, number> }>('health');
      return Object.values(body.lag).every((lag) => lag === 0);
    });

    const quick = await pantau.command('reconcile');
    const full = await pantau.command(
      'reconcile',
      '--full',
      '--token',
      pantau.token,
      '--acknowledged-log',
      log,
    );
    const figureIn = (output: string, label: string): number =>
      Number(new RegExp(`${label} +(\\d+)`).exec(output)?.[1]);
    const [account = '', check = ''] = full.output.split('full check of journal and store');
    for (const output of [quick.output, account, check]) {
      const figure = (label: string): number => figureIn(output, label);
      expect(figure('became readings')).toBe(lines.length);
      for (const label of ['refused', 'nothing to keep', 'without a trace', 'refused by the store'])
        expect([label, figure(label)]).toEqual([label, 0]);
      expect(figure('distinct') + figure('replaced an equal one')).toBe(figure('/ values'));
      expect(output).toMatch(/suspect [1-9]/);
    }
    // Counted as they passed, and counted again from the journal: the same.
    expect(figureIn(quick.output, 'distinct')).toBe(figureIn(check, 'distinct'));
    expect(/pass .*/.exec(quick.output)?.[0]).toBe(/pass .*/.exec(check)?.[0]);
    expect(figureIn(quick.output, 'waiting')).toBe(0);
    expect(figureIn(quick.output, 'written to the store')).toBe(
      figureIn(quick.output, '/ values') + figureIn(quick.output, 'judged again'),
    );
    expect(figureIn(check, 'stored')).toBe(figureIn(check, 'distinct'));
    expect(figureIn(check, 'not found in the store')).toBe(0);
    expect(full.output).toMatch(/ 0 hilang \/ missing/);
    for (const { output, code } of [quick, full]) {
      expect(output).toContain('It adds up.');
      expect(code).toBe(0);
    }
    expect((await pantau.get('reconciliation')).body).toMatchObject({ balanced: true });
    const wrong = await pantau.get<{ detail: string }>('reconciliation?device=sc0-1');
    expect([wrong.status, wrong.body.detail]).toEqual([400, expect.stringContaining('reconciliation/check')]);

    // Killed in the middle of a check: nothing of it is left, and it can be started again.
    const path = 'reconciliation/check';
    expect((await pantau.send('POST', path, {})).body).toMatchObject({ state: 'running' });
    await pantau.kill();
    expect((await pantau.get(path)).body).toEqual({ state: 'none' });
    expect((await pantau.send('POST', path, {})).body).toMatchObject({ state: 'running' });
    let status: { state: string; result?: { balanced: boolean } } = { state: 'running' };
    await waitUntil(
      'the check has ended',
      async () => {
        status = (await pantau.get<typeof status>(path)).body;
        return status.state !== 'running';
      },
      60_000,
    );
    expect(status).toMatchObject({ state: 'done', result: { balanced: true } });
    expect((await pantau.get('reconciliation')).body).toMatchObject({ balanced: true });
  }, 180_000);
});
