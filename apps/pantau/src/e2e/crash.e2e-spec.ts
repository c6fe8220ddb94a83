import { describeWith, startInfluxd, startProcess, temporaryFolder, waitUntil } from '#libs/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../built.fixture.js';
import { expectAcknowledged, Installation, REPLAYED } from './crash.fixture.js';

/** Kills Pantau in the middle of a replay, three times, and compares what was acknowledged with what is stored. */
async function surviveKills(pantau: Installation): Promise<void> {
  await pantau.start();
  const replay = await pantau.startReplay();
  for (const share of [200, 600, 1_100]) {
    await waitUntil(`${share} messages are acknowledged`, () => pantau.acknowledged().length >= share);
    expect(replay.process.exitCode).toBeNull();
    await pantau.kill('SIGKILL');
    await pantau.start();
  }
  await waitUntil('the replay is over', () => replay.process.exitCode !== null, 60_000);
  if (replay.process.exitCode !== 0) throw new Error(replay.output());
  await pantau.caughtUp();

  await expectAcknowledged(pantau);

  // And the evidence can be computed again from the journal, with Pantau stopped in order.
  expect(await pantau.kill('SIGTERM')).toBe(0);
  const evidence = pantau.run(
    'evidence',
    'show',
    'env.aq.pm25_daily_mean',
    'udara-dongsi',
    '2015-12-20',
    '--recompute',
  );
  await waitUntil('the evidence is shown', () => evidence.process.exitCode !== null);
  expect(evidence.output()).toContain('The same, byte for byte');
}

describe('Pantau killed in the middle of a replay', () => {
  it('has stored exactly what was acknowledged (DuckDB)', async () => {
    await using pantau = await Installation.make();
    await surviveKills(pantau);
  }, 180_000);
});

describeWith(['influxd'], 'Pantau with a real InfluxDB', () => {
  it('has stored exactly what was acknowledged, after being killed in the middle of a replay', async () => {
    await using influx = await startInfluxd();
    await using pantau = await Installation.make({
      PANTAU_STORE: 'influxdb',
      PANTAU_INFLUX_VERSION: '1',
      PANTAU_INFLUX_URL: influx.url,
    });
    await surviveKills(pantau);
  }, 180_000);

  it('goes on acknowledging while InfluxDB is away, and catches up when it is back', async () => {
    await using influx = await startInfluxd();
    await using pantau = await Installation.make({
      PANTAU_STORE: 'influxdb',
      PANTAU_INFLUX_VERSION: '1',
      PANTAU_INFLUX_URL: influx.url,
    });
    await pantau.start();
    await influx.stop('SIGKILL');
    const replay = await pantau.startReplay();
    await waitUntil('the replay is over', () => replay.process.exitCode !== null, 60_000);
    if (replay.process.exitCode !== 0) throw new Error(replay.output());
    const health = await pantau.get<{
      status: string;
      store: { status: string };
      lag: Record<string, number>;
    }>('health');
    expect(health).toMatchObject({ status: 'degraded', store: { status: 'unavailable' } });
    expect(health.lag['writer.readings']).toBeGreaterThan(0);
    await influx.start();
    await pantau.caughtUp();
    const values = pantau.acknowledged().reduce((sum, line) => sum + Object.keys(line.values).length, 0);
    expect(await pantau.get(`readings/count?${REPLAYED}`)).toEqual({ count: values });
  }, 180_000);
});

describe('the command line', () => {
  async function fails(pantau: Installation, ...args: string[]): Promise<string> {
    const command = pantau.run(...args);
    await waitUntil('the command ends', () => command.process.exitCode !== null);
    expect(command.process.exitCode).toBe(1);
    return command.output();
  }

  it('names a port that is in use, and the remedy', async () => {
    await using pantau = await Installation.make();
    await pantau.start();
    await using second = await Installation.make({
      PANTAU_MQTT_PORT: pantau.environment['PANTAU_MQTT_PORT'],
    });
    expect(await fails(second, 'start')).toMatch(
      /PORT_IN_USE: MQTT port \d+ on 127\.0\.0\.1 is in use\. .*mqtt\.port/,
    );
  });

  it('names a data folder that cannot be written', async () => {
    await using pantau = await Installation.make({ PANTAU_DATA: MAIN });
    expect(await fails(pantau, 'start')).toMatch(/DATA_DIR_UNUSABLE: .*main\.js/);
  });

  it('names file, line and expectation of a broken configuration', async () => {
    using folder = temporaryFolder('config');
    const file = join(folder.path, 'pantau.yaml');
    writeFileSync(file, 'mqtt:\n  port: many\n');
    await using pantau = await Installation.make();
    // Without the overrides of the environment, so that the line is the file's.
    const command = startProcess(process.execPath, [MAIN, '--config', file, 'start'], {
      PANTAU_DATA: '',
      PANTAU_MQTT_PORT: '',
      PANTAU_HTTP_PORT: '',
    });
    await waitUntil('the command ends', () => command.process.exitCode !== null);
    expect(command.output()).toMatch(/pantau\.yaml:2: mqtt\.port: expected a whole number from 0 to 65535/);
    expect(await fails(pantau, '--config', '/no/such.yaml', 'start')).toMatch(
      /CONFIG_UNREADABLE: cannot read \/no\/such\.yaml/,
    );
  });

  it('explains every command', async () => {
    await using pantau = await Installation.make();
    for (const args of [
      [],
      ['start'],
      ['replay'],
      ['device'],
      ['device', 'add'],
      ['token', 'create'],
      ['evidence', 'show'],
    ]) {
      const command = pantau.run(...args, '--help');
      await waitUntil('help is shown', () => command.process.exitCode !== null);
      expect(command.process.exitCode).toBe(0);
      expect(command.output()).toContain('Usage: pantau');
    }
  });
});
