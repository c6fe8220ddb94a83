import type { Sample } from '#libs/indicators';
import type { QualityFlag } from '#libs/telemetry';
import { standingOf } from '#libs/quality-control';
import fc from 'fast-check';
import {
  addRow,
  bucketKey,
  bucketKeys,
  bucketOf,
  byBucket,
  mergeBucket,
  samplesOf,
  EMPTY_BUCKET,
  isDeviceBucket,
  type Series,
} from './device-bucket-form.js';

interface Message {
  readonly ts: number;
  readonly values: readonly {
    readonly parameter: Series;
    readonly value: number;
    readonly flag: QualityFlag;
  }[];
}

const SERIES = ['heartbeat', 'pm25', 'humidity', 'pm25_corrected'] as const;
const messages = fc.array(
  fc.record({
    ts: fc.integer({ min: 1_767_571_200_000, max: 1_767_571_200_009 }),
    values: fc.array(
      fc.record({
        parameter: fc.constantFrom(...SERIES),
        value: fc.constantFrom(0, -1, 12.5, 0.1 + 0.2),
        flag: fc.constantFrom<QualityFlag>(1, 2, 3, 4, 9),
      }),
      { maxLength: 4 },
    ),
  }),
  { maxLength: 12 },
);

function rowsOf(sent: readonly Message[], firstOffset: number): number[] {
  const rows: number[] = [];
  for (const [i, { ts, values }] of sent.entries()) addRow(rows, ts, 3, firstOffset + i, values);
  return rows;
}

/** Of one instant the last value, by time. */
function expected(sent: readonly Message[], series: Series): Sample[] {
  const byTime = new Map<number, Sample>();
  for (const [offset, { ts, values }] of sent.entries())
    for (const { parameter, value, flag } of values)
      if (parameter === series)
        byTime.set(ts, { ts, value, flag, standing: standingOf({ flag }), shard: 3, offset });
  return [...byTime.values()].sort((a, b) => a.ts - b.ts);
}

describe('the bucket of a device', () => {
  it('holds the last value of every series and instant in order, however the messages were cut into batches', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 12 }), { maxLength: 3 }), (sent, cuts) => {
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), sent.length];
        let bucket = EMPTY_BUCKET;
        for (const [i, from] of bounds.slice(0, -1).entries())
          bucket = mergeBucket(bucket, rowsOf(sent.slice(from, bounds[i + 1]), from));
        for (const series of SERIES) expect(samplesOf([bucket], series)).toEqual(expected(sent, series));
        // Nothing depends on the cuts, and repeats do not pile up.
        expect(bucket).toEqual(mergeBucket(EMPTY_BUCKET, rowsOf(sent, 0)));
        expect(isDeviceBucket(bucket)).toBe(true);
      }),
    );
  });

  it('takes the rows of a device apart by the time that they are of, in the order in which they came', () => {
    const anyTime = messages.map((sent) =>
      sent.map((one, i) => ({ ...one, ts: one.ts + (i % 4) * 840_000 })),
    );
    fc.assert(
      fc.property(anyTime, (sent) => {
        const whole = sent.filter(({ values }) => values.length > 0);
        const froms = [...new Set(whole.map(({ ts }) => bucketOf(ts)))];
        expect(byBucket(rowsOf(whole, 0))).toEqual(
          froms.map((from) => ({
            from,
            rows: whole.flatMap((one, i) => (bucketOf(one.ts) === from ? rowsOf([one], i) : [])),
          })),
        );
      }),
    );
  });

  it('repeats nothing of an hour that was stored as one, when parts of it come again', () => {
    const hour = 1_767_571_200_000;
    const at = (minute: number, value: number): Message => ({
      ts: hour + minute * 60_000,
      values: [{ parameter: 'pm25', value, flag: 1 }],
    });
    const bucketWith = (sent: readonly Message[], firstOffset: number) =>
      mergeBucket(EMPTY_BUCKET, rowsOf(sent, firstOffset));
    const whole = bucketWith([at(0, 1), at(20, 2), at(40, 3)], 0);
    const again = bucketWith([at(20, 5)], 3);
    expect(bucketKeys('d', hour)).toEqual(
      [0, 15, 30, 45].map((minute) => bucketKey('d', hour + minute * 60_000 + 59_999)),
    );
    const samples = samplesOf([whole, again, undefined, bucketWith([at(50, 6)], 4)], 'pm25');
    expect(samples.map(({ ts, value }) => [(ts - hour) / 60_000, value])).toEqual([
      [0, 1],
      [20, 5],
      [40, 3],
      [50, 6],
    ]);
  });

  it.each([
    ['something else than a list', 'text'],
    ['something else than numbers', [1, 3, 0, 1, 11, null]],
    ['a row whose number of values leads back to itself', [1, 3, 0, -2]],
    ['a row that is cut off', [1, 3, 0, 2, 11, 12.5]],
    ['half a row behind', [1, 3, 0, 1, 11, 12.5, 2, 3]],
  ])('is none where it is %s', (_what, value) => {
    expect(isDeviceBucket(value)).toBe(false);
  });
});
