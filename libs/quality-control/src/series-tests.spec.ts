import { HOUR, MINUTE, SECOND, type Millis } from '#libs/kernel';
import type { MeasuredParameter } from '#libs/telemetry';
import fc from 'fast-check';
import { combineResults, resultOf } from './flags.js';
import { QC_LIMITS_V1 } from './limits/limits.js';
import { initialQcState } from './qc-state-form.js';
import type { TimedValue } from './sample.js';
import { checkSeries } from './series.js';
import { every, steps, stored, T0 } from './series.fixture.js';

describe('the spike test', () => {
  it.each([
    ['pm25', 20, 70, '1'],
    ['pm25', 20, 70.1, '3 spike'],
    ['pm25', 20, 170, '3 spike'],
    ['pm25', 20, 170.1, '4 rate_of_change spike'],
    ['pm10', 20, 120.1, '3 spike'],
    ['pm10', 20, 320.1, '4 rate_of_change spike'],
    ['co', 500, 5_501, '3 spike'],
    ['co', 500, 15_501, '4 rate_of_change spike'],
    ['no2', 20, 121, '3 spike'],
    ['o3', 20, 321, '4 rate_of_change spike'],
    ['temperature', 28, 31.1, '3 spike'],
    ['temperature', 28, 21.9, '4 rate_of_change spike'],
    ['humidity', 70, 54, '3 spike'],
    ['humidity', 60, 91, '4 rate_of_change spike'],
  ] as const)('of %s finds %p, %p and back to be: %s', (parameter, base, peak, expected) => {
    expect(stored(every(MINUTE, [base, base, peak, base]), parameter)).toEqual(['1', '1', expected, '1']);
  });

  it('amends the value before when the next one comes, and says until then that it was not evaluated', () => {
    const [, , peak, back] = steps(every(MINUTE, [20, 21, 120, 22]), 'pm25');
    expect(peak).toMatchObject({ result: { flag: 1 }, notEvaluated: ['spike', 'saturation'] });
    expect(peak).not.toHaveProperty('amended');
    expect(back?.amended).toEqual({
      ts: T0 + 2 * MINUTE,
      value: 120,
      result: { flag: 3, failed: ['spike'] },
    });
  });

  it('keeps what other tests said of the amended value', () => {
    let { state } = checkSeries(initialQcState, { ts: T0, value: 20 }, 'pm25');
    const others = combineResults([resultOf('clock', 3), resultOf('cross_parameter', 1)]);
    ({ state } = checkSeries(state, { ts: T0 + MINUTE, value: 120 }, 'pm25', QC_LIMITS_V1, { others }));
    const { amended } = checkSeries(state, { ts: T0 + 2 * MINUTE, value: 20 }, 'pm25');
    expect(amended?.result).toEqual({ flag: 3, failed: ['clock', 'spike'] });
  });

  it('does not eat the first minutes of a fire', () => {
    const fire = [30, 32, 170, 290, 280, 420, 380, 390];
    for (const flags of stored(every(MINUTE, fire), 'pm25')) expect(flags).not.toContain('spike');
    // A step as high as the sky is suspect by its rate, once; never failed.
    expect(stored(every(MINUTE, [30, 32, 400, 390, 395]), 'pm25')).toEqual([
      '1',
      '1',
      '3 rate_of_change',
      '1',
      '1',
    ]);
  });

  it('compares the good values around a spike with each other', () => {
    expect(stored(every(MINUTE, [20, 20.1, 400, 20.2, 400, 20.3, 20.4]), 'pm25')).toEqual([
      '1',
      '1',
      '4 rate_of_change spike',
      '1',
      '4 rate_of_change spike',
      '1',
      '1',
    ]);
  });

  it('is not evaluated when the neighbours are more than ten minutes apart', () => {
    expect(stored(every(5 * MINUTE, [20, 100, 20]), 'pm25')).toEqual(['1', '3 spike', '1']);
    expect(stored(every(5 * MINUTE + 1, [20, 100, 20]), 'pm25')).toEqual(['1', '1', '1']);
    expect(stored(every(HOUR, [20, 400, 20]), 'pm25')).toEqual(['1', '1', '1']);
  });

  it('never takes a linear ramp for spikes', () => {
    const slope = fc.double({ min: -400, max: 400, noNaN: true });
    fc.assert(
      fc.property(
        slope,
        fc.double({ min: 0, max: 1_000, noNaN: true }),
        fc.integer({ min: 3, max: 50 }),
        (m, b, n) => {
          const ramp = every(
            MINUTE,
            Array.from({ length: n }, (_, i) => b + m * i),
          );
          for (const { amended } of steps(ramp, 'pm25')) expect(amended).toBeUndefined();
        },
      ),
    );
  });
});

