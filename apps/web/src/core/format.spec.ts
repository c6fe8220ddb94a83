import { dayOf, formatAge, formatBytes, formatDuration, formatInstant, formatNumber } from './format';

const AT = Date.UTC(2026, 10, 29, 17, 5, 9);

describe('figures and times', () => {
  it('are written as the reader does, and the zone is said', () => {
    expect(formatNumber(1234.56, 'id-ID')).toBe('1.234,6');
    expect(formatNumber(1234.56, 'en-GB')).toBe('1,234.6');
    expect(formatNumber(null, 'id-ID')).toBe('–');
    expect([formatNumber(-0.04, 'id-ID'), formatNumber(-0.06, 'id-ID')]).toEqual(['0', '-0,1']);
    expect(formatInstant(AT, 'id-ID')).toBe('30 Nov 2026 00.05.09 WIB');
    expect(formatInstant(AT, 'en-GB')).toBe('30 Nov 2026 00:05:09 WIB');
    expect(formatInstant(AT, 'en-GB', { day: false, seconds: false })).toBe('00:05 WIB');
    expect(dayOf(AT)).toBe('2026-11-30');
  });

  it.each([
    [0, '0 detik yang lalu'],
    [-5_000, '0 detik yang lalu'],
    [59_999, '59 detik yang lalu'],
    [90 * 60_000, '90 menit yang lalu'],
    [47 * 3_600_000, '47 jam yang lalu'],
    [72 * 3_600_000, '3 hari yang lalu'],
  ])('an age of %d ms is %s', (age, text) => {
    expect(formatAge(age, 'id-ID')).toBe(text);
  });

  it('durations and sizes have their units', () => {
    expect(formatDuration(300_000, 'id-ID')).toBe('5 menit');
    expect(formatDuration(86_400_000, 'en-GB')).toBe('1 day');
    expect(formatBytes(1_500_000, 'en-GB')).toBe('1.5 MB');
  });
});
