import { HOUR, MINUTE } from '#libs/kernel';
import { freePort, startProcess, temporaryFolder, waitUntil } from '#libs/testing';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../built.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
const SHIPPED_RULES = readFileSync(join(ROOT, 'config', 'rules.yaml'), 'utf8');
const SCENARIO_FOLDER = join(ROOT, 'simulators', 'scenario', 'scenarios');
const SCENARIOS = readdirSync(SCENARIO_FOLDER).map((name) => name.replace('.yaml', ''));

/** Pantau with the rules that the scenarios speak of, or others. */
async function start(rules = SHIPPED_RULES, more = ''): Promise<PantauFixture> {
  const pantau = new PantauFixture();
  writeFileSync(pantau.file('others.yaml'), rules);
  return pantau.start(`rules: ${pantau.file('others.yaml')}\n${more}`);
}

function simulate(
  pantau: PantauFixture,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  return pantau.command('simulate', ...args, '--token', pantau.token);
}

describe('pantau simulate', () => {
  // One Pantau for all of them, as for a whole training day: their fleets have names of their own.
  let training: PantauFixture;
  beforeAll(async () => {
    training = await start();
  });
  afterAll(async () => {
    await training[Symbol.asyncDispose]();
  });

  it.each(SCENARIOS)('%s: Pantau sees what was true', async (name) => {
    const pantau = training;
    const report = pantau.file(`${name}.md`);
    const { code, output } = await simulate(pantau, name, '--report', report, '--scale', '0.002');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('The check passed.') });
    const text = readFileSync(report, 'utf8');
    expect(text).toContain(output.slice(output.indexOf('| '), output.lastIndexOf('|') + 1));
    const pictures = Array.from(text.matchAll(/!\[[^\]]+\]\((.+\.svg)\)/g), ([, file]) => file ?? '');
    expect(pictures.length).toBeGreaterThan(0);
    for (const file of pictures)
      expect(readFileSync(pantau.file(file), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  it('fails the check when a rule has a wrong level, and says why', async () => {
    await using pantau = await start(SHIPPED_RULES.replace('raise: 250.4', 'raise: 350.4'));
    const { code, output } = await simulate(pantau, 'haze-week', '--check');
    expect(output).toMatch(/FAILED: .*pm25-berbahaya/);
    expect(code).toBe(1);
  });

  it('fails the check when a quality test is switched off, and says why', async () => {
    const limits = 'version: off\nparameters:\n  pm25: { flatLine: false }\n';
    const pantau = new PantauFixture();
    writeFileSync(pantau.file('limits.yaml'), limits);
    writeFileSync(pantau.file('others.yaml'), SHIPPED_RULES);
    await using running = await pantau.start(
      `rules: ${pantau.file('others.yaml')}\nqualityControl: ${pantau.file('limits.yaml')}\n`,
    );
    const { code, output } = await simulate(running, 'drifting-sensor', '--check');
    expect(output).toMatch(/FAILED: of the values that stuck falsified/);
    expect(code).toBe(1);
  });

  it('gives the same figures when Pantau is killed in the middle, and the same truth', async () => {
    await using undisturbed = await start();
    const whole = await simulate(
      undisturbed,
      'quiet-week',
      '--check',
      '--truth',
      undisturbed.file('truth.jsonl'),
    );
    await using killed = await start();
    const running = startProcess(process.execPath, [
      MAIN,
      ...['--config', killed.file('pantau.yaml'), 'simulate', 'quiet-week', '--check'],
      ...['--token', killed.token, '--truth', killed.file('truth.jsonl')],
    ]);
    await waitUntil('it is on its way', () => /\b[1-9]\d? %/.test(running.output()));
    await killed.kill();
    await waitUntil('it is over', () => running.process.exitCode !== null, 120_000);
    const tables = (output: string): string => output.slice(output.indexOf('| '));
    expect(tables(running.output())).toBe(tables(whole.output));
    expect(whole.code).toBe(0);
    expect(readFileSync(killed.file('truth.jsonl'), 'utf8')).toBe(
      readFileSync(undisturbed.file('truth.jsonl'), 'utf8'),
    );
  }, 180_000);

  it('refuses a scenario whose outcome names a rule that Pantau does not have, before anything is sent', async () => {
    const file = training.file('other.yaml');
    const haze = readFileSync(join(SCENARIO_FOLDER, 'haze-week.yaml'), 'utf8');
    writeFileSync(file, haze.replace('rule: pm25-berbahaya', 'rule: no-such').replaceAll(' asap-', ' lain-'));
    const { code, output } = await simulate(training, file);
    expect(output).toMatch(/no-such.*no such rule; it has .*Add the rule to rules\.yaml/s);
    expect(code).toBe(1);
    expect((await training.items<{ id: string }>('devices')).some(({ id }) => id.startsWith('lain'))).toBe(
      false,
    );
  });

  it('takes the token of PANTAU_TOKEN, and makes none of its own then', async () => {
    const args = [MAIN, '--config', training.file('pantau.yaml'), 'simulate', 'quiet-week'];
    await using refused = startProcess(process.execPath, args, { PANTAU_TOKEN: 'wrong' });
    await waitUntil('it is over', () => refused.process.exitCode !== null, 60_000);
    expect(refused.output()).toContain('TOKEN_INVALID');
    expect(refused.process.exitCode).toBe(1);
  });

  it('has the current index beside the true one when the scenario ends now', async () => {
    const file = training.file('now.yaml');
    writeFileSync(
      file,
      `title: { id: Kini, en: Now }
rehearses: { id: Indeks kini, en: The current index }
seed: 7
span: 30h
fleet:
  sites: [{ id: sim-kini, name: Kini, latitude: -2.9, longitude: 104.7 }]
  stations: [{ id: kini-rujukan, site: sim-kini, model: reference }]
expect:
  index: { error: 2 }
`,
    );
    const { code, output } = await simulate(training, file, '--check');
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('The check passed.') });
    const [, truth = '', seen = ''] = /kini-rujukan +\| (\d+) +\| (\d+) +\|\n/.exec(output) ?? [];
    expect(Number(truth)).toBeGreaterThan(20);
    expect(Math.abs(Number(seen) - Number(truth))).toBeLessThanOrEqual(2);
  });

  it('ends now and goes on live; Ctrl-C ends it with the truth complete up to there', async () => {
    const pantau = training;
    const truth = pantau.file('live.jsonl');
    const running = startProcess(process.execPath, [
      ...[MAIN, '--config', pantau.file('pantau.yaml'), 'simulate', 'camera-night'],
      ...['--token', pantau.token, '--go-on', '1h', '--truth', truth],
    ]);
    const records = (): { type: string; at?: string }[] =>
      readFileSync(truth, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string });
    const isLive = (): boolean => Date.now() - Date.parse(records().at(-1)?.at ?? '') < 2 * MINUTE;
    await waitUntil(
      'it has come to now',
      () => existsSync(truth) && /\d %/.test(running.output()) && isLive(),
    );
    await running.stop('SIGINT');
    expect([running.process.exitCode, running.output()]).toEqual([
      1,
      expect.stringContaining('Ended before'),
    ]);
    const all = records();
    const messages = all.filter(({ type }) => type === 'message');
    expect(all.at(-1)).toEqual({ type: 'end', messages: messages.length, complete: false });
    expect(messages.every(({ at = '' }) => Date.parse(at) <= Date.now())).toBe(true);
  });

  it('replays a segment of its journal under other names: the same readings, and no word of who sent them', async () => {
    const pantau = training;
    const from = new Date().toISOString();
    const client = await pantau.connect('udara-01');
    const now = Date.now();
    for (const [i, pm25] of [11, 12, 13].entries())
      await client.publishAsync(
        'pantau/v1/betung/udara-01/telemetry',
        JSON.stringify({ ts: now - (3 - i) * MINUTE, values: { pm25 } }),
        { qos: 1 },
      );
    await client.publishAsync('pantau/v1/betung/udara-01/telemetry', 'rumah bupati', { qos: 1 });
    await client.endAsync();
    const [segment, credentials] = [pantau.file('segment.jsonl'), pantau.file('credentials.json')];
    const span = ['--from', from, '--to', new Date(Date.now() + MINUTE).toISOString()];
    const exported = await pantau.command('export', segment, ...span, '--device', 'udara-01', '--anonymise');
    expect(exported.output).toMatch(/messages written to .*; 1 dilewati/);
    expect(readFileSync(segment, 'utf8')).not.toMatch(/udara-01|betung/);
    await pantau.command('device', 'add-plan', segment, '--credentials', credentials);
    const words = ['--credentials', credentials, '--url', pantau.url, '--speed', 'max'];
    expect((await pantau.command('replay', segment, ...words)).code).toBe(0);
    await pantau.caughtUp();
    const readings = async (device: string): Promise<unknown[]> =>
      (await pantau.items<Record<string, unknown>>(`readings?device=${device}`)).map(({ ts, value }) => [
        ts,
        value,
      ]);
    expect(await readings('perangkat-1')).toHaveLength(3);
    expect(await readings('perangkat-1')).toEqual(await readings('udara-01'));
    // A device of this installation keeps its password.
    await pantau.command('export', segment, ...span, '--device', 'udara-01');
    const again = await pantau.command('device', 'add-plan', segment, '--credentials', credentials);
    expect([again.code, again.output]).toEqual([
      1,
      expect.stringContaining('registered here already: udara-01'),
    ]);
  });

  it('says what is owed when the broker is not there', async () => {
    const pantau = training;
    const { code, output } = await simulate(
      pantau,
      ...['camera-night', '--url', 'mqtt://127.0.0.1:9', '--patience', '3s'],
    );
    expect(output).toMatch(/messages are owed, 0 of \d+ devices are connected/);
    expect(code).toBe(1);
  });
});

