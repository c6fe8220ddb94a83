import { rounded, startOf } from './lasting';

const MINUTE = 60_000;

describe('lengths of time', () => {
  it.each([
    [-5, 0],
    [61_700, 61_000],
    [7 * MINUTE + 3, 7 * MINUTE],
    [190 * MINUTE, 180 * MINUTE],
    [50 * 60 * MINUTE, 48 * 60 * MINUTE],
  ])('%d ms are said as %d', (ms, said) => {
    expect(rounded(ms)).toBe(said);
  });
});

describe('a day of the regency', () => {
  it.each([
    ['2026-11-29', 0, '2026-11-28T17:00:00.000Z'],
    ['2026-11-29', 1, '2026-11-29T17:00:00.000Z'],
    ['2026-13-41', 0, undefined],
    ['kemarin', 0, undefined],
    [null, 0, undefined],
  ])('%s and %d later begins at %s', (day, later, at) => {
    expect(startOf(day, later)).toBe(at);
  });
});
