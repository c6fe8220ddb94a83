import { ispuSubIndex } from '#libs/air-quality';
import { meanOfHoursRecord, periodOf, type Sample } from '#libs/indicators';
import { HOUR, localDateOf } from '#libs/kernel';
import {
  judgementOf,
  judgeObservation,
  markOf,
  QC_LIMITS_V1,
  type ParameterValue,
} from '#libs/quality-control';
import type { Reading } from '#libs/telemetry';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FILE = join(
  ...[import.meta.dirname, '..', '..', '..', 'simulators', 'replay', 'data', 'beijing-smog-days.csv.gz'],
);

/** The hours of one station, in order. */
interface Row {
  readonly ts: number;
  readonly values: readonly ParameterValue[];
}

/** Winter days with an hour above 500 µg/m³ of PM2.5 at four stations, with the days beside them. Times are shifted alike. */
function stations(): Map<string, Row[]> {
  const [, ...lines] = gunzipSync(readFileSync(FILE)).toString().trim().split('\n');
  const all = new Map<string, Row[]>();
  for (const line of lines) {
    const [station = '', year, month, day, hour, pm25, pm10, co] = line.split(',');
    const values = Object.entries({ pm25, pm10, co })
      .filter(([, text]) => text !== 'NA')
      .map(([parameter, text]) => ({ parameter, value: Number(text) }) as ParameterValue);
    // Midnight there is midnight in Jakarta here: a calendar day stays one.
    const ts = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour)) - 7 * HOUR;
    const rows = all.get(station);
    if (rows === undefined) all.set(station, [{ ts, values }]);
    else rows.push({ ts, values });
  }
  return all;
}

/** PM2.5 as it stands at the end, by day. */
function judged(rows: readonly Row[]): Map<string, Sample[]> {
  const states = new Map<ParameterValue['parameter'], never>();
  const last = new Map<number, Reading>();
  for (const { ts, values } of rows) {
    const { readings, amendments } = judgeObservation(states, ts, values, QC_LIMITS_V1);
    for (const reading of readings) if (reading.parameter === 'pm25') last.set(ts, reading);
    for (const { ts: earlier, reading } of amendments)
      if (reading.parameter === 'pm25') last.set(earlier, reading);
  }
  const days = new Map<string, Sample[]>();
  for (const [ts, reading] of last) {
    const sample = { ts, value: reading.value, ...judgementOf(markOf(reading)), shard: 0, offset: ts / HOUR };
    const date = localDateOf(ts);
    days.set(date, [...(days.get(date) ?? []), sample]);
  }
  return days;
}

describe('days of smog that four stations recorded', () => {
  it('keep figure and category: what is unusual is not wrong', () => {
    let smogDays = 0;
    for (const [device, rows] of stations())
      for (const [date, samples] of judged(rows)) {
        if (samples.length < 18) continue;
        const plain = samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
        const record = meanOfHoursRecord(
          { key: 'env.aq.pm25_daily_mean', version: 4, unit: 'ug/m3' },
          { site: 'beijing', device },
          periodOf('day', date),
          samples,
          [{ from: 0, intervalMs: HOUR }],
          true,
        );
        expect(record.value).toBeCloseTo(plain, 9);
        expect(ispuSubIndex('pm25', record.value)).toEqual(ispuSubIndex('pm25', plain));
        const high = samples.filter(({ value }) => value > 500);
        if (high.length === 0) continue;
        smogDays++;
        // Flagged all the same, and their part is stated.
        expect(high.every(({ flag }) => flag === 3)).toBe(true);
        const { withoutUnusual, dataCapture } = record;
        expect(dataCapture['unusual']).toBeGreaterThanOrEqual(high.length);
        expect(withoutUnusual!.unusualShare).toBeCloseTo(dataCapture['unusual']! / samples.length, 9);
        const usual = samples.filter(({ flag }) => flag === 1);
        if (usual.length >= 18)
          expect(withoutUnusual!.value).toBeCloseTo(
            usual.reduce((sum, { value }) => sum + value, 0) / usual.length,
            9,
          );
        else expect(withoutUnusual!.value).toBeNull();
      }
    expect(smogDays).toBe(60);
  });
});
