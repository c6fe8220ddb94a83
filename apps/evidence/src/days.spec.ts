import type { FigureCursor } from '#libs/evidence';
import type { Device } from '#libs/identity';
import { canonicalJson, DAY, HOUR, localDateOf, MINUTE } from '#libs/kernel';
import { LIVENESS_KEY, type Liveness, type Observation, type Signal } from '#libs/telemetry';
import { AIR, CAMERA, DATE, Fixture, from, to } from './settings.fixture.js';

const KEY = 'soc.cctv.availability';
const day = (n: number): string => localDateOf(from + n * DAY);
const beats = (since: number, until: number): Liveness[] =>
  Array.from({ length: (until - since) / HOUR + 1 }, (_, i) => ({
    ...{ component: 'broker', run: `r${since}`, kind: 'beat', at: since + i * HOUR },
  }));
const heartbeats = (since: number, until: number): Signal[] =>
  Array.from({ length: (until - since) / HOUR }, (_, i) => ({
    ...{ type: 'heartbeat', site: 'betung', device: CAMERA.id, state: 'up' },
    ...{ ts: since + i * HOUR, receivedAt: since + i * HOUR, uplink: { shard: 0, offset: 0 } },
  }));

/** Devices that are registered at ten in the morning of the first day. */
async function withDevices(...devices: readonly Device[]): Promise<Fixture> {
  const fixture = await new Fixture().open(HOUR);
  fixture.now = from + 10 * HOUR;
  await fixture.registry.putSite({ id: 'betung', name: 'Betung' });
  for (const device of devices) await fixture.registry.putDevice(device);
  return fixture;
}

describe('the days of a device', () => {
  it('go on when it is dead: three days of silence are three days down', async () => {
    await using fixture = await withDevices(CAMERA);
    await fixture.append('signals', CAMERA.id, heartbeats(from + 12 * HOUR, to));
    await fixture.append('liveness', LIVENESS_KEY, beats(from, to + 3 * DAY - HOUR));
    const { items, next } = await fixture.reader().list({ limit: 31 });
    expect(next).toBeUndefined();
    expect(items.map(({ period }) => period.date)).toEqual([day(3), day(2), day(1), day(0)]);
    expect(items.slice(0, 3).map(({ value }) => value)).toEqual([0, 0, (0.5 / 24) * 100]);
    expect(items[1]!.dataCapture).toMatchObject({ upMs: 0, downSilentMs: DAY, unknownMs: 0, share: 1 });
    // Registered at ten and seen from noon on: two hours of the fourteen it was down.
    expect(items[3]).toMatchObject({ version: 3, value: (12 / 14) * 100 });
    expect((await fixture.verify(KEY, CAMERA.id, day(0))).result).toBe('equal');
    expect((await fixture.verify(KEY, CAMERA.id, day(2))).result).toBe('equal');
  });

  it('begin with the registration when it was never seen, and are unknown while Pantau was away', async () => {
    await using fixture = await withDevices(CAMERA, AIR);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, to - HOUR));
    // Pantau was away for the second day.
    await fixture.append('liveness', LIVENESS_KEY, beats(to + DAY, to + DAY + 6 * HOUR));
    const { items } = await fixture.reader().list({ device: CAMERA.id, limit: 31 });
    expect(items.map(({ period, value }) => [period.date, value])).toEqual([
      [day(2), 0],
      [day(1), null],
      [day(0), 0],
    ]);
    expect(items[2]!.dataCapture).toMatchObject({ downSilentMs: 13 * HOUR, unknownMs: HOUR });
    expect(items[1]!.dataCapture).toMatchObject({ downSilentMs: 0, unknownMs: DAY, share: 0 });
    const stations = await fixture.reader().list({ indicator: 'env.aq.pm25_daily_mean', limit: 31 });
    expect(stations.items.map(({ period, value }) => [period.date, value])).toEqual([
      [day(2), null],
      [day(1), null],
      [day(0), null],
    ]);
  });

  it('are clear before and after: nothing is accounted for, nothing is captured, and it can be checked', async () => {
    await using fixture = await withDevices(CAMERA);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, to));
    for (const [date, nothing] of [
      [day(-1), 'before_registration'],
      [day(5), 'not_yet'],
    ] as const) {
      const { result, record } = await fixture.verify(KEY, CAMERA.id, date);
      expect(result).toBe('equal');
      expect(record).toMatchObject({ value: null, dataCapture: { share: 0 }, detail: { nothing } });
      expect(() => canonicalJson(record)).not.toThrow();
    }
  });

  it('end when it is shut out, and in between are no fault of it', async () => {
    await using fixture = await withDevices(CAMERA);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, to + 4 * DAY - HOUR));
    const { settings } = fixture.registry;
    const name = `access/${CAMERA.id}`;
    fixture.now = to + 12 * HOUR;
    await settings.declare(name, 'revoked', [], async () => 'open');
    const dates = async (): Promise<string[]> =>
      (await fixture.reader().list({ limit: 31 })).items.map(({ period }) => period.date);
    expect(await dates()).toEqual([day(1), day(0)]);
    fixture.now = to + 2 * DAY;
    await settings.declare(name, 'open');
    expect(await dates()).toEqual([day(4), day(3), day(2), day(1), day(0)]);
    const record = await fixture.reader().get(KEY, CAMERA.id, day(2));
    expect(record).toMatchObject({ value: null, dataCapture: { plannedMs: DAY, downSilentMs: 0 } });
    expect(record.settings!.map((entry) => entry.name)).toContain(name);
    expect((await fixture.verify(KEY, CAMERA.id, day(2))).result).toBe('equal');
  });

  it('are none of PM2.5 for a station that measures other things alone', async () => {
    await using fixture = await withDevices(AIR);
    const ts = from + 12 * HOUR;
    const warm: Observation = {
      ...{ site: 'betung', device: AIR.id, ts, receivedAt: ts, uplink: { shard: 0, offset: 0 } },
      readings: [{ parameter: 'temperature', value: 30, flag: 1 }],
    };
    await fixture.append('readings', AIR.id, [warm]);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, to));
    expect((await fixture.reader().list({ limit: 31 })).items).toEqual([]);
  });

  it('begin at once, before Pantau has given another sign of life', async () => {
    await using fixture = await withDevices(CAMERA);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, from + 9 * HOUR));
    expect((await fixture.reader().list({ limit: 31 })).items.map(({ period }) => period.date)).toEqual([
      DATE,
    ]);
  });

  it('come in pages that hold each of them once', async () => {
    const cameras = [1, 2, 3].map((n): Device => ({ ...CAMERA, id: `cctv-0${n}` }));
    await using fixture = await withDevices(...cameras, AIR);
    await fixture.append('liveness', LIVENESS_KEY, beats(from, to + 3 * DAY - HOUR));
    const key = ({ subject, period }: { subject: { device?: string }; period: { date: string } }): string =>
      `${period.date} ${subject.device ?? ''}`;
    const { items: all, next: none } = await fixture.reader().list({ limit: 16 });
    expect([all.length, none]).toEqual([16, undefined]);
    for (const limit of [1, 3, 4, 15]) {
      const paged: string[] = [];
      let after: FigureCursor | undefined;
      do {
        const page = await fixture.reader().list({ limit, ...(after === undefined ? {} : { after }) });
        paged.push(...page.items.map(key));
        after = page.next;
      } while (after !== undefined);
      expect(paged).toEqual(all.map(key));
    }
    const some = await fixture.reader().list({ from: day(1), to: day(2), device: 'cctv-02', limit: 31 });
    expect(some.items.map(key)).toEqual([`${day(2)} cctv-02`, `${day(1)} cctv-02`]);
  });
});

