import { HOUR } from '#libs/kernel';
import { isParameter } from '#libs/telemetry';
import { parseBeijing, readRecording } from './recording.js';

const HEADER = 'year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP';

describe.each(['beijing-dongsi', 'beijing-huairou'])('the recorded station %s', (recording) => {
  const samples = readRecording(recording);

  it('holds 2,208 hours without a gap in time, the first at 00:00 local time', () => {
    expect(samples).toHaveLength(2_208);
    expect(samples[0]?.ts).toBe(Date.parse('2015-11-01T00:00:00+08:00'));
    samples.forEach(({ ts }, i) => expect(ts).toBe(samples[0]!.ts + i * HOUR));
  });

  it('leaves out what was not measured', () => {
    const measured = samples.map(({ values }) => Object.keys(values).length);
    expect(Math.max(...measured)).toBe(7);
    expect(Math.min(...measured)).toBeLessThan(7);
    for (const { values } of samples) {
      expect(Object.keys(values).every(isParameter)).toBe(true);
      expect(Object.values(values).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('reading a recording', () => {
  it('takes NA for missing, never for 0, and turns local time into UTC', () => {
    expect(parseBeijing('x.csv', `${HEADER}\n2015,12,8,0,NA,12.5,NA,NA,NA,NA,-3\n`)).toEqual([
      { ts: Date.parse('2015-12-07T16:00:00Z'), values: { pm10: 12.5, temperature: -3 } },
    ]);
  });

  it.each([
    ['a missing column', 'year,month\n2015,12', 'x.csv:1: expected a column "day"'],
    ['text for a number', `${HEADER}\n2015,12,8,0,1,2,3,4,5,6,7\n2015,12,8,1,high,2,3,4,5,6,7`, 'x.csv:3'],
    ['a line that ends early', `${HEADER}\n2015,12,8,0,1`, 'x.csv:2'],
  ])('names file and line of %s', (_name, text, expected) => {
    expect(() => parseBeijing('x.csv', text)).toThrow(expected);
  });

  it('says what may be given when there is no such recording', () => {
    expect(() => readRecording('beijing-nowhere')).toThrow(/beijing-dongsi, beijing-huairou or the path/);
  });
});
