import { partAt, partsOf, turningSeconds } from './turning';

describe('turning parts', () => {
  it('are about as long as each other, and hold everything once', () => {
    const items = Array.from({ length: 21 }, (_, i) => i);
    expect(partsOf(items, 10).map((part) => part.length)).toEqual([7, 7, 7]);
    expect(partsOf(items, 10).flat()).toEqual(items);
    expect(partsOf([], 10)).toEqual([]);
  });

  it('stay as long as the address says, within what somebody can read', () => {
    expect([null, '', '20', '1', '0', '-3', '99999', 'x'].map((text) => turningSeconds(text, 15))).toEqual([
      ...[15, 15, 20, 5, 0, 0, 600, 15],
    ]);
  });

  it('come one after another, each for its time, and begin again', () => {
    const shown = [0, 14_999, 15_000, 30_000, 45_000].map((now) => partAt(now, 15, 3));
    expect(shown).toEqual([0, 0, 1, 2, 0]);
    expect(partAt(12_345, 0, 3)).toBe(0);
    expect(partAt(12_345, 15, 0)).toBe(0);
  });
});