describe('a corrected interval', () => {
  it('holds for figures from the time from which it was true, and leaves a trace', async () => {
    await using fixture = await withDevices({ ...AIR, intervalMs: MINUTE });
    const hourly = Array.from({ length: 24 }, (_, i): Observation => ({
      ...{ site: 'betung', device: AIR.id, ts: from + i * HOUR, receivedAt: from + i * HOUR },
      ...{ uplink: { shard: 0, offset: i }, readings: [{ parameter: 'pm25', value: i, flag: 1 }] },
    }));
    await fixture.append('readings', AIR.id, hourly);
    const get = async () => fixture.reader().get('env.aq.pm25_daily_mean', AIR.id, DATE);
    expect(await get()).toMatchObject({ value: null, dataCapture: { expected: 1_440, received: 24 } });
    fixture.now = to + 5 * DAY;
    await fixture.registry.putDevice({ ...AIR, intervalMs: HOUR });
    expect((await get()).value).toBeNull();
    fixture.now += HOUR;
    await fixture.registry.putDevice({ ...AIR, intervalMs: HOUR }, from + 12 * HOUR);
    expect(await get()).toMatchObject({ value: null, dataCapture: { expected: 12 * 60 + 12 } });
    fixture.now += HOUR;
    await fixture.registry.putDevice({ ...AIR, intervalMs: HOUR }, from);
    const record = await get();
    expect(record).toMatchObject({ value: 11.5, dataCapture: { expected: 24, received: 24, share: 1 } });
    expect(record.detail).toMatchObject({ intervalMs: HOUR });
    expect(record.settings!.map(({ name }) => name)).toEqual([
      `device/${AIR.id}`,
      `interval/${AIR.id}`,
      `interval/${AIR.id}`,
    ]);
    expect((await fixture.verify('env.aq.pm25_daily_mean', AIR.id)).result).toBe('equal');
    const trace = await fixture.registry.settings.history(`interval/${AIR.id}`);
    expect(trace.map((entry) => [entry.from, entry.at])).toEqual([
      [from + 12 * HOUR, to + 5 * DAY + HOUR],
      [from, to + 5 * DAY + 2 * HOUR],
    ]);
    // Corrected and changed at once, without a moment in between.
    fixture.now += HOUR;
    await fixture.registry.putDevice({ ...AIR, intervalMs: 30 * MINUTE }, from);
    expect((await get()).detail).toMatchObject({ intervalMs: 30 * MINUTE });
    const change = await fixture.reader().get('env.aq.pm25_daily_mean', AIR.id, localDateOf(fixture.now));
    expect(change.detail).toMatchObject({ intervalMs: 30 * MINUTE });
    await expect(fixture.registry.putDevice(AIR, fixture.now)).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
    });
  });
});
