import { beginOf, endOf } from './days';

describe('a day of the regency', () => {
  it('begins and ends at midnight there, whatever the zone of the browser is', () => {
    expect(beginOf('2026-11-29')).toBe('2026-11-28T17:00:00.000Z');
    expect(endOf('2026-12-31')).toBe('2026-12-31T17:00:00.000Z');
  });

  it.each(['', '29-11-2026', '2026-13-01', 'kemarin'])('is none of "%s"', (text) => {
    expect(beginOf(text)).toBeUndefined();
    expect(endOf(text)).toBeUndefined();
  });
});
