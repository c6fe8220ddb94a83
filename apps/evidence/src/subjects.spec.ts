import {
  BucketSource,
  EvidenceReader,
  indicatorCatalogue,
  type FigureCursor,
  recordIndicators,
} from '#libs/evidence';
import { MAX_INPUTS, type HeartbeatInput } from '#libs/indicators';
import type { Device } from '#libs/identity';
import { canonicalJson, DAY, HOUR } from '#libs/kernel';
import { temporaryFolder } from '#libs/testing';
import { LIVENESS_KEY, type Liveness, type Observation, type Signal } from '#libs/telemetry';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AIR, CAMERA, DATE, Fixture, from, to } from './settings.fixture.js';

const OTHER: Device = { ...CAMERA, id: 'cctv-02' };
const FAR: Device = { ...CAMERA, id: 'cctv-03', site: 'sembawa' };
const text = '{ id: a, en: b }';
const entry = (key: string, of: string): string =>
  `  - { key: ${key}, version: 1, name: ${text}, formula: ${text}, unit: '%', deviceKind: camera, ${of} }\n`;
const OWN = [
  'indicators:\n',
  entry('soc.cctv.site_monthly', 'subject: site, period: month, function: availability'),
  entry('soc.cctv.district_daily', 'subject: district, period: day, function: availability'),
  entry('soc.cctv.regency_yearly', 'subject: regency, period: year, function: availability'),
  entry('soc.cctv.hourly', 'period: hour, function: availability'),
].join('');

const heartbeats = (device: Device, since: number, until: number): Signal[] =>
  Array.from({ length: (until - since) / HOUR }, (_, i) => ({
    ...{ type: 'heartbeat', site: device.site, device: device.id, state: 'up' },
    ...{ ts: since + i * HOUR, receivedAt: since + i * HOUR, uplink: { shard: 0, offset: 0 } },
  }));

/** One camera of a site is up for a day, the other for half of it, that of another site not at all. */
async function threeCameras(): Promise<Fixture> {
  using folder = temporaryFolder('indicators');
  const file = join(folder.path, 'indicators.yaml');
  writeFileSync(file, OWN);
  const fixture = await new Fixture(indicatorCatalogue(file)).open(HOUR);
  await fixture.registry.putSite({ id: 'betung', name: 'Betung', district: 'Betung, Kec.' });
  await fixture.registry.putSite({ id: 'sembawa', name: 'Sembawa' });
  for (const device of [CAMERA, OTHER, FAR]) await fixture.registry.putDevice(device);
  const beats = Array.from({ length: 49 }, (_, i): Liveness => ({
    ...{ component: 'broker', run: 'r', kind: 'beat', at: from + i * HOUR },
  }));
  await fixture.append('liveness', LIVENESS_KEY, beats);
  await fixture.append('signals', CAMERA.id, heartbeats(CAMERA, from, to + DAY));
  await fixture.append('signals', OTHER.id, heartbeats(OTHER, from, from + 12 * HOUR));
  return fixture;
}

