import { newsOf, newsOfReadings } from './news';

const reading = (device: string, at: string, parameter: string, value: number) => ({
  ...{ device, parameter, value, flag: 1 },
  ...{ ts: `2026-11-29T11:00:0${at}Z`, receivedAt: `2026-11-29T12:00:0${at}Z` },
});

describe('what came in', () => {
  it('stands by message, newest arrival first, each with an id of its own', () => {
    const items = newsOfReadings([
      reading('udara-01', '1', 'pm25', 10),
      reading('udara-02', '3', 'pm25', 20),
      reading('udara-01', '1', 'pm10', 30),
    ]);
    expect(items.map(({ device, readings }) => [device, readings.map(({ value }) => value)])).toEqual([
      ['udara-02', [20]],
      ['udara-01', [10, 30]],
    ]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(2);
  });

  it.each([
    ['readings', { device: 'a', receivedAt: 'x', readings: [{ parameter: 'pm25', value: 1, flag: 1 }] }],
    ['heartbeat', { device: 'a', receivedAt: 'x', type: 'heartbeat', state: 'up' }],
    ['event', { device: 'a', receivedAt: 'x', type: 'event', name: 'reboot' }],
  ])('is a line of %s', (kind, data) => {
    expect(newsOf(1, data)).toMatchObject({ kind, device: 'a', at: 'x' });
  });

  it('is no news without a device', () => {
    expect(newsOf(1, { receivedAt: 'x' })).toBeUndefined();
  });
});
