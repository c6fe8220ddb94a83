import { deviceTimeline } from '#libs/availability';
import { canonicalJson, HOUR, localDaySpan, MINUTE } from '#libs/kernel';
import { standingOf } from '#libs/quality-control';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { hourlyRollup, type Sample } from './hourly-rollup.js';
import { availabilityRecord, pooledAvailabilityRecord } from './functions/availability/formula.js';
import { meanOfHoursRecord } from './functions/mean-of-hours/formula.js';
import { periodOf } from './period.js';
import type { IndicatorRecord } from './record.js';

const date = '2015-12-07';
const day = localDaySpan(date)!;
const subject = { site: 'demo', device: 'udara-01' };
const MEAN = { key: 'env.aq.pm25_daily_mean', version: 4, unit: 'ug/m3' };
const AVAILABILITY = { key: 'soc.cctv.availability', version: 3, unit: '%', isShipped: true };

function pm25DailyMean(
  of: typeof subject,
  name: string,
  samples: readonly Sample[],
  intervalMs: number,
): IndicatorRecord {
  return meanOfHoursRecord(MEAN, of, periodOf('day', name), samples, [{ from: 0, intervalMs }], true);
}

type Rest = Parameters<typeof availabilityRecord> extends [unknown, unknown, unknown, ...infer R] ? R : never;
function cameraAvailability(of: typeof subject, name: string, ...rest: Rest): IndicatorRecord {
  return availabilityRecord(AVAILABILITY, of, periodOf('day', name), ...rest);
}

/** A suspect value is one of a wrong clock here. */
const judged = (flag: Sample['flag']): Pick<Sample, 'flag' | 'standing'> => ({
  flag,
  standing: standingOf({ flag, failed: flag === 3 ? ['clock'] : [] }),
});
const sample = (ts: number, value: number, flag: Sample['flag'] = 1, offset = ts % 1000): Sample => ({
  ts,
  value,
  ...judged(flag),
  shard: 0,
  offset,
});

const rollupOf = (samples: readonly Sample[], intervalMs: number) =>
  hourlyRollup(0, samples, [{ from: 0, intervalMs }]);

