import { chartOf, lastingOf } from './alert';

const since = '2026-11-29T05:00:00Z';
const at = '2026-11-29T06:00:00Z';
const HOUR = 3_600_000;

describe('an alert', () => {
  it.each([
    ['firing', 3],
    ['pending', 3],
    ['resolved', 1],
    ['cancelled', 1],
  ] as const)('that is %s lasts %d hours', (state, hours) => {
    expect(lastingOf({ since, at, state }, Date.parse(since) + 3 * HOUR)).toBe(hours * HOUR);
  });

  it('leads to the chart of its device, with the readings that raised it', () => {
    const evidence = [{ ts: '2026-11-29T04:50:00Z', value: 101 }];
    const url = new URL(chartOf({ device: 'u', parameter: 'pm25', since, at, evidence }), 'http://x');
    expect([url.pathname, ...url.searchParams.values()]).toEqual([
      '/perangkat/u',
      'pm25',
      '2026-11-29T04:20:00.000Z',
      '2026-11-29T06:30:00.000Z',
    ]);
  });
});