describe('pantau start --demo', () => {
  it('shows a week that ends now and goes on live, named a demonstration, and goes on where it was when started again', async () => {
    using folder = temporaryFolder('demo');
    const port = await freePort();
    const environment = {
      ...{ PANTAU_DATA: folder.path, PANTAU_MQTT_PORT: '0', PANTAU_HTTP_PORT: String(port) },
      ...{ PANTAU_METRICS_PORT: 'false', PANTAU_LOG_LEVEL: 'warn' },
    };
    let token = '';
    const demonstrate = async (): Promise<{
      output: string;
      devices: ShownDevice[];
      stations: { device: string }[];
    }> => {
      const pantau = startProcess(process.execPath, [MAIN, 'start', '--demo'], environment);
      const hasEnded = (): boolean => pantau.process.exitCode !== null;
      await waitUntil('it is live', () => hasEnded() || pantau.output().includes('goes on live'), 120_000);
      token = /pantau_first-admin_\S+/.exec(pantau.output())?.[0] ?? token;
      let devices: ShownDevice[] = [];
      const get = async <T>(path: string): Promise<T[]> => {
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, { headers });
        return ((await response.json()) as { items: T[] }).items;
      };
      await waitUntil('every device is connected', async () => {
        const items = await get<ShownDevice>('devices');
        devices = items.filter(({ site }) => site === 'demo');
        return devices.every(({ presence }) => presence?.state === 'connected');
      });
      const stations = (await get<{ device: string }>('stations')).filter(({ device }) =>
        device.startsWith('demo-'),
      );
      await pantau.stop('SIGTERM');
      expect([pantau.process.exitCode, pantau.output()]).toEqual([
        0,
        expect.stringContaining('stopped in order'),
      ]);
      return { output: pantau.output(), devices, stations };
    };
    const first = await demonstrate();
    expect(first.output).toMatch(/FIRING .* demo-udara-dongsi/);
    expect(first.output).toMatch(/messages acknowledged: (\d+) dari\/of \1;/);
    // The recorded mean of its worst day, four to five days ago.
    expect(first.output).toMatch(/demo-udara-dongsi, \d{4}-\d\d-\d\d .*\n  nilai \/ value: 271\.6 ug/);
    expect(first.devices).toHaveLength(8);
    for (const { id, name, latest } of first.devices) {
      expect([id, name]).toEqual([
        expect.stringMatching(/^demo-/),
        expect.stringMatching(/simulated|recording/),
      ]);
      if (id.includes('udara'))
        expect(Date.now() - Date.parse(latest?.['pm25']?.ts ?? '')).toBeLessThan(4 * HOUR);
    }
    expect(first.stations).toEqual(
      ['demo-udara-dongsi', 'demo-udara-huairou'].map((device) =>
        expect.objectContaining({ device, status: 'ok', ispu: expect.any(Object) }),
      ),
    );
    const again = await demonstrate();
    expect(again.output).toContain('goes on from where it was');
    const sent = Number(/acknowledged: (\d+) dari/.exec(again.output)?.[1]);
    expect(sent).toBeLessThan(100);
    expect(again.devices).toHaveLength(8);
  }, 240_000);
});

interface ShownDevice {
  readonly id: string;
  readonly site: string;
  readonly name: string;
  readonly presence?: { readonly state: string };
  readonly latest?: Readonly<Record<string, { readonly ts: string }>>;
}
