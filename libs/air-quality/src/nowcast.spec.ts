import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nowCast } from './nowcast.js';

const hour = fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }), { nil: null });
const hours = fc.array(hour, { maxLength: 14 });

describe('nowCast', () => {
  const x = null;
  it.each([
    [[20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20], 1, 20, 20],
    [[50, 45, 40, 35, 30, 28, 26, 25, 24, 23, 22, 21], 0.5, 45.2095, 45.2],
    [[120, 90, 60, 40, 30, 25, 20, 20, 20, 20, 20, 20], 0.5, 94.1587, 94.1],
    [[35, x, 34, 33, x, 32, 31, 30, 30, 29, 28, 28], 0.8, 32.7541, 32.7],
  ])('agrees with the worked example %p', (means, weight, raw, value) => {
    const result = nowCast('pm25', means)!;
    expect(result.weight).toBeCloseTo(weight, 10);
    expect(result.raw).toBeCloseTo(raw, 4);
    expect(result.value).toBe(value);
  });

  it('agrees with the published example of a missing hour, and has no answer with the newest missing too', () => {
    const file = join(import.meta.dirname, 'fixtures', 'nowcast-with-a-gap.json');
    const { oldestFirst, expected } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly oldestFirst: readonly (number | null)[];
      readonly expected: number;
    };
    const newestFirst = oldestFirst.map((mean) => mean ?? x).reverse();
    expect(nowCast('pm25', newestFirst)?.value).toBe(expected);
    expect(nowCast('pm25', [x, ...newestFirst.slice(1)])).toBeUndefined();
  });

  it.each([
    [[35, x, x, 33, 32, 32, 31, 30, 30, 29, 28, 28]],
    [[x, x, 34, 33]],
    [[35]],
    [[]],
    [[35, -1, NaN, 33]],
    [[35, Infinity, undefined]],
  ])('has no answer without two of the three newest hours: %p', (means) => {
    expect(nowCast('pm25', means)).toBeUndefined();
  });

  it('needs only those two hours, the newest not among them', () => {
    expect(nowCast('pm25', [x, 30, 30])).toMatchObject({ value: 30, weight: 1 });
  });

  it('gives 0 for twelve hours of 0, and truncates PM10 to whole micrograms', () => {
    expect(nowCast('pm25', Array<number>(12).fill(0))).toEqual({ value: 0, raw: 0, weight: 1 });
    expect(nowCast('pm10', [50, 45, 40, 35, 30, 28, 26, 25, 24, 23, 22, 21])?.value).toBe(45);
  });

  it('does not lose the last digit of a steady value to binary fractions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (tenths) => {
        expect(nowCast('pm25', Array<number>(12).fill(tenths / 10))?.value).toBe(tenths / 10);
      }),
    );
  });

  it('stays between the lowest and the highest hour, with a weight between a half and one', () => {
    fc.assert(
      fc.property(hours, (means) => {
        const result = nowCast('pm25', means);
        if (result === undefined) return;
        const valid = means.slice(0, 12).filter((mean) => mean !== null);
        expect(result.raw).toBeGreaterThanOrEqual(Math.min(...valid) - 1e-9);
        expect(result.raw).toBeLessThanOrEqual(Math.max(...valid) + 1e-9);
        expect(result.weight).toBeGreaterThanOrEqual(0.5);
        expect(result.weight).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('forgets what is older than twelve hours', () => {
    fc.assert(
      fc.property(fc.array(hour, { minLength: 12, maxLength: 12 }), hours, (recent, older) => {
        expect(nowCast('pm25', [...recent, ...older])).toEqual(nowCast('pm25', recent));
      }),
    );
  });
});
