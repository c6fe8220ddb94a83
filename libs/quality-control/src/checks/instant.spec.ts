import { MINUTE, SECOND } from '#libs/kernel';
import fc from 'fast-check';
import { clockCheck } from './clock.js';
import { crossParameter, humidityInfluence } from './cross-parameter.js';
import { QC_LIMITS_V1, startingLimits } from '../limits/limits.js';
import { neighbourConsensus, type NeighbourReading } from './neighbours.js';

describe('crossParameter', () => {
  it.each([
    [{ pm25: 20, pm10: 20 }, 1],
    [{ pm25: 21.9, pm10: 20 }, 1],
    [{ pm25: 22.1, pm10: 20 }, 3],
    [{ pm25: 1, pm10: 0 }, 3],
    [{ pm25: 20 }, 2],
    [{ pm10: 20 }, 2],
    [{ pm25: NaN, pm10: 20 }, 2],
    [{}, 2],
  ] as const)('flags both of %p as %p', (values, flag) => {
    const result = { flag, failed: flag === 3 ? ['cross_parameter'] : [] };
    expect(crossParameter(values)).toEqual(result);
  });
});

describe('humidityInfluence', () => {
  const on = { ...QC_LIMITS_V1, pm25: startingLimits('pm25') };

  it('is off unless it was turned on for a parameter', () => {
    expect(humidityInfluence('pm25', { humidity: 100 })).toEqual({ flag: 2, failed: [] });
    expect(humidityInfluence('pm10', { humidity: 100 }, on)).toEqual({ flag: 2, failed: [] });
  });

  it.each([
    [94.9, 1],
    [95, 3],
    [NaN, 2],
  ] as const)('turned on, flags PM2.5 at %p %% as %p', (humidity, flag) => {
    expect(humidityInfluence('pm25', { humidity }, on).flag).toBe(flag);
    expect(humidityInfluence('pm25', {}, on).flag).toBe(2);
  });
});

const near = (...values: number[]): NeighbourReading[] =>
  values.map((value, i) => ({ value, distanceKm: i + 1 }));

describe('neighbourConsensus', () => {
  it.each([
    ['agrees', 40, near(30, 35, 45), 1],
    ['is high alone', 200, near(30, 35, 45), 3],
    ['is low alone', 20, near(180, 200, 210), 3],
    ['is high, but not by a multiple', 200, near(90, 100, 110), 1],
    ['is a multiple, but of little', 40, near(5, 6, 7), 1],
    ['is high, but so different are the neighbours', 300, near(20, 90, 220), 1],
    ['is high beside one broken neighbour', 300, near(30, 35, 40, 999), 3],
    ['has two neighbours only', 400, near(30, 35), 2],
    ['is no number', NaN, near(30, 35, 45), 2],
  ] as const)('of a PM2.5 that %s: %p', (_what, value, neighbours, flag) => {
    expect(neighbourConsensus(value, neighbours, 'pm25')).toMatchObject({
      flag,
      failed: flag === 3 ? ['neighbour'] : [],
    });
  });

  it('takes a temperature by its distance alone', () => {
    expect(neighbourConsensus(35, near(28, 28.5, 29), 'temperature').flag).toBe(3);
    expect(neighbourConsensus(34, near(28, 28.5, 29), 'temperature').flag).toBe(1);
  });

  it('says how many it asked and what their median is, also where they are too few', () => {
    expect(neighbourConsensus(40, near(30, 35, 45, 46), 'pm25')).toMatchObject({ count: 4, median: 40 });
    expect(neighbourConsensus(40, near(30), 'pm25')).toMatchObject({ flag: 2, count: 1, median: 30 });
    expect(neighbourConsensus(40, [], 'pm25')).toMatchObject({ flag: 2, count: 0, median: null });
  });

  it('does not ask devices that are far away', () => {
    const far = near(30, 35, 45).map(({ value }) => ({ value, distanceKm: 25.1 }));
    expect(neighbourConsensus(400, far, 'pm25').flag).toBe(2);
  });

  const reading = fc.record({
    value: fc.double({ min: -10, max: 1_000 }),
    distanceKm: fc.double({ min: 0, max: 50, noNaN: true }),
  });

  it('never fails a value, does not depend on the order of the neighbours, and never doubts their median', () => {
    fc.assert(
      fc.property(fc.double(), fc.array(reading, { maxLength: 8 }), (value, neighbours) => {
        const { flag } = neighbourConsensus(value, neighbours, 'pm25');
        expect([1, 2, 3]).toContain(flag);
        expect(neighbourConsensus(value, neighbours.toReversed(), 'pm25').flag).toBe(flag);
        const values = neighbours.map((each) => each.value).filter(Number.isFinite);
        const middle = values.toSorted((a, b) => a - b)[(values.length - 1) / 2];
        if (middle === undefined) return;
        const all = values.map((each) => ({ value: each, distanceKm: 1 }));
        expect(neighbourConsensus(middle, all, 'pm25').flag).not.toBe(3);
      }),
    );
  });
});

describe('clockCheck', () => {
  const arrival = Date.parse('2026-08-01T00:00:00Z');
  it.each([
    [0, 'ok', 1],
    [MINUTE, 'ok', 1],
    [MINUTE + 1, 'ahead', 3],
    [-10 * MINUTE, 'ok', 1],
    [-10 * MINUTE - 1, 'late', 1],
    [-90 * 24 * 60 * MINUTE, 'late', 1],
  ] as const)('calls a skew of %p ms %s', (skew, state, flag) => {
    const result = { flag, failed: flag === 3 ? ['clock_ahead'] : [] };
    expect(clockCheck(arrival + skew, arrival)).toEqual({ state, skew, result });
  });

  it('takes other limits, and has no opinion on what is no time', () => {
    expect(clockCheck(arrival + 31 * SECOND, arrival, { maxAhead: 30 * SECOND, lateAfter: 0 }).state).toBe(
      'ahead',
    );
    expect(clockCheck(NaN, arrival).result.flag).toBe(2);
  });
});
