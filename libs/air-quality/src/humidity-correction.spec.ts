import fc from 'fast-check';
import { correctPm25, PM25_CORRECTIONS, type Pm25Correction } from './humidity-correction.js';

const concentration = fc.double({ min: 0, max: 5_000, noNaN: true });
const humidity = fc.double({ min: 0, max: 100, noNaN: true });
const corrections = Object.keys(PM25_CORRECTIONS) as Pm25Correction[];

describe('correctPm25', () => {
  it.each([
    ['epa-2021', 100, 50, 53.84],
    ['epa-2021', 569.9, 80, 297.4816],
    ['epa-2021', 590, 80, 344.349],
    ['epa-2021', 611, 80, 400.1201],
    ['epa-2021', 1_000, 80, 816.44],
    ['fire-smoke-map', 100, 50, 53.45],
    ['fire-smoke-map', 343, 50, 179.81],
    ['fire-smoke-map', 400, 50, 249.85],
    ['epa-2020-04', 100, 50, 53.46],
  ] as const)('by %s makes %p µg/m³ at %p %% humidity to %p', (correction, pm25, rh, expected) => {
    expect(correctPm25(pm25, rh, correction)?.value).toBeCloseTo(expected, 3);
  });

  it('publishes 0 where the line of clean, saturated air falls to −2.87, and keeps that beside it', () => {
    const { value, raw } = correctPm25(0, 100)!;
    expect(value).toBe(0);
    expect(raw).toBeCloseTo(-2.87, 10);
  });

  it('names its version, epa-2021 unless told otherwise', () => {
    expect(correctPm25(10, 50)?.correction).toBe('epa-2021');
    expect(correctPm25(10, 50, 'epa-2020-04')?.correction).toBe('epa-2020-04');
  });

  it.each([
    [10, undefined],
    [10, null],
    [10, NaN],
    [10, -0.1],
    [10, 100.1],
    [-0.1, 50],
    [NaN, 50],
    [Infinity, 50],
    [null, 50],
  ])('has no answer for PM2.5 %p at humidity %p', (pm25, rh) => {
    for (const correction of corrections) expect(correctPm25(pm25, rh, correction)).toBeUndefined();
  });

  it('is never negative and always finite', () => {
    fc.assert(
      fc.property(fc.constantFrom(...corrections), concentration, humidity, (correction, pm25, rh) => {
        const { value, raw } = correctPm25(pm25, rh, correction)!;
        expect(value).toBe(Math.max(0, raw));
        expect(Number.isFinite(raw)).toBe(true);
      }),
    );
  });

  it('has no step of 1 µg/m³ where the ranges of epa-2021 meet', () => {
    fc.assert(
      fc.property(fc.constantFrom(570, 611), humidity, (edge, rh) => {
        const step = correctPm25(edge, rh)!.raw - correctPm25(edge - 1e-9, rh)!.raw;
        expect(Math.abs(step)).toBeLessThan(1);
      }),
    );
  });

  it('rises with the concentration within each range, and never with the humidity', () => {
    fc.assert(
      fc.property(concentration, concentration, humidity, humidity, (a, b, h, k) => {
        const raw = (pm25: number, rh: number): number => correctPm25(pm25, rh)!.raw;
        // 1 µg/m³ is the step that the published weight leaves at 611.
        expect(raw(Math.min(a, b), h)).toBeLessThanOrEqual(raw(Math.max(a, b), h) + 1);
        // In the blend the weight passes 1 by 0.008 and the sign of the humidity term with it.
        expect(raw(a, Math.max(h, k))).toBeLessThanOrEqual(raw(a, Math.min(h, k)) + 0.1);
      }),
    );
  });
});
