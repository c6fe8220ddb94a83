import { canonicalJson, HOUR, MINUTE } from '#libs/kernel';
import { temporaryFolder } from '#libs/testing';
import { play, planSchema, readRecording, replayOf } from '#simulators/replay';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../storage/engines.js';
import { PantauFixture } from './pantau.fixture.js';

describe('indicators', () => {
  it('come out of recorded data, complete with provenance, and the same from the journal, byte for byte', async () => {
    using own = temporaryFolder('indicators');
    const file = join(own.path, 'indicators.yaml');
    writeFileSync(
      file,
      `indicators:
  - key: soc.cctv.site_availability_monthly
    version: 1
    name: { id: Ketersediaan kamera lokasi per bulan, en: Availability of the cameras of a site by month }
    formula: { id: Waktu hidup ÷ (waktu hidup + waktu mati), en: Time up ÷ (time up + time down) }
    unit: '%'
    subject: site
    deviceKind: camera
    period: month
    function: availability
`,
    );
    await using pantau = await new PantauFixture().start(`indicators: ${file}\n`);
    const { registry, credentials } = pantau.engines;
    const plan = planSchema.parse({
      site: 'betung',
      from: '2015-12-06T17:00:00Z',
      to: '2015-12-08T17:00:00Z',
      stations: [{ device: 'udara-02', recording: 'beijing-dongsi' }],
      cameras: {
        interval: '1m',
        devices: ['cctv-02'],
        outages: [
          {
            device: 'cctv-02',
            kind: 'stream-lost',
            from: '2015-12-07T00:00:00Z',
            to: '2015-12-07T06:00:00Z',
          },
          { device: 'cctv-02', kind: 'power-cut', from: '2015-12-07T08:00:00Z', to: '2015-12-07T10:00:00Z' },
        ],
      },
    });
    await registry.putDevice({
      id: 'udara-02',
      site: 'betung',
      kind: 'air',
      name: 'Rekaman',
      intervalMs: HOUR,
      maxAgeMs: 30 * 366 * 24 * HOUR,
    });
    await registry.putDevice({
      id: 'cctv-02',
      site: 'betung',
      kind: 'camera',
      name: 'Kamera',
      intervalMs: MINUTE,
      maxAgeMs: 30 * 366 * 24 * HOUR,
    });
    const passwords = {
      'udara-02': await credentials.issue('udara-02'),
      'cctv-02': await credentials.issue('cctv-02'),
    };
    const report = await play({
      replay: replayOf(plan),
      url: pantau.url,
      passwords,
      speed: 'max',
      clock: systemClock,
    });
    expect(report.acknowledged).toBe(report.total);
    await pantau.caughtUp();

    // The recording of that day, straight from the file.
    const mean = await pantau.get<{
      value: number;
      dataCapture: Record<string, number>;
      provenance: { inputs: number };
    }>('indicators/env.aq.pm25_daily_mean/udara-02/2015-12-07');
    const recorded = readRecording('beijing-dongsi').filter(
      ({ ts }) => ts >= plan.from && ts < plan.from + 24 * HOUR,
    );
    const values = recorded.flatMap(({ values: { pm25 } }) => (pm25 === undefined ? [] : [pm25]));
    expect(mean.body.dataCapture).toMatchObject({ validHours: values.length, received: values.length });
    expect(mean.body.value).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 9);

    const rollups = await pantau.items<{ hour: string; received: number; mean: number | null }>(
      'rollups?device=udara-02&parameter=pm25&from=2015-12-06T17:00:00Z&to=2015-12-07T17:00:00Z',
    );
    expect(rollups.map(({ hour }) => Date.parse(hour))).toEqual(recorded.map(({ ts }) => ts));
    expect(rollups.map(({ mean: hourly }) => hourly)).toEqual(
      recorded.map(({ values: { pm25 } }) => pm25 ?? null),
    );

    // Six of 24 hours reported down; two hours silent at a time when Pantau did not run: unknown, not down.
    const camera = await pantau.get<{ value: number; detail: { strict: number; optimistic: number } }>(
      'indicators/soc.cctv.availability/cctv-02/2015-12-07',
    );
    expect(camera.body.value).toBeCloseTo((100 * 16) / 22, 0);
    expect(camera.body.detail.strict).toBeCloseTo((100 * 16) / 24, 0);
    expect(camera.body.detail.optimistic).toBeCloseTo((100 * 18) / 24, 0);

    for (const path of [
      'env.aq.pm25_daily_mean/udara-02/2015-12-07',
      'soc.cctv.availability/cctv-02/2015-12-07',
      'soc.cctv.site_availability_monthly/betung/2015-12',
    ]) {
      const { body } = await pantau.get<{ identical: boolean; record: unknown; recomputed: unknown }>(
        `indicators/${path}/recomputation`,
      );
      expect(body.identical).toBe(true);
      expect(canonicalJson(body.recomputed)).toBe(canonicalJson(body.record));
    }
    const months = await pantau.items<{ subject: object; value: number; dataCapture: { devices: number } }>(
      'indicators?indicator=soc.cctv.site_availability_monthly&site=betung&to=2015-12-31',
    );
    expect(months).toMatchObject([{ subject: { site: 'betung' }, period: { date: '2015-12' } }]);
    expect(months[0]!.value).toBeGreaterThan(0);
    expect(await pantau.get('indicators/soc.cctv.site_availability_monthly/betung/2015-12-07')).toMatchObject(
      { status: 400, body: { detail: expect.stringContaining('is not a month') } },
    );
    const past = 'indicators?device=udara-02&to=2015-12-31';
    expect((await pantau.items(past)).length).toBe(2);
    // Registered today, so that today is listed too; a list that was cut says so, and how it goes on.
    const { body: page } = await pantau.get<{ items: unknown[]; truncated?: boolean; next?: string }>(
      'indicators?device=udara-02&limit=1&to=9999-12-31',
    );
    expect(page).toMatchObject({ truncated: true, next: expect.stringMatching(/^[\w-]+$/) });
    const rest = await pantau.get<{ items: unknown[]; truncated?: boolean }>(
      `indicators?device=udara-02&after=${encodeURIComponent(page.next!)}`,
    );
    expect(page.items.length + rest.body.items.length).toBe(3);
    expect(rest.body.truncated).toBeUndefined();
    expect((await pantau.get('indicators?after=nowhere')).status).toBe(400);
    expect(
      (
        await pantau.get<{ truncated?: boolean }>(
          'readings?limit=1&from=2015-12-01T00:00:00Z&to=2016-01-01T00:00:00Z',
        )
      ).body.truncated,
    ).toBe(true);
  });
});
