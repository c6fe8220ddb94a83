import { loadConfig } from '#libs/platform';
import { startProcess, temporaryFolder } from '#libs/testing';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../built.fixture.js';
import { PantauFixture } from './pantau.fixture.js';

const DEVICES = Array.from({ length: 8 }, (_, i) => `udara-0${i + 1}`);
const SITES = `
sites:
  - { id: betung, name: Betung, district: Betung }
devices:
${DEVICES.map((id) => `  - { id: ${id}, site: betung, kind: air, name: ${id}, interval: 1s }`).join('\n')}
`;
const MESSAGES = 5_000;

/** What the process holds that the system cannot take back, in bytes; Linux alone tells it. */
function anonymousBytes(pid: number): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

describe('a bound of memory', () => {
  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('holds while a backlog is worked off, over MQTT and HTTP, and nothing is lost', async () => {
    await using pantau = await new PantauFixture().start('memory: 512MB\n', SITES);
    const { memory } = loadConfig(pantau.file('pantau.yaml'), {});
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, anonymousBytes(pantau.pid!))), 50);
    const first = Date.now() - MESSAGES * 1_000;
    const payload = (i: number): string =>
      JSON.stringify({
        ts: first + i * 1_000,
        values: { pm25: 10 + (i % 50), pm10: 20 + (i % 70), temperature: 27 },
      });
    const [posting, ...publishing] = DEVICES;
    await Promise.all([
      ...publishing.map(async (device) => {
        const client = await pantau.connect(device);
        for (let i = 0; i < MESSAGES; i += 40)
          await Promise.all(
            Array.from({ length: 40 }, (_, n) =>
              client.publishAsync(`pantau/v1/betung/${device}/telemetry`, payload(i + n), { qos: 1 }),
            ),
          );
      }),
      (async () => {
        const password = await pantau.engines.credentials.issue(posting!);
        const authorization = `Basic ${Buffer.from(`${posting}:${password}`).toString('base64')}`;
        for (let i = 0; i < 100; i++) {
          const { status } = await fetch(`${pantau.intake}/v1/uplinks/${posting}`, {
            method: 'POST',
            headers: { authorization, 'content-type': 'application/json' },
            body: payload(i),
          });
          expect(status).toBe(202);
        }
      })(),
    ]);
    await pantau.caughtUp();
    clearInterval(watch);
    expect(most).toBeGreaterThan(50e6);
    expect(most).toBeLessThan(memory);
    const { body } = await pantau.get<{ balanced: boolean; received: number }>('reconciliation');
    expect(body).toMatchObject({ balanced: true });
    const { body: health } = await pantau.get<{ parts: Record<string, string> }>('health');
    expect(Object.entries(health.parts).filter(([, state]) => state !== 'ok')).toEqual([]);
    expect(Object.keys(health.parts)).not.toContain('ingest');
  });

  it('that cannot hold the configuration is refused at the start, with what it would need', async () => {
    using folder = temporaryFolder('memory');
    const file = join(folder.path, 'pantau.yaml');
    writeFileSync(file, `data: ${folder.path}/data\nmemory: 300MB\n`);
    const start = startProcess(process.execPath, [MAIN, '--config', file, 'start']);
    if (start.process.exitCode === null) await once(start.process, 'close');
    expect(start.process.exitCode).toBe(1);
    expect(start.output()).toMatch(
      /memory: 300 MB cannot hold this configuration, which needs \d+MB: .*mqtt\.limits\.connections \d+ MB.* Set memory to \d+MB/,
    );
  });
});
