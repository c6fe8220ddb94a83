import { isRunning, keyOf, pathOf, rowsOf, timesOf } from './figure';

const period = {
  date: '2026-11',
  from: '2026-10-31T17:00:00Z',
  to: '2026-11-30T17:00:00Z',
  timeZone: 'Asia/Jakarta',
};

describe('a figure', () => {
  it.each([
    [{ site: 'betung', device: 'udara-01' }, 'udara-01'],
    [{ site: 'betung' }, 'betung'],
    [{ district: 'Air Salek' }, 'Air%20Salek'],
    [{ regency: 'regency' }, 'regency'],
  ])('of %j has its page at %s', (subject, name) => {
    expect(pathOf({ indicator: 'a.b', subject, period })).toBe(`/indicators/a.b/${name}/2026-11`);
    expect(keyOf({ indicator: 'a.b', subject, period })).toBe(`a.b/${decodeURIComponent(name)}/2026-11`);
  });

  it('shows rows of its detail where it has them', () => {
    expect(rowsOf({ detail: { hours: [{ mean: 1 }, null, 3] } }, 'hours')).toEqual([{ mean: 1 }]);
    expect(rowsOf({ detail: { hours: 'x' } }, 'hours')).toEqual([]);
    expect(rowsOf({ detail: {} }, 'hours')).toEqual([]);
  });

  it('of availability tells degraded time from time up', () => {
    expect(timesOf({ dataCapture: { upMs: 10, degradedMs: 4, unknownMs: 2 } })).toEqual({
      ...{ up: 6, degraded: 4, reported: 0, silent: 0, planned: 0, unknown: 2 },
    });
    expect(timesOf({ dataCapture: { validHours: 3 } })).toBeUndefined();
  });

  it('still changes until its period is over', () => {
    const end = Date.parse(period.to);
    expect([isRunning({ period }, end - 1), isRunning({ period }, end)]).toEqual([true, false]);
  });
});