describe('hourlyRollup', () => {
  it('uses what passed, counts what did not, and is valid at 75 % of what was expected', () => {
    const good = Array.from({ length: 45 }, (_, i) => sample(i * MINUTE, i + 1));
    const rest = [sample(46 * MINUTE, 700, 3), sample(47 * MINUTE, 5_000, 4), sample(48 * MINUTE, 1, 9)];
    expect(rollupOf([...rest, ...good], MINUTE)).toEqual({
      hour: 0,
      expected: 60,
      received: 48,
      valid: 45,
      suspect: 1,
      failed: 1,
      mean: 23,
      min: 1,
      max: 45,
      isValid: true,
      unusual: 0,
      covered: 0.75,
      unusualShare: 0,
      withoutUnusual: { mean: 23, covered: 0.75, isValid: true },
    });
    expect(rollupOf(good.slice(1), MINUTE).isValid).toBe(false);
  });

  it('weighs forty values in seven minutes as seven minutes', () => {
    const burst = Array.from({ length: 40 }, (_, i) => sample(i * 10_500, 200));
    const rest = [10, 20, 30, 40, 50].map((minute) => sample(minute * MINUTE, 20));
    const { mean, covered, isValid } = rollupOf([...burst, ...rest], MINUTE);
    // 6:49.5 and a minute more of the one, five minutes of the other: an eighth and a bit of what was promised.
    expect(covered).toBeCloseTo((39 * 10.5 + 60 + 5 * 60) / 3600);
    expect(isValid).toBe(false);
    expect(mean).toBeCloseTo((469.5 * 200 + 300 * 20) / 769.5);
    // Promised every ten minutes, each of the five speaks for ten.
    const slow = rollupOf([...burst, ...rest], 10 * MINUTE);
    expect(slow).toMatchObject({ covered: 1, isValid: true });
    expect(slow.mean).toBeCloseTo((10 * 200 + 50 * 20) / 60);
  });

  it('covers a whole hour at whatever minute a device reports, and is the plain mean of even values', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 5, 10, 15, 20, 30, 60),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 60, maxLength: 60 }),
        (minutes, phase, values) => {
          const count = 60 / minutes;
          const at = (i: number): number => Math.floor((i + phase) * minutes * MINUTE);
          const samples = Array.from({ length: count }, (_, i) => sample(at(i), values[i]!));
          const { mean, covered, isValid } = rollupOf(samples, minutes * MINUTE);
          expect(covered).toBeCloseTo(1);
          expect(isValid).toBe(true);
          expect(mean).toBeCloseTo(samples.reduce((sum, { value }) => sum + value, 0) / count);
        },
      ),
    );
  });

  it('is changed by no repetition of a value before the next one, and covers no more than an hour', () => {
    const steps = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 29 }), fc.nat({ max: 900 }), (minutes, seconds, value) => {
        const samples = minutes.map((minute, i) => sample(minute * MINUTE, value + i));
        const repeated = samples.flatMap((one) => [one, { ...one, ts: one.ts + seconds * 1_000 }]);
        const rollup = rollupOf(samples, MINUTE);
        const withRepeats = rollupOf(repeated, MINUTE);
        expect(rollup.covered).toBeLessThanOrEqual(1);
        expect(withRepeats.covered).toBeLessThanOrEqual(1);
        if (minutes.length === 60) expect(withRepeats.mean).toBeCloseTo(rollup.mean!);
        expect(withRepeats.min).toBe(rollup.min);
      }),
    );
  });

  it('counts unusual values, and says what the hour would be without them', () => {
    const unusual = Array.from({ length: 15 }, (_, i): Sample => ({
      ...sample(i * MINUTE, 700, 3),
      standing: 'unusual',
    }));
    const usual = Array.from({ length: 45 }, (_, i) => sample((15 + i) * MINUTE, 100));
    expect(rollupOf([...unusual, ...usual], MINUTE)).toMatchObject({
      ...{ received: 60, valid: 60, unusual: 15, suspect: 0, mean: 250, covered: 1, unusualShare: 0.25 },
      withoutUnusual: { mean: 100, covered: 0.75, isValid: true },
    });
    expect(rollupOf(unusual, MINUTE)).toMatchObject({
      mean: 700,
      unusualShare: 1,
      withoutUnusual: { mean: null, covered: 0, isValid: false },
    });
  });

  it('counts what was received by what was promised: never more than expected', () => {
    // A device that promised a reading every 150 s and sends one every 145 s: 596 a day.
    const sooner = Array.from({ length: 25 }, (_, i) => sample(i * 145_000, 10));
    expect(rollupOf(sooner, 150_000)).toMatchObject({ expected: 24, received: 24, valid: 24 });
    // Every value twice is received once, a burst fills the time of the burst, and a second of jitter loses nothing.
    const twice = [0, 1, 2].flatMap((minute) =>
      [0, 20_000].map((more) => sample(minute * MINUTE + more, 10)),
    );
    expect(rollupOf(twice, MINUTE)).toMatchObject({ expected: 60, received: 3, valid: 3 });
    const jittery = Array.from({ length: 60 }, (_, i) => sample(i * MINUTE + (i % 3) * 1_000 + 500, 10));
    expect(rollupOf(jittery, MINUTE)).toMatchObject({ received: 60, valid: 60 });
    // Of several in one place the best counts.
    const mixed = [sample(0, 10, 4), sample(10_000, 10, 3), sample(20_000, 10), sample(MINUTE, 10, 4)];
    expect(rollupOf(mixed, MINUTE)).toMatchObject({ received: 2, valid: 1, suspect: 0, failed: 1 });
    const list = fc.array(fc.tuple(fc.nat({ max: HOUR - 1 }), fc.constantFrom<Sample['flag']>(1, 3, 4, 9)), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(list, fc.integer({ min: 1_000, max: 3 * HOUR }), (values, intervalMs) => {
        const samples = [...new Map(values)].map(([ts, flag]) => sample(ts, 1, flag));
        const { expected, received, valid, suspect, failed } = rollupOf(samples, intervalMs);
        expect(received).toBeLessThanOrEqual(expected);
        expect(valid + suspect + failed).toBeLessThanOrEqual(received);
        expect(received > 0).toBe(samples.length > 0);
      }),
    );
  });

  it('has no mean without a value that counts', () => {
    expect(rollupOf([sample(1, 10, 4)], HOUR)).toMatchObject({ mean: null, valid: 0, isValid: false });
  });
});

