import { HOUR, MINUTE, SECOND } from '#libs/kernel';
import { withMeasurement, type Pace } from './pace-form.js';
import { unkeptIntervalOf } from './pace.js';

const DEVICE = { id: 'udara-01', intervalMs: MINUTE };
const paceOf = (instants: readonly number[]): Pace | undefined =>
  instants.reduce<Pace | undefined>(withMeasurement, undefined);
const every = (ms: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => 1_000 + i * ms);

describe('the pace of a device', () => {
  it.each([
    ['hourly readings of a device that is registered with a minute', HOUR, '1h'],
    ['readings every five minutes', 5 * MINUTE, '5m'],
    ['readings every ten seconds', 10 * SECOND, '10s'],
    ['readings every 58 minutes', 58 * MINUTE, '1h'],
  ])('names %s and offers the interval', (_what, ms, interval) => {
    expect(unkeptIntervalOf(DEVICE, paceOf(every(ms, 12)))).toMatchObject({
      registeredMs: MINUTE,
      observedMs: ms,
      message: expect.stringContaining(`every ${interval}`),
      remedy: `npm run -s pantau -- device set udara-01 --interval ${interval}`,
    });
  });

  it('says nothing of one that is kept, of lost messages, late ones and repetitions', () => {
    expect(unkeptIntervalOf(DEVICE, paceOf(every(MINUTE, 12)))).toBeUndefined();
    // Every other one is lost.
    expect(unkeptIntervalOf(DEVICE, paceOf(every(2 * MINUTE, 12)))).toBeUndefined();
    // An outage in between.
    const outage = [...every(MINUTE, 6), ...every(MINUTE, 6).map((ts) => ts + 5 * HOUR)];
    expect(unkeptIntervalOf(DEVICE, paceOf(outage))).toBeUndefined();
    // What comes late, and twice.
    const mixed = every(MINUTE, 12).flatMap((ts) => [ts, ts, ts - 30 * MINUTE]);
    expect(unkeptIntervalOf(DEVICE, paceOf(mixed))).toBeUndefined();
  });

  it('says nothing before there are readings enough', () => {
    expect(unkeptIntervalOf(DEVICE, paceOf(every(HOUR, 9)))).toBeUndefined();
    expect(unkeptIntervalOf(DEVICE, undefined)).toBeUndefined();
  });
});