describe('a figure of something else than a device and a day', () => {
  it('is computed of the devices of its subject over its period, and again from the journal', async () => {
    await using fixture = await threeCameras();
    const get = async (key: string, subject: string, period: string) => {
      const { result, record } = await fixture.verify(key, subject, period);
      expect(result).toBe('equal');
      return record;
    };
    // Half an hour of grace after the last heartbeat's hour.
    const up = 48 + 12.5;
    const site = await get('soc.cctv.site_monthly', 'betung', '2015-12');
    expect(site).toMatchObject({ subject: { site: 'betung' }, value: (up / 96) * 100 });
    expect(site.period).toMatchObject({ date: '2015-12', to: '2015-12-31T17:00:00.000Z' });
    expect(site.provenance.inputs).toBe(48 + 12);
    expect(site.detail['devices']).toMatchObject([
      { device: CAMERA.id, value: 100 },
      { device: OTHER.id, value: (12.5 / 48) * 100 },
    ]);
    expect(await get('soc.cctv.district_daily', 'Betung, Kec.', DATE)).toMatchObject({
      ...{ subject: { district: 'Betung, Kec.' }, value: ((24 + 12.5) / 48) * 100 },
    });
    const regency = await get('soc.cctv.regency_yearly', 'regency', '2015');
    expect(regency.value).toBeCloseTo((up / 144) * 100, 9);
    expect(await get('soc.cctv.hourly', OTHER.id, `${DATE}T12`)).toMatchObject({ value: 50 });
  });

  it('is listed among the others, newest first, in pages that hold each once', async () => {
    await using fixture = await threeCameras();
    const reader = fixture.reader();
    const name = ({ indicator, subject, period }: (typeof items)[number]): string =>
      `${period.date} ${indicator} ${Object.values(subject).at(-1)!}`;
    const { items } = await reader.list({ limit: 1_000 });
    const names = items.map(name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        '2015-12 soc.cctv.site_monthly betung',
        '2015-12 soc.cctv.site_monthly sembawa',
        `${DATE} soc.cctv.district_daily Betung, Kec.`,
        '2015 soc.cctv.regency_yearly regency',
        `${DATE}T12 soc.cctv.hourly cctv-02`,
        `${DATE} soc.cctv.availability cctv-02`,
      ]),
    );
    expect(names.filter((one) => one.includes(`${DATE}T`))).toHaveLength(3 * 24);
    const begins = items.map(({ period }) => Date.parse(period.from));
    expect(names.at(-1)).toMatch(/^2015 /);
    expect(begins.slice(0, 40)).toEqual(begins.slice(0, 40).sort((a, b) => b - a));
    const paged: string[] = [];
    let after: FigureCursor | undefined;
    do {
      const page = await reader.list({ limit: 7, ...(after === undefined ? {} : { after }) });
      paged.push(...page.items.map(name));
      after = page.next;
    } while (after !== undefined);
    expect(paged).toEqual(names);
    const ofSite = await reader.list({ site: 'sembawa', from: '2015-12-01', to: '2015-12-01', limit: 100 });
    expect(ofSite.items.map(name)).toEqual(['2015-12 soc.cctv.site_monthly sembawa']);
  });

  it('is the mean of the hours of the stations of a site, of a day and of a month', async () => {
    using folder = temporaryFolder('indicators');
    const file = join(folder.path, 'indicators.yaml');
    const mean = (key: string, of: string): string =>
      `  - { key: ${key}, version: 1, name: ${text}, formula: ${text}, unit: ug/m3, deviceKind: air, ${of}, ` +
      'function: mean-of-hours, arguments: { parameter: pm25 } }\n';
    writeFileSync(
      file,
      `indicators:\n${mean('daily', 'subject: site')}${mean('monthly', 'subject: site, period: month')}`,
    );
    await using fixture = await new Fixture(indicatorCatalogue(file)).open(HOUR);
    await fixture.registry.putSite({ id: 'betung', name: 'Betung' });
    const stations = [AIR, { ...AIR, id: 'udara-02' }];
    for (const [i, device] of stations.entries()) {
      await fixture.registry.putDevice(device);
      const day = Array.from({ length: i === 0 ? 96 : 48 }, (_, n): Observation => {
        const ts = from + n * device.intervalMs;
        const at = {
          site: device.site,
          device: device.id,
          ts,
          receivedAt: ts,
          uplink: { shard: 0, offset: 0 },
        };
        return { ...at, readings: [{ parameter: 'pm25', value: 10 + 30 * i, flag: 1 }] };
      });
      await fixture.append('readings', device.id, day);
    }
    const daily = await fixture.verify('daily', 'betung', DATE);
    expect(daily).toMatchObject({
      result: 'equal',
      record: { value: 20, dataCapture: { devices: 2, expectedHours: 48, validHours: 36 } },
    });
    const monthly = await fixture.verify('monthly', 'betung', '2015-12');
    expect(monthly).toMatchObject({
      result: 'equal',
      record: { value: null, dataCapture: { validHours: 36 } },
    });
    const { items, notComputed } = await fixture.reader().list({ site: 'betung', limit: 10 });
    expect(notComputed).toEqual([]);
    expect(items.map(({ indicator, period }) => `${indicator} ${period.date}`)).toEqual(
      expect.arrayContaining([`daily ${DATE}`, 'monthly 2015-12']),
    );
  });

  it.each([
    ['betunk', '2015-12', /SITE_UNKNOWN: no site betunk; did you mean betung\?/],
    ['betung', DATE, /OUT_OF_RANGE: "2015-12-07" is not a month; expected YYYY-MM/],
  ])('is refused for %s and %s with what is expected', async (subject, period, message) => {
    await using fixture = await threeCameras();
    await expect(fixture.reader().get('soc.cctv.site_monthly', subject, period)).rejects.toThrow(message);
  });
});

