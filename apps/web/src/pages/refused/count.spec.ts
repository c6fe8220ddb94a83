import { byDevice, byReason } from './count';

const counts = [
  {
    ...{ reason: 'not_json', device: 'a', count: 2 },
    ...{ firstAt: '2026-11-20T01:00:00Z', lastAt: '2026-11-29T01:00:00Z' },
  },
  { reason: 'repeated', count: 5, lastAt: '2026-11-29T02:00:00Z' },
  {
    ...{ reason: 'not_json', device: 'b', count: 4 },
    ...{ firstAt: '2026-11-19T01:00:00Z', lastAt: '2026-11-28T01:00:00Z' },
  },
];

describe('refusals', () => {
  it('are counted by reason, the most frequent first, with when they began and when the last was', () => {
    expect(byReason(counts, undefined)).toEqual([
      {
        ...{ reason: 'not_json', count: 6 },
        ...{ firstAt: '2026-11-19T01:00:00Z', lastAt: '2026-11-29T01:00:00Z' },
      },
      { reason: 'repeated', count: 5, lastAt: '2026-11-29T02:00:00Z' },
    ]);
    const older = { reason: 'not_json', device: 'c', count: 1, lastAt: '2026-11-01T01:00:00Z' };
    for (const some of [
      [...counts, older],
      [older, ...counts],
    ])
      expect(byReason(some, undefined)[0]).toMatchObject({ count: 7, firstAt: undefined });
  });

  it('of one device are its own alone', () => {
    expect(byReason(counts, 'b')).toEqual([
      {
        ...{ reason: 'not_json', count: 4 },
        ...{ firstAt: '2026-11-19T01:00:00Z', lastAt: '2026-11-28T01:00:00Z' },
      },
    ]);
    expect(byReason(counts, 'c')).toEqual([]);
  });

  it('are counted by device, with the reasons of each', () => {
    expect(byDevice(counts)).toMatchObject([
      { device: undefined, count: 5, reasons: [{ reason: 'repeated' }] },
      { device: 'b', count: 4 },
      { device: 'a', count: 2, reasons: [{ reason: 'not_json', count: 2 }] },
    ]);
  });
});
