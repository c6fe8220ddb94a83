import { HOUR } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { crossParameter } from './checks/cross-parameter.js';
import { QC_LIMITS_V1 } from './limits/limits.js';
import { initialQcState } from './qc-state-form.js';
import type { TimedValue } from './sample.js';
import { checkSeries } from './series.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** Recordings that this repository ships. */
const SHIPPED = join(ROOT, 'simulators', 'replay', 'data');
/** The full data sets (see `docs/quality-control.md`), which it does not. */
const { PANTAU_AIR_DATA: FULL = '' } = process.env;

type Row = Readonly<Record<string, string>>;

function readCsv(file: string, separator = ','): readonly Row[] {
  const [head = '', ...lines] = gunzipSync(readFileSync(file))
    .toString()
    .replaceAll('"', '')
    .trim()
    .split('\n');
  const names = head.trim().split(separator);
  return lines.map((line) =>
    Object.fromEntries(
      line
        .trim()
        .split(separator)
        .map((cell, i) => [names[i]!, cell]),
    ),
  );
}

/** Local time is UTC+8; the zone shifts every instant alike and matters to no test. */
function beijingTime({ year, month, day, hour }: Row): number {
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour));
}

function samplesOf(rows: readonly Row[], column: string, time: (row: Row) => number): TimedValue[] {
  return rows
    .filter((row) => row[column] !== 'NA' && row[column] !== '')
    .map((row) => ({ ts: time(row), value: Number(row[column]) }));
}

interface Judged extends TimedValue {
  readonly flag: number;
  readonly failed: readonly string[];
}

/** The series with its flags as they end up in a store. */
function judge(samples: readonly TimedValue[], parameter: MeasuredParameter): Judged[] {
  const byTime = new Map<number, Judged>();
  let state = initialQcState;
  for (const sample of samples) {
    const { state: next, result, amended } = checkSeries(state, sample, parameter);
    byTime.set(sample.ts, { ...sample, ...result });
    if (amended) byTime.set(amended.ts, { ts: amended.ts, value: amended.value, ...amended.result });
    state = next;
  }
  return [...byTime.values()];
}

function count(judged: readonly Judged[], test: string, flag?: number): number {
  return judged.filter((each) => each.failed.includes(test) && (flag === undefined || each.flag === flag))
    .length;
}

const strict = {
  ...QC_LIMITS_V1,
  pm25: { ...QC_LIMITS_V1.pm25, crossParameter: { tolerance: 0 } },
};

/** Hours in which PM2.5 exceeds PM10 at all, and by more than the tolerance. */
function crossed(rows: readonly Row[]): [number, number] {
  const pairs = rows
    .filter((row) => row['PM2.5'] !== 'NA' && row['PM10'] !== 'NA')
    .map((row) => ({ pm25: Number(row['PM2.5']), pm10: Number(row['PM10']) }));
  return [strict, QC_LIMITS_V1].map(
    (limits) => pairs.filter((pair) => crossParameter(pair, limits).flag === 3).length,
  ) as [number, number];
}

