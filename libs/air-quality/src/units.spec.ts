import { MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import fc from 'fast-check';
import { toParameterUnit } from './units.js';

const GASES = ['no2', 'so2', 'o3', 'co'] as const;
const CONCENTRATIONS = ['pm25', 'pm10', 'so2', 'no2', 'co', 'o3', 'hc'] as const;
const value = fc.double({ min: -1_000, max: 100_000, noNaN: true });

describe('toParameterUnit', () => {
  it.each([
    ['no2', 1.8818, 1.9127],
    ['so2', 2.6204, 2.6635],
    ['o3', 1.9632, 1.9954],
    ['co', 1.1456, 1.1644],
  ] as const)('converts 1 ppb of %s to %p µg/m³ at 25 °C, and to %p at 20 °C', (gas, at25, at20) => {
    expect(toParameterUnit(gas, 1, 'ppb')).toBeCloseTo(at25, 4);
    expect(toParameterUnit(gas, 1, 'ppb', { temperatureC: 25, pressureHpa: 1013.25 })).toBeCloseTo(at25, 4);
    // The published column is rounded from 24.055 L/mol; the ideal gas gives 24.04 from 24.45.
    expect(toParameterUnit(gas, 1, 'ppb', { temperatureC: 20 })! / at20).toBeCloseTo(1, 2);
  });

  it.each([
    ['co', 1, 'ppm', 1_145.6],
    ['co', 1.2, 'mg/m3', 1_200],
    ['hc', 0.1, 'mg/m3', 100],
    ['pm25', 0.0355, 'mg/m3', 35.5],
    ['temperature', 86, 'degF', 30],
    ['temperature', 303.15, 'K', 30],
    ['humidity', 0.54, 'fraction', 54],
    ['humidity', 54, '%', 54],
  ] as const)('converts %s %p %s to %p', (parameter, stated, unit, expected) => {
    expect(toParameterUnit(parameter, stated, unit)).toBeCloseTo(expected, 1);
  });

  it('refuses a unit that does not fit, rather than guess', () => {
    const fitting: Readonly<Record<MeasuredParameter, readonly string[]>> = {
      pm25: ['ug/m3', 'mg/m3'],
      pm10: ['ug/m3', 'mg/m3'],
      so2: ['ug/m3', 'mg/m3', 'ppb', 'ppm'],
      no2: ['ug/m3', 'mg/m3', 'ppb', 'ppm'],
      co: ['ug/m3', 'mg/m3', 'ppb', 'ppm'],
      o3: ['ug/m3', 'mg/m3', 'ppb', 'ppm'],
      hc: ['ug/m3', 'mg/m3'],
      temperature: ['degC', 'degF', 'K'],
      humidity: ['%', 'fraction'],
    };
    const units = ['ug/m3', 'mg/m3', 'ppb', 'ppm', 'degC', 'degF', 'K', '%', 'fraction', 'µg/m³', ''];
    for (const parameter of MEASURED_CODES) {
      const accepted = units.filter((unit) => toParameterUnit(parameter, 1, unit) !== undefined);
      expect([parameter, accepted]).toEqual([parameter, fitting[parameter]]);
    }
  });

  it('uses the reference state for conditions that no air has', () => {
    for (const conditions of [
      { temperatureC: -127 },
      { temperatureC: NaN, pressureHpa: 0 },
      { pressureHpa: 101_325 },
    ])
      expect(toParameterUnit('o3', 10, 'ppb', conditions)).toBe(toParameterUnit('o3', 10, 'ppb'));
  });

  it('finds more mass in a cubic metre of colder or denser air', () => {
    const at = (temperatureC: number, pressureHpa: number): number =>
      toParameterUnit('no2', 100, 'ppb', { temperatureC, pressureHpa })!;
    const celsius = fc.double({ min: -60, max: 60, noNaN: true });
    const hpa = fc.double({ min: 300, max: 1_100, noNaN: true });
    fc.assert(
      fc.property(celsius, celsius, hpa, hpa, (t1, t2, p1, p2) => {
        expect(at(Math.min(t1, t2), p1)).toBeGreaterThanOrEqual(at(Math.max(t1, t2), p1));
        expect(at(t1, Math.min(p1, p2))).toBeLessThanOrEqual(at(t1, Math.max(p1, p2)));
      }),
    );
  });

  it('is linear in concentrations: sums and multiples survive, and 1 ppm is 1000 ppb', () => {
    fc.assert(
      fc.property(fc.constantFrom(...GASES), value, value, (gas, a, b) => {
        const ppb = (x: number): number => toParameterUnit(gas, x, 'ppb')!;
        expect(ppb(a + b)).toBeCloseTo(ppb(a) + ppb(b), 5);
        expect(toParameterUnit(gas, a, 'ppm')!).toBeCloseTo(ppb(1_000 * a), 3);
      }),
    );
  });

  it('comes back from mg/m³', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CONCENTRATIONS), value, (parameter, x) => {
        expect(toParameterUnit(parameter, x / 1_000, 'mg/m3')!).toBeCloseTo(x, 6);
        expect(toParameterUnit(parameter, x, 'ug/m3')).toBe(x);
      }),
    );
  });

  it('never reverses the order of two values', () => {
    const fitting = MEASURED_CODES.flatMap((parameter) =>
      ['ug/m3', 'mg/m3', 'ppb', 'ppm', 'degC', 'degF', 'K', '%', 'fraction']
        .filter((unit) => toParameterUnit(parameter, 1, unit) !== undefined)
        .map((unit) => [parameter, unit] as const),
    );
    fc.assert(
      fc.property(fc.constantFrom(...fitting), value, value, ([parameter, unit], a, b) => {
        const low = toParameterUnit(parameter, Math.min(a, b), unit)!;
        expect(low).toBeLessThanOrEqual(toParameterUnit(parameter, Math.max(a, b), unit)!);
      }),
    );
  });
});
