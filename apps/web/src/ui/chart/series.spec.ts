import { causeOf, gapsWithin, seriesOf, type Point } from './series';

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
    const { top, marks } = seriesOf([at(0), at(1, { value: 2_000, flag: 4 }), at(2)], MINUTE);
    expect(top).toBeLessThan(20);
    expect(marks).toEqual([{ ts: MINUTE, value: 2_000, flag: 4 }]);
  });

  it('of readings together ends where a part of time has none, and marks what is doubted in them', () => {
    const part = (minute: number, more: Partial<Point> = {}): Point =>
      at(minute + 5, { from: minute * MINUTE, to: (minute + 10) * MINUTE - 1, min: 5, max: 15, ...more });
    const doubted = { flag: 4, count: 3, min: -999, max: 900 } as const;
    const alone = { doubted: [doubted], min: null, max: null };
    const { value, gaps, marks, top, bottom } = seriesOf(
      [part(0), part(10, { doubted: [doubted] }), part(30), part(40, alone)],
      3 * MINUTE,
    );
    expect(gaps).toEqual([{ from: 20 * MINUTE - 1, to: 30 * MINUTE }]);
    expect(value).toEqual([10, 10, null, 10, 10]);
    expect(marks.map(({ ts, value: marked }) => [ts / MINUTE, marked])).toEqual([
      [15, 900],
      [15, -999],
      [45, 900],
      [45, -999],
    ]);
    expect([top, bottom]).toEqual([16.2, 0]);
  });

  it('has gaps at both ends of what is shown too, and is one gap without any value', () => {
    const shown = { from: -10 * MINUTE, to: 20 * MINUTE };
    const gapsOf = (...points: Point[]): unknown => gapsWithin(seriesOf(points, MINUTE), shown, MINUTE);
    expect(gapsOf(at(0), at(18))).toEqual([
      { from: shown.from, to: 0 },
      { from: 0, to: 18 * MINUTE },
    ]);
    expect(gapsOf(at(-9), at(-8))).toEqual([{ from: -8 * MINUTE, to: shown.to }]);
    expect(gapsOf()).toEqual([shown]);
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
