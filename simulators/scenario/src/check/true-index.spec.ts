import { HOUR } from '#libs/kernel';
import { trueIndexAt, type TrueSample } from './true-index.js';

const END = Date.parse('2026-01-02T00:00:00Z');
const day = (values: Readonly<Record<string, number>>): TrueSample[] =>
  Array.from({ length: 48 }, (_, i) => ({ at: END - (i + 1) * HOUR * 0.5, values }));

describe('the true index', () => {
  it.each([
    [{ pm25: 15.5 }, 50],
    [{ pm25: 35.45 }, 75],
    [{ pm25: 15.5, pm10: 250 }, 150],
    [{ co: 3_000_000 }, 500],
    [{ pm25: 0, temperature: 31 }, 0],
  ])('of a day of %j is %i', (values, index) => {
    expect(trueIndexAt(day(values), END)).toBe(index);
  });

  it('gives every hour the same weight, however often it was measured, and looks at its 24 hours alone', () => {
    const crowd = Array.from({ length: 60 }, (_, i) => ({ at: END - HOUR / 60 - i, values: { pm25: 500 } }));
    const samples = [...day({ pm25: 10 }), ...crowd, { at: END, values: { pm25: 500 } }];
    const [hour] = [(2 * 10 + 60 * 500) / 62];
    const mean = (23 * 10 + hour) / 24;
    expect(trueIndexAt(samples, END)).toBe(Math.round(50 + (50 * (mean - 15.5)) / (55.4 - 15.5)));
  });
});