describe('the definition of an indicator', () => {
  it('is history: a figure follows from the one of its time, and is computed again by it', async () => {
    await using fixture = await threeCameras();
    const { settings } = fixture.registry;
    await recordIndicators(settings, fixture.definitions);
    const key = 'soc.cctv.availability';
    const before = await fixture.reader().get(key, OTHER.id, DATE);
    fixture.now = to + HOUR;
    fixture.definitions = fixture.definitions.map((one) =>
      one.key === key ? { ...one, version: 4, arguments: { graceShare: 2 } } : one,
    );
    await recordIndicators(settings, fixture.definitions);
    const after = await fixture.verify(key, OTHER.id, DATE);
    expect(canonicalJson(after.record)).toBe(canonicalJson(before));
    expect(after.result).toBe('equal');
    const next = await fixture.verify(key, CAMERA.id, '2015-12-08');
    expect(next.record).toMatchObject({ detail: { graceMs: 2 * HOUR } });
    expect(next.record.settings).toContainEqual({
      ...{ name: `indicator/${key}`, from: new Date(to + HOUR).toISOString() },
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(next.result).toBe('equal');
  });

  it('leaves a figure whose definition is no longer understood out of the list, and says which and why', async () => {
    await using fixture = await threeCameras();
    const page = { from: DATE, to: DATE, limit: 1_000 };
    const whole = await fixture.reader().list(page);
    expect(whole.notComputed).toEqual([]);
    const key = 'soc.cctv.district_daily';
    const gone = { ...fixture.definitions.find((one) => one.key === key)!, function: 'gone' };
    await fixture.registry.settings.declare(`indicator/${key}`, gone);
    const reader = fixture.reader();
    const { items, notComputed } = await reader.list(page);
    const isGone = ({ indicator }: (typeof items)[number]): boolean => indicator === key;
    expect(whole.items.filter(isGone)).toHaveLength(1);
    expect(items).toEqual(whole.items.filter((item) => !isGone(item)));
    expect(notComputed).toEqual([
      {
        ...{ indicator: key, subject: 'Betung, Kec.', period: DATE },
        reason: expect.stringMatching(/^NOT_FOUND: .*no function "gone".* Compute it with the version/),
      },
    ]);
    await expect(reader.get(key, 'Betung, Kec.', DATE)).rejects.toThrow(notComputed[0]!.reason);
    // It has its place: the next page goes on behind it.
    const names: string[] = [];
    let after: FigureCursor | undefined;
    do {
      const part = await reader.list({ ...page, limit: 1, ...(after === undefined ? {} : { after }) });
      expect(part.items.length + part.notComputed.length).toBe(1);
      names.push(
        ...part.items.map(({ indicator }) => indicator),
        ...part.notComputed.map((one) => one.indicator),
      );
      after = part.next;
    } while (after !== undefined);
    expect(names).toEqual(whole.items.map(({ indicator }) => indicator));
  });

  it('leaves out a figure of too many inputs too, and says so', async () => {
    await using fixture = await threeCameras();
    const many = new Array<HeartbeatInput>(MAX_INPUTS + 1).fill({
      ts: from,
      state: 'up',
      shard: 0,
      offset: 0,
    });
    class Crowded extends BucketSource {
      override heartbeats = () => Promise.resolve(many);
    }
    const { registry, definitions } = fixture;
    const reader = new EvidenceReader(registry, new Crowded(fixture.state), registry.settings, definitions);
    const page = await reader.list({ indicator: 'soc.cctv.regency_yearly', limit: 10 });
    expect(page).toMatchObject({ items: [], notComputed: [{ subject: 'regency', period: '2015' }] });
    expect(page.notComputed[0]!.reason).toMatch(/^OUT_OF_RANGE: .*more than 2000000 inputs/);
  });

  it.each([
    [{ arguments: { graceShare: 2 } }, /soc\.cctv\.availability .* version, 3\. Raise its version/],
    [{ period: 'month', version: 4 }, /soc\.cctv\.availability .* another key/],
  ] as const)('cannot become %j', async (change, message) => {
    await using fixture = await threeCameras();
    const { settings } = fixture.registry;
    await recordIndicators(settings, fixture.definitions);
    const changed = fixture.definitions.map((one) =>
      one.key === 'soc.cctv.availability' ? { ...one, ...change } : one,
    );
    await expect(recordIndicators(settings, changed)).rejects.toThrow(message);
    await recordIndicators(settings, fixture.definitions);
  });
});