describe('the two stations that the replay simulator plays', () => {
  const [dongsi, huairou] = ['dongsi', 'huairou'].map((station) =>
    readCsv(join(SHIPPED, `beijing-${station}.csv.gz`)),
  ) as [readonly Row[], readonly Row[]];

  it('show no particulate matter that fails, in a winter of real smog', () => {
    for (const rows of [dongsi, huairou])
      for (const [column, parameter] of [
        ['PM2.5', 'pm25'],
        ['PM10', 'pm10'],
      ] as const) {
        const judged = judge(samplesOf(rows, column, beijingTime), parameter);
        expect(judged.length).toBeGreaterThan(2_100);
        expect(judged.filter(({ flag }) => flag === 4)).toEqual([]);
        expect(judged.filter(({ flag }) => flag === 3).map(({ failed }) => failed)).toEqual(
          judged
            .filter(({ value }) => value > QC_LIMITS_V1[parameter].range.suspect[1])
            .map(() => ['gross_range']),
        );
      }
  });

  it('have no hour with more PM2.5 than PM10', () => {
    expect([crossed(dongsi), crossed(huairou)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('show the floor of an analyser as a flat line: SO2 of 2 µg/m³ for 109 hours at Huairou', () => {
    const judged = judge(samplesOf(huairou, 'SO2', beijingTime), 'so2');
    const flat = judged.filter(({ failed }) => failed.includes('flat_line'));
    expect(flat.length).toBeGreaterThan(0);
    const failedAtFloor = flat.filter(({ flag, value }) => flag === 4 && value === 2).length;
    expect(failedAtFloor).toBeGreaterThanOrEqual(109 - 23);
  });
});

// A check for whoever has the data sets; without them it is no part of the suite.
const describeFull = FULL === '' ? (): void => undefined : describe;

describeFull('four years of four stations', () => {
  const read = (station: string): readonly Row[] =>
    readCsv(join(FULL, 'beijing', `PRSA_Data_${station}_20130301-20170228.csv.gz`));

  it.each([
    ['Dongsi', 2_156, 1_751],
    ['Huairou', 1_485, 1_159],
    ['Tiantan', 1_620, 1_243],
    ['Wanliu', 1_902, 1_540],
  ])('%s has %p hours with more PM2.5 than PM10, %p of them beyond the tolerance', (station, any, beyond) => {
    expect(crossed(read(station))).toEqual([any, beyond]);
  });

  it('Dongsi repeats a PM2.5 of 3 µg/m³ for 41 hours: suspect from the twelfth, failed from the twenty-fourth', () => {
    const from = Date.UTC(2014, 9, 11, 19);
    const run = judge(samplesOf(read('Dongsi'), 'PM2.5', beijingTime), 'pm25').filter(
      ({ ts }) => ts >= from && ts < from + 41 * HOUR,
    );
    expect(run.map(({ value }) => value)).toEqual(Array(41).fill(3));
    expect(run.map(({ flag }) => flag)).toEqual([
      ...Array<number>(11).fill(1),
      ...Array<number>(12).fill(3),
      ...Array<number>(18).fill(4),
    ]);
  });

  it.each(['Dongsi', 'Huairou', 'Tiantan', 'Wanliu'])(
    'calls less than 0.2 %% of the PM2.5 of %s flat',
    (station) => {
      const judged = judge(samplesOf(read(station), 'PM2.5', beijingTime), 'pm25');
      expect(count(judged, 'flat_line') / judged.length).toBeLessThan(0.002);
      expect(count(judged, 'spike') + count(judged, 'rate_of_change')).toBe(0);
    },
  );
});

describeFull('two months of a low-cost sensor that reports every two and a half minutes', () => {
  const community = join(FULL, 'sensor-community');
  const utc = ({ timestamp }: Row): number => Date.parse(`${timestamp}Z`);

  it.each([
    ['P2', 'pm25', 4],
    ['P1', 'pm10', 8],
  ] as const)('shows spikes of %s where it really jumped, and nothing else', (column, parameter, spikes) => {
    const rows = readCsv(join(community, 'node5331_sds011_2018-01_2018-02.csv.gz'), ';');
    const judged = judge(samplesOf(rows, column, utc), parameter);
    expect(judged.length).toBe(34_196);
    expect(count(judged, 'spike')).toBe(spikes);
    expect(count(judged, 'flat_line')).toBe(0);
    const highest = judged.reduce((a, b) => (b.value > a.value ? b : a));
    expect(highest).toMatchObject({ flag: 4, failed: ['gross_range', 'rate_of_change', 'spike'] });
  });

  it('finds nothing wrong with a damp winter', () => {
    const rows = readCsv(join(community, 'node5332_dht22_2018-01_2018-02.csv.gz'), ';');
    const judged = judge(samplesOf(rows, 'humidity', utc), 'humidity');
    expect(judged.filter(({ flag }) => flag !== 1)).toEqual([]);
  });
});
