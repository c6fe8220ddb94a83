import { MEASURED_CODES, type QualityFlag } from '#libs/telemetry';
import fc from 'fast-check';
import { combineFlags, combineResults, numberOfResult, QC_TESTS, resultOf, resultOfNumber } from './flags.js';
import { GROSS_RANGE_V1, grossRange } from './checks/gross-range.js';

describe('grossRange', () => {
  it.each([
    ['pm25', 0, 1],
    ['pm25', 500, 1],
    ['pm25', 500.1, 3],
    ['pm25', 10_000, 3],
    ['pm25', 10_000.1, 4],
    ['o3', 1_071, 3],
    ['pm25', -0.1, 4],
    ['temperature', 14.9, 3],
    ['temperature', -40.1, 4],
    ['humidity', 100, 1],
    ['humidity', 100.1, 4],
    ['humidity', 19, 3],
    ['pm25', NaN, 4],
    ['pm25', Infinity, 4],
    ['pm25', -Infinity, 4],
  ] as const)('flags %s %p as %p', (parameter, value, flag) => {
    expect(grossRange(parameter, value)).toEqual({ flag, failed: flag === 1 ? [] : ['gross_range'] });
  });

  it('has for every parameter a plausible range inside the possible one', () => {
    for (const parameter of MEASURED_CODES) {
      const { fail, suspect } = GROSS_RANGE_V1[parameter];
      expect(fail[0]).toBeLessThanOrEqual(suspect[0]);
      expect(suspect[0]).toBeLessThan(suspect[1]);
      expect(suspect[1]).toBeLessThanOrEqual(fail[1]);
    }
  });
});

describe('combineFlags', () => {
  it.each<[QualityFlag[], QualityFlag]>([
    [[1, 3, 4], 4],
    [[1, 3, 9], 3],
    [[1, 2, 9], 1],
    [[2, 9], 2],
    [[9], 9],
    [[], 2],
  ])('combines %p to %p: the strongest statement, not the largest number', (flags, expected) => {
    expect(combineFlags(flags)).toBe(expected);
  });
});

describe('combineResults', () => {
  it('names each failed test once, beside the strongest statement', () => {
    const results = [
      resultOf('gross_range', 3),
      resultOf('spike', 2),
      resultOf('flat_line', 4),
      resultOf('gross_range', 3),
      resultOf('clock', 1),
    ];
    expect(combineResults(results)).toEqual({ flag: 4, failed: ['gross_range', 'flat_line'] });
    expect(combineResults([])).toEqual({ flag: 2, failed: [] });
  });
});

describe('a result as a number', () => {
  const flag = fc.constantFrom<QualityFlag>(1, 2, 3, 4, 9);
  const result = fc.record({ flag, failed: fc.shuffledSubarray([...QC_TESTS]) });

  it('comes back as it was, with the failed tests in their order, and is never 0', () => {
    fc.assert(
      fc.property(result, (given) => {
        const number = numberOfResult(given);
        expect(number).toBeGreaterThan(0);
        expect(resultOfNumber(number)).toEqual(given);
      }),
    );
  });

  it('has a place for each test that no other one takes: stored numbers rest on it', () => {
    expect(QC_TESTS.map((test) => numberOfResult({ flag: 4, failed: [test] }))).toEqual([
      0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0x94, 0xa4, 0xb4,
    ]);
  });
});
