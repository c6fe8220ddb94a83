import { causeOf, seriesOf, type Point } from './series';

const MINUTE = 60_000;
const at = (minute: number, more: Partial<Point> = {}): Point => ({
  ts: minute * MINUTE,
  value: 10,
  ...more,
});

describe('a line', () => {
  it('ends where readings are missing for more than three intervals, and goes on after that', () => {
    const { x, value, gaps } = seriesOf([at(0), at(1), at(4), at(8), at(9)], MINUTE);
    expect(gaps).toEqual([{ from: 4 * MINUTE, to: 8 * MINUTE }]);
    expect(value).toEqual([10, 10, 10, null, 10, 10]);
    expect(x).toEqual([...x].sort((a, b) => a - b));
    expect(x[3]).toBeGreaterThan(4 * 60);
    expect(x[3]).toBeLessThan(8 * 60);
  });

  it('has no value where an hour has none, and shows a peak of one sample in its band', () => {
    const { value, max, top } = seriesOf([at(0, { min: 5, max: 480 }), at(60, { value: null })], 60 * MINUTE);
    expect(value).toEqual([10]);
    expect(max).toEqual([480]);
    expect(top).toBeGreaterThan(480);
  });

  it('keeps its scale where a sensor fails: what is doubted is beyond it', () => {
    const { top, flagged } = seriesOf([at(0), at(1, { value: 2_000, flag: 4 }), at(2)], MINUTE);
    expect(top).toBeLessThan(20);
    expect(flagged).toMatchObject([{ value: 2_000 }]);
  });

  it('is empty without points', () => {
    expect(seriesOf([], MINUTE)).toMatchObject({ x: [], gaps: [], bottom: 0, top: 1 });
  });
});

describe('the cause of a gap', () => {
  it('is what most of it was', () => {
    const spans = [
      { from: 0, to: 10, cause: 'unobserved' },
      { from: 10, to: 100, cause: 'silent' },
    ];
    expect(causeOf({ from: 2, to: 15 }, spans)).toBe('unobserved');
    expect(causeOf({ from: 8, to: 50 }, spans)).toBe('silent');
    expect(causeOf({ from: 200, to: 300 }, spans)).toBeUndefined();
  });
});