describe('pm25DailyMean', () => {
  const hourly = (hours: number): Sample[] =>
    Array.from({ length: hours }, (_, i) => sample(day.from + i * HOUR, i * 10, 1, i));

  it("is the mean of the valid hours of the regency's day, 17:00 to 17:00 UTC", () => {
    const record = pm25DailyMean(
      subject,
      date,
      [...hourly(24), sample(day.from - 1, 9_999), sample(day.to, 9_999)],
      HOUR,
    );
    expect(record.period).toEqual({
      date,
      from: '2015-12-06T17:00:00.000Z',
      to: '2015-12-07T17:00:00.000Z',
      timeZone: 'Asia/Jakarta',
    });
    expect(record.value).toBe(115);
    expect(record.dataCapture).toMatchObject({
      expectedHours: 24,
      validHours: 24,
      expected: 24,
      received: 24,
      share: 1,
    });
    expect(record.provenance).toMatchObject({
      stream: 'readings',
      inputs: 24,
      entries: [{ shard: 0, offsets: [[0, 23]] }],
    });
  });

  it('never says that more was captured than was promised', () => {
    const samples = Array.from({ length: 596 }, (_, i) => sample(day.from + i * 144_900, 10, 1, i));
    const { dataCapture, provenance } = pm25DailyMean(subject, date, samples, 150_000);
    expect(dataCapture).toMatchObject({ expected: 576, received: 576, valid: 576 });
    expect(provenance.inputs).toBe(596);
  });

  it('has no value with fewer than 18 valid hours, and still says what there was', () => {
    expect(pm25DailyMean(subject, date, hourly(18), HOUR).value).toBe(85);
    const record = pm25DailyMean(subject, date, hourly(17), HOUR);
    expect(record.value).toBeNull();
    expect(record.dataCapture).toMatchObject({ validHours: 17, share: 17 / 24 });
  });

  it('refuses a day that does not exist', () => {
    expect(() => pm25DailyMean(subject, '2015-02-30', [], HOUR)).toThrow(/OUT_OF_RANGE: "2015-02-30"/);
  });

  it('gives the same bytes in whatever order the readings came', () => {
    const samples = fc
      .uniqueArray(
        fc.record({
          ts: fc.integer({ min: day.from, max: day.to - 1 }),
          value: fc.double({ min: 0, max: 500, noNaN: true }),
          judged: fc.constantFrom(judged(1), judged(3), judged(4), { flag: 3, standing: 'unusual' } as const),
          shard: fc.nat({ max: 1 }),
          offset: fc.nat({ max: 99 }),
        }),
        { selector: ({ ts }) => ts, maxLength: 60 },
      )
      .map((list) => list.map(({ judged: verdict, ...rest }): Sample => ({ ...rest, ...verdict })));
    fc.assert(
      fc.property(
        samples.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          expect(canonicalJson(pm25DailyMean(subject, date, shuffled, HOUR))).toBe(
            canonicalJson(pm25DailyMean(subject, date, list, HOUR)),
          );
        },
      ),
    );
  });

  it('changes its digest when any input changes', () => {
    const digest = (samples: readonly Sample[]): string =>
      pm25DailyMean(subject, date, samples, HOUR).provenance.digest;
    expect(digest([...hourly(23), sample(day.from + 23 * HOUR, 230.0001, 1, 23)])).not.toBe(
      digest(hourly(24)),
    );
  });
});

