import { spanOf } from './span';

const NOW = Date.UTC(2026, 10, 29, 12, 0, 30);
const HOUR = 3_600_000;
const of = (text: string) => spanOf(new URLSearchParams(text), NOW);

describe('the time that is shown', () => {
  it.each([
    ['', 24, '24j'],
    ['rentang=7h', 168, '7h'],
    ['rentang=toString', 24, '24j'],
    ['dari=2026-11-28T00:00:00Z&sampai=2026-11-28T06:00:00Z', 6, undefined],
    ['dari=2026-11-28T00:00:00Z&sampai=2026-11-27T06:00:00Z', 24, '24j'],
    ['dari=2020-11-28T00:00:00Z&sampai=2026-11-27T06:00:00Z', 24, '24j'],
    ['dari=x&sampai=y', 24, '24j'],
  ])('of %s is %d hours', (text, hours, range) => {
    const { from, to, range: found } = of(text);
    expect([(to - from) / HOUR, found]).toEqual([hours, range]);
  });

  it('ends at the next minute, so that it stands still within one', () => {
    expect(of('').to).toBe(Date.UTC(2026, 10, 29, 12, 1));
    expect(spanOf(new URLSearchParams(), NOW + 20_000)).toEqual(of(''));
  });
});
