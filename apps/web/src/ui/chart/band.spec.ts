import { columnsOf } from './band';
import type { Point } from './series';

const part = (from: number, to: number, min: number, max: number): Point => ({
  ...{ ts: (from + to) / 2, from, to: to - 1, value: (min + max) / 2, min, max, count: 9 },
});
const y = (value: number): number => 100 - value;

describe('a band', () => {
  it('has a column for each part of time, and none where there is no value or only one', () => {
    const single: Point = { ts: 35, value: 4 };
    const parts = [part(0, 10, 20, 30), undefined, part(20, 30, 0, 50), single];
    expect(columnsOf(parts, (ts) => ts, y)).toEqual([
      { left: 0, top: 70, width: 10, height: 10 },
      { left: 20, top: 50, width: 10, height: 50 },
    ]);
  });

  it('shows a peak of one part where many share a pixel, and no pixel twice', () => {
    const parts = Array.from({ length: 1_000 }, (_, i) => part(i * 10, (i + 1) * 10, 5, i === 333 ? 90 : 10));
    const columns = columnsOf(parts, (ts) => ts / 73, y);
    for (const [i, { left }] of columns.entries())
      expect(left).toBeGreaterThanOrEqual(i === 0 ? 0 : edgeOf(columns[i - 1]));
    expect(columns.length).toBeGreaterThan(130);
    expect(Math.min(...columns.map(({ top }) => top))).toBe(10);
  });

  it('is seen where lowest and highest are the same', () => {
    expect(columnsOf([part(0, 10, 7, 7)], (ts) => ts, y)[0]?.height).toBe(1);
  });
});

function edgeOf(column: ReturnType<typeof columnsOf>[number] | undefined): number {
  return (column?.left ?? 0) + (column?.width ?? 0);
}