describe('cameraAvailability', () => {
  it('shows every way of counting, the outages with their causes, and its inputs', () => {
    const heartbeats = [0, 1, 2, 3].map((i) => ({
      ts: day.from + i * HOUR,
      state: i === 2 ? ('down' as const) : ('up' as const),
      shard: 1,
      offset: 10 + i,
    }));
    const observed = [{ from: day.from, to: day.from + 12 * HOUR }];
    const timeline = deviceTimeline({ window: day, heartbeats, observed, intervalMs: HOUR, graceMs: 0 });
    const record = cameraAvailability(subject, date, day, timeline, heartbeats, {
      intervalMs: HOUR,
      graceMs: 0,
    });
    expect(record.value).toBeCloseTo(25);
    expect(record.detail).toMatchObject({
      strict: 12.5,
      optimistic: 62.5,
      outages: [
        { from: '2015-12-06T19:00:00.000Z', to: '2015-12-06T20:00:00.000Z', cause: 'reported' },
        { from: '2015-12-06T21:00:00.000Z', to: '2015-12-07T05:00:00.000Z', cause: 'silent' },
        { from: '2015-12-07T05:00:00.000Z', to: '2015-12-07T17:00:00.000Z', cause: 'unobserved' },
      ],
    });
    expect(record.dataCapture).toMatchObject({
      upMs: 3 * HOUR,
      downReportedMs: HOUR,
      downSilentMs: 8 * HOUR,
      unknownMs: 12 * HOUR,
      share: 0.5,
    });
    expect(record.provenance).toMatchObject({
      stream: 'signals',
      inputs: 4,
      entries: [{ shard: 1, offsets: [[10, 13]] }],
    });
    // As version 1 gave it: a figure that was handed out before comes out the same, byte for byte.
    expect(record.version).toBe(1);
    expect(createHash('sha256').update(canonicalJson(record)).digest('hex')).toBe(
      'aae7f7604fbc600a702bc60892625e3c3c87af38e275d7c4c695eefd9d1b9cd9',
    );
  });

  it('says how degraded, planned and undetermined time was counted', () => {
    const states = ['up', 'degraded', 'down', 'planned', 'planned', 'unknown'] as const;
    const heartbeats = states.map((state, i) => ({ ts: day.from + i * HOUR, state, shard: 0, offset: i }));
    const span = { from: day.from, to: day.from + 6 * HOUR };
    const method = { intervalMs: HOUR, graceMs: 0 };
    const timeline = deviceTimeline({ window: span, heartbeats, observed: [span], ...method });
    const record = cameraAvailability(subject, date, span, timeline, heartbeats, method);
    expect(record).toMatchObject({
      version: 2,
      value: (2 / 3) * 100,
      dataCapture: {
        ...{ upMs: 2 * HOUR, degradedMs: HOUR, downReportedMs: HOUR, downSilentMs: 0 },
        ...{ plannedMs: 2 * HOUR, unknownMs: HOUR, share: 3 / 4 },
      },
      detail: { strict: 50, optimistic: 75, degradedShare: 50 },
    });
    expect(record.detail['outages']).toEqual([
      expect.objectContaining({ cause: 'degraded' }),
      expect.objectContaining({ cause: 'reported' }),
      expect.objectContaining({
        cause: 'planned',
        from: '2015-12-06T20:00:00.000Z',
        to: '2015-12-06T22:00:00.000Z',
      }),
      expect.objectContaining({ cause: 'undetermined' }),
    ]);
  });

  it('of another definition bears the version of that, whatever it is', () => {
    const heartbeats = [{ ts: day.from, state: 'up' as const, shard: 0, offset: 0 }];
    const method = { intervalMs: 24 * HOUR, graceMs: 0 };
    const timeline = deviceTimeline({ window: day, heartbeats, observed: [day], ...method });
    for (const version of [1, 2, 3, 4]) {
      const own = { key: 'soc.cctv.availability_own', version, unit: '%' };
      const record = availabilityRecord(
        own,
        subject,
        periodOf('day', date),
        day,
        timeline,
        heartbeats,
        method,
      );
      expect(record).toMatchObject({ indicator: own.key, version });
    }
  });

  it('has no figure and no fault for a day that was planned off throughout', () => {
    const heartbeats = [{ ts: day.from, state: 'planned' as const, shard: 0, offset: 0 }];
    const method = { intervalMs: 24 * HOUR, graceMs: 0 };
    const timeline = deviceTimeline({ window: day, heartbeats, observed: [day], ...method });
    const record = cameraAvailability(subject, date, day, timeline, heartbeats, method);
    expect(record).toMatchObject({ value: null, dataCapture: { share: 1, plannedMs: 24 * HOUR } });
    expect(() => canonicalJson(record)).not.toThrow();
  });

  it.each([
    ['planned off throughout', day, 'planned', 1],
    ['that is not accounted for', { from: day.to, to: day.to }, 'planned', 0],
    ['of which nothing is known', day, 'unknown', 0],
  ] as const)('says of a site what it says of its device for a day %s', async (_, span, state, share) => {
    const heartbeats = [{ ts: day.from, state, shard: 0, offset: 0 }];
    const method = { intervalMs: 24 * HOUR, graceMs: 0 };
    const timeline = deviceTimeline({ window: span, heartbeats, observed: [day], ...method });
    const single = cameraAvailability(subject, date, span, timeline, heartbeats, method);
    const shares = ['a', 'b'].map((device) => ({ site: 'demo', device, timeline, heartbeats }));
    const site = await pooledAvailabilityRecord(
      AVAILABILITY,
      { site: 'demo' },
      periodOf('day', date),
      shares,
    );
    expect(single).toMatchObject({ value: null, dataCapture: { share } });
    expect(site).toMatchObject({ value: null, dataCapture: { share } });
  });
});