describe('the rate of change test', () => {
  it('holds per minute: a longer way may be further, a shorter one is judged as a minute', () => {
    const pair = (interval: Millis, change: number): string =>
      stored(every(interval, [20, 20 + change]), 'pm25')[1]!;
    expect(pair(MINUTE, 150)).toBe('1');
    expect(pair(MINUTE, 150.1)).toBe('3 rate_of_change');
    expect(pair(2 * MINUTE, 300)).toBe('1');
    expect(pair(2 * MINUTE, 300.1)).toBe('3 rate_of_change');
    expect(pair(SECOND, 150)).toBe('1');
    expect(pair(10 * MINUTE + 1, 400)).toBe('1');
  });

  it('is suspect at most', () => {
    expect(stored(every(MINUTE, [0, 499]), 'pm25')).toEqual(['1', '3 rate_of_change']);
  });
});

describe('the flat line test', () => {
  /** How many minutes or hours a constant series lasts until it is suspect, and until it failed. */
  function onsets(interval: Millis, value: number, parameter: MeasuredParameter): readonly (number | null)[] {
    const samples = every(interval, Array<number>(1_500).fill(value));
    const flags = steps(samples, parameter).map(({ result }) => result);
    return ([3, 4] as const).map((flag) => {
      const first = flags.findIndex(
        (result) => result.flag === flag && result.failed.some((test) => test !== 'gross_range'),
      );
      return first === -1 ? null : (samples[first]!.ts - T0) / MINUTE;
    });
  }

  it.each([
    ['pm25', 12, 30, 180],
    ['pm10', 20, 30, 180],
    ['co', 500, 30, 180],
    ['no2', 20, 30, 180],
    ['o3', 60, 30, 180],
    ['so2', 10, 30, 180],
    ['hc', 50, 30, 180],
    ['temperature', 28, 120, 360],
    ['humidity', 70, 180, 720],
  ] as const)('flags a constant %s of %p after %p and %p minutes', (parameter, value, suspect, fail) => {
    expect(onsets(MINUTE, value, parameter)).toEqual([suspect, fail]);
  });

  it.each([
    [5 * MINUTE, 55, 180],
    [HOUR, 11 * 60, 23 * 60],
  ])('waits for 12 and 24 values when one comes every %p ms', (interval, suspect, fail) => {
    expect(onsets(interval, 12, 'pm25')).toEqual([suspect, fail]);
  });

  it('leaves saturated humidity to the saturation test, which is patient for a night and never fails', () => {
    expect(onsets(MINUTE, 99.9, 'humidity')).toEqual([12 * 60, null]);
    const day = every(MINUTE, [...Array<number>(700).fill(99.9), 97, ...Array<number>(700).fill(99.9)]);
    expect(new Set(stored(day, 'humidity'))).toEqual(new Set(['1']));
  });

  it('ends with the smallest step that a sensor can show, and with a drift of smaller ones', () => {
    const ticking = Array.from({ length: 400 }, (_, i) => 12 + (i % 2) / 10);
    const drifting = Array.from({ length: 400 }, (_, i) => 12 + i / 500);
    expect(new Set(stored(every(MINUTE, ticking), 'pm25'))).toEqual(new Set(['1']));
    expect(new Set(stored(every(MINUTE, drifting), 'pm25'))).toEqual(new Set(['1']));
  });

  it('starts anew after a silence of more than two hours, not after a shorter one', () => {
    const around = (silence: Millis): TimedValue[] => [
      ...every(MINUTE, Array<number>(100).fill(12)),
      ...every(MINUTE, Array<number>(20).fill(12)).map(({ ts, value }) => ({
        ts: ts + 99 * MINUTE + silence,
        value,
      })),
    ];
    expect(stored(around(2 * HOUR), 'pm25').at(-1)).toBe('4 flat_line');
    expect(stored(around(2 * HOUR + 1), 'pm25').at(-1)).toBe('1');
  });

  it('flags a constant series exactly from its durations on, whatever the value and interval', () => {
    const { flatLine } = QC_LIMITS_V1.pm25;
    const value = fc.double({ min: 0, max: 500, noNaN: true });
    fc.assert(
      fc.property(value, fc.integer({ min: SECOND, max: 90 * MINUTE }), (constant, interval) => {
        steps(every(interval, Array<number>(40).fill(constant)), 'pm25').forEach(({ result }, i) => {
          const lasted = i * interval;
          const failed = lasted >= flatLine!.failAfter && i + 1 >= flatLine!.failSamples;
          const suspect = lasted >= flatLine!.suspectAfter && i + 1 >= flatLine!.suspectSamples;
          expect(result.flag).toBe(failed ? 4 : suspect ? 3 : 1);
        });
      }),
    );
  });
});
