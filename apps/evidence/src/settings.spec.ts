import { namespaceOf } from '#libs/testing';
import { JournalSettings, Registry, SETTINGS, type Device } from '#libs/identity';
import { canonicalJson, DAY, HOUR, MINUTE } from '#libs/kernel';
import { LIVENESS_KEY, type Liveness, type Observation, type Signal } from '#libs/telemetry';
import { AIR, CAMERA, DATE, from, to, withAir } from './settings.fixture.js';

const reading = (ts: number, i: number): Observation => ({
  ...{ site: 'betung', device: AIR.id, ts, receivedAt: ts, uplink: { shard: 0, offset: i } },
  readings: [{ parameter: 'pm25', value: 10 + (i % 7), flag: 1 }],
});
const day = Array.from({ length: 96 }, (_, i) => reading(from + i * 15 * MINUTE, i));

describe('the settings of a figure', () => {
  it('are those of its time: a changed interval leaves yesterday as it was, across a restart', async () => {
    await using fixture = await withAir();
    await fixture.append('readings', AIR.id, day);
    const before = await fixture.reader().get('env.aq.pm25_daily_mean', AIR.id, DATE);
    expect(before.value).not.toBeNull();
    expect(before.settings).toEqual([
      { name: 'device/udara-01', from: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    fixture.now = to + HOUR;
    await fixture.registry.putDevice({ ...AIR, intervalMs: MINUTE });
    await fixture.restart();
    const after = await fixture.reader().get('env.aq.pm25_daily_mean', AIR.id, DATE);
    expect(canonicalJson(after)).toBe(canonicalJson(before));
    expect((await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).result).toBe('equal');
  });

  it('name the version of the quality limits, of each that held on the day', async () => {
    await using fixture = await withAir();
    await fixture.registry.settings.declare('quality', { shipped: 2, limits: null });
    fixture.now = from + 12 * HOUR;
    const limits = { version: 'banyuasin-2026-01' };
    await fixture.registry.settings.declare('quality', { shipped: 2, limits });
    await fixture.append('readings', AIR.id, day);
    fixture.now = to + HOUR;
    await fixture.registry.settings.declare('quality', { shipped: 3, limits });
    const { settings } = await fixture.reader().get('env.aq.pm25_daily_mean', AIR.id, DATE);
    const quality = settings!.filter(({ name }) => name === 'quality');
    expect(quality.map(({ version }) => version)).toEqual(['2', '2+banyuasin-2026-01']);
    expect((await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).result).toBe('equal');
  });

  it('count what a device promised on a day from both intervals when one gave way to the other', async () => {
    await using fixture = await withAir();
    // In the middle of an hour: half of it at a quarter of an hour, half at five minutes.
    fixture.now = from + 12 * HOUR + 30 * MINUTE;
    await fixture.registry.putDevice({ ...AIR, intervalMs: 5 * MINUTE });
    await fixture.append('readings', AIR.id, day);
    const { dataCapture, settings, detail } = await fixture
      .reader()
      .get('env.aq.pm25_daily_mean', AIR.id, DATE);
    expect(dataCapture['expected']).toBe(12 * 4 + 2 + 6 + 11 * 12);
    expect(settings!.map((entry) => entry.from)).toEqual([null, new Date(fixture.now).toISOString()]);
    const hours = detail['hours'] as { expected: number }[];
    expect([11, 12, 13].map((hour) => hours[hour]!.expected)).toEqual([4, 8, 12]);
    const rollups = await fixture.journal.read('rollups', 0, 0, 100);
    expect(rollups.slice(11, 14).map(({ data }) => data.expected)).toEqual([4, 8, 12]);
    expect((await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).result).toBe('equal');
  });

  it('are recorded once, and what held before the first record is the first entry', async () => {
    await using fixture = await withAir();
    await fixture.registry.putDevice(AIR);
    expect((await fixture.journal.read(SETTINGS, 0, 0, 100)).map(({ key }) => key)).toEqual([
      'liveness',
      'site/betung',
      'device/udara-01',
      'device/cctv-01',
    ]);
    // A device of a folder from before there was a history.
    const old = { ...AIR, id: 'udara-02' };
    await new Registry(fixture.state).putDevice(old);
    fixture.now = to;
    await fixture.registry.putDevice({ ...old, intervalMs: HOUR });
    const history = await fixture.registry.settings.history<Device>('device/udara-02');
    expect(history.map((entry) => [entry.from, entry.value.intervalMs])).toEqual([
      [0, AIR.intervalMs],
      [to, HOUR],
    ]);
    expect(await new JournalSettings(fixture.journal).history('device/udara-02')).toEqual(history);
  });

  it('of the beat are those of the time when it was heard', async () => {
    await using fixture = await withAir();
    const beats = (since: number, until: number, step: number): Liveness[] =>
      Array.from({ length: (until - since) / step }, (_, i) => ({
        ...{ component: 'broker', run: `r${step}`, kind: 'beat', at: since + i * step },
      }));
    const heartbeat: Signal = {
      ...{ type: 'heartbeat', site: 'betung', device: CAMERA.id, state: 'up' },
      ...{ ts: from, receivedAt: from, uplink: { shard: 0, offset: 0 } },
    };
    await fixture.append('signals', CAMERA.id, [heartbeat]);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, from + 6 * HOUR, MINUTE));
    fixture.now = from + 6 * HOUR;
    await fixture.restart(10 * MINUTE);
    await fixture.append('liveness', LIVENESS_KEY, beats(from + 6 * HOUR, from + 12 * HOUR, 10 * MINUTE));
    const outcome = await fixture.verify('soc.cctv.availability', CAMERA.id);
    expect(outcome.result).toBe('equal');
    expect(outcome.record.settings!.map(({ name }) => name)).toEqual([
      'device/cctv-01',
      'liveness',
      'liveness',
    ]);
  });
});

it.each([
  ['where another one was open', 12 * 60],
  ['up to now', 14 * 60],
])('a silence while a way in was closed is unknown time, also %s', async (_, minutes) => {
  await using fixture = await withAir();
  const reports = [0, 6, 12].map((hour): Signal => ({
    ...{ type: 'heartbeat', site: 'betung', device: CAMERA.id, state: 'up' },
    ...{ ts: from + hour * HOUR, receivedAt: from + hour * HOUR, uplink: { shard: 0, offset: 0 } },
  }));
  await fixture.append('signals', CAMERA.id, reports);
  const isClosed = (minute: number): boolean => (minute > 180 && minute < 360) || minute > 720;
  const beats = Array.from({ length: minutes + 1 }, (_, minute): Liveness => ({
    ...{ component: 'broker', run: 'r', kind: 'beat', at: from + minute * MINUTE },
    ...(isClosed(minute) && { partial: true }),
  }));
  await fixture.append('liveness', LIVENESS_KEY, beats);
  const { record, result } = await fixture.verify('soc.cctv.availability', CAMERA.id);
  expect(result).toBe('equal');
  expect(record.dataCapture).toMatchObject({ downSilentMs: 6 * HOUR, unknownMs: 3 * HOUR });
});

it('a closure of a single beat is unknown time', async () => {
  await using fixture = await withAir();
  const reports = [0, 12].map((hour): Signal => ({
    ...{ type: 'heartbeat', site: 'betung', device: CAMERA.id, state: 'up' },
    ...{ ts: from + hour * HOUR, receivedAt: from + hour * HOUR, uplink: { shard: 0, offset: 0 } },
  }));
  await fixture.append('signals', CAMERA.id, reports);
  const beats = Array.from({ length: 12 * 60 + 1 }, (_, minute): Liveness => ({
    ...{ component: 'broker', run: 'r', kind: 'beat', at: from + minute * MINUTE },
    ...(minute === 300 && { partial: true }),
    ...(minute === 301 && { resumed: true }),
  }));
  await fixture.append('liveness', LIVENESS_KEY, beats);
  const { record, result } = await fixture.verify('soc.cctv.availability', CAMERA.id);
  expect(result).toBe('equal');
  expect(record.dataCapture).toMatchObject({ unknownMs: 2 * MINUTE });
});

describe('what retention took', () => {
  it('makes a figure one that cannot be verified, and says when it went', async () => {
    await using fixture = await withAir();
    await fixture.append('readings', AIR.id, day.slice(0, 48));
    fixture.now = to;
    await fixture.append('readings', AIR.id, day.slice(48));
    expect((await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).result).toBe('equal');
    fixture.now = to + 2 * DAY;
    await fixture.journal.retain('readings', { maxAge: 2 * DAY + HOUR });
    expect(await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).toMatchObject({
      result: 'not_verifiable',
      missing: { stream: 'readings', shard: 0, offset: 0, removedOn: '2015-12-09' },
    });
  });

  it('is no excuse for what is kept: a changed bucket is different', async () => {
    await using fixture = await withAir();
    await fixture.append('readings', AIR.id, day);
    const [bucket] = await fixture.state.list<number[]>(namespaceOf('evidence/device-hours'));
    const forged = bucket!.value.map((number) => (number === 10 ? 11 : number));
    expect(forged).not.toEqual(bucket!.value);
    await fixture.state.write([{ namespace: 'evidence/device-hours', key: bucket!.key, value: forged }]);
    expect((await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).result).toBe('different');
  });
});
