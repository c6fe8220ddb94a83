import { keyed, moved, zoomed } from './zoom';

const limits = { shortest: 10, longest: 1_000, latest: 5_000 };
const shown = { from: 1_000, to: 1_100 };

describe('zooming a chart', () => {
  it('keeps what is pointed at where it is', () => {
    expect(zoomed(shown, 0.5, 0, limits)).toEqual({ from: 1_000, to: 1_050 });
    expect(zoomed(shown, 0.5, 1, limits)).toEqual({ from: 1_050, to: 1_100 });
    expect(zoomed(shown, 2, 0.5, limits)).toEqual({ from: 950, to: 1_150 });
  });

  it('keeps to the shortest and the longest time, and ends where there is nothing more', () => {
    expect(zoomed(shown, 0.01, 0.5, limits)).toEqual({ from: 1_045, to: 1_055 });
    expect(zoomed(shown, 50, 0.5, limits)).toEqual({ from: 550, to: 1_550 });
    expect(zoomed({ from: 4_900, to: 5_000 }, 2, 0.5, limits)).toEqual({ from: 4_800, to: 5_000 });
    expect(moved({ from: 4_900, to: 5_000 }, 0.25, limits)).toEqual({ from: 4_900, to: 5_000 });
  });

  it('follows the keys', () => {
    expect(keyed('ArrowLeft', shown, limits)).toEqual({ from: 975, to: 1_075 });
    expect(keyed('ArrowRight', shown, limits)).toEqual({ from: 1_025, to: 1_125 });
    expect(keyed('+', shown, limits)).toEqual({ from: 1_025, to: 1_075 });
    expect(keyed('-', shown, limits)).toEqual({ from: 950, to: 1_150 });
    expect(keyed('a', shown, limits)).toBeUndefined();
  });
});
