import { canonicalJson, HOUR } from '#libs/kernel';
import { standingOf } from '#libs/quality-control';
import type { IndicatorDefinition } from '../../definition.js';
import type { Sample } from '../../hourly-rollup.js';
import type { DeviceInputs } from '../../inputs.js';
import { periodOf, type PeriodUnit } from '../../period.js';
import type { IndicatorRecord } from '../../record.js';
import type { Subject } from '../../subject.js';
import { meanOfHours } from './index.js';

const MONTH = periodOf('month', '2015-12');

/** A station that reports a value every hour of some. */
function station(device: string, hours: readonly number[], value: (hour: number) => number): DeviceInputs {
  const samples = hours.map((hour): Sample => ({
    ...{ ts: MONTH.from + hour * HOUR, value: value(hour), flag: 1 },
    ...{ standing: standingOf({ flag: 1 }), shard: 0, offset: hour },
  }));
  const [first, last] = [samples[0], samples.at(-1)];
  return {
    ...{ site: 'betung', device },
    samples: async (_parameter, { from, to }) => samples.filter(({ ts }) => ts >= from && ts < to),
    heartbeats: async () => [],
    intervals: async () => [{ from: 0, intervalMs: HOUR }],
    registered: async () => 0,
    outOfService: async () => [],
    reach: async () => (first && last ? { from: first.ts, to: last.ts } : undefined),
    observed: async () => [],
    awakeUntil: async () => 0,
  };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const HOURS = 31 * 24;

async function figure(
  subject: Subject,
  unit: PeriodUnit,
  name: string,
  ...devices: readonly DeviceInputs[]
): Promise<IndicatorRecord> {
  const definition = { key: 'k', version: 1, unit: 'ug/m3' } as IndicatorDefinition;
  const question = { definition, args: { parameter: 'pm25' }, subject, period: periodOf(unit, name) };
  const record = await meanOfHours.compute(question, devices);
  expect(() => canonicalJson(record)).not.toThrow();
  expect(canonicalJson(await meanOfHours.compute(question, devices.toReversed()))).toHaveLength(
    canonicalJson(record).length,
  );
  return record;
}
const DEVICE = { site: 'betung', device: 'a' };

describe('the mean of the hours', () => {
  it('of a month is that of all its valid hours, given when three quarters of them are', async () => {
    const enough = HOURS * 0.75;
    const record = await figure(
      DEVICE,
      'month',
      '2015-12',
      station('a', range(0, enough), (hour) => hour),
    );
    expect(record).toMatchObject({
      value: (enough - 1) / 2,
      dataCapture: { expectedHours: HOURS, validHours: enough, share: 0.75 },
      provenance: { inputs: enough },
    });
    expect((record.detail['days'] as object[]).length).toBe(31);
    expect((record.detail['days'] as object[])[1]).toMatchObject({
      ...{ from: '2015-12-01T17:00:00.000Z', validHours: 24, mean: 35.5 },
    });
    const few = await figure(
      DEVICE,
      'month',
      '2015-12',
      station('a', range(1, enough), (hour) => hour),
    );
    expect(few).toMatchObject({ value: null, dataCapture: { validHours: enough - 1 } });
  });

  it('of an hour is its mean when it is valid', async () => {
    const one = station('a', [30], () => 7);
    expect(await figure(DEVICE, 'hour', '2015-12-02T06', one)).toMatchObject({
      value: 7,
      dataCapture: { expectedHours: 1, validHours: 1, share: 1 },
    });
    expect(await figure(DEVICE, 'hour', '2015-12-02T07', one)).toMatchObject({ value: null });
  });

  it('of several stations counts every hour of each alike, and says what each had', async () => {
    const [whole, half] = [station('a', range(0, 24), () => 10), station('b', range(0, 12), () => 40)];
    const record = await figure({ site: 'betung' }, 'day', '2015-12-01', whole, half);
    expect(record).toMatchObject({
      value: (24 * 10 + 12 * 40) / 36,
      dataCapture: { devices: 2, expectedHours: 48, validHours: 36, share: 0.75 },
      detail: {
        devices: [
          { site: 'betung', device: 'a', value: 10, validHours: 24 },
          { site: 'betung', device: 'b', value: null, validHours: 12 },
        ],
      },
      provenance: { inputs: 36 },
    });
    const less = station('b', range(0, 11), () => 40);
    expect((await figure({ regency: 'regency' }, 'day', '2015-12-01', whole, less)).value).toBeNull();
  });

  it('owes nothing of a station that did not measure it by then', async () => {
    const whole = station('a', range(0, 24), () => 10);
    const others = [station('b', [], () => 0), station('c', range(24, 48), () => 99)];
    const record = await figure({ district: 'Betung' }, 'day', '2015-12-01', whole, ...others);
    expect(record).toMatchObject({ value: 10, dataCapture: { devices: 1, expectedHours: 24 } });
    const none = await figure({ district: 'Betung' }, 'day', '2015-12-01', others[0]!);
    expect(none).toMatchObject({ value: null, dataCapture: { devices: 0, share: 0 } });
  });

  it('of a year of many stations is computed', async () => {
    const stations = range(0, 20).map((i) => station(String(i), range(0, HOURS), () => i));
    const record = await figure({ site: 'betung' }, 'year', '2015', ...stations);
    expect(record).toMatchObject({ value: null, dataCapture: { expectedHours: 20 * 365 * 24 } });
  });
});
