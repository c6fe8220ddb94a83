import { HOUR, MINUTE, SECOND, type Millis } from '#libs/kernel';
import { MEASURED_CODES, type MeasuredParameter } from '#libs/telemetry';
import fc from 'fast-check';
import { combineResults, resultOf } from './flags.js';
import { QC_LIMITS_V1 } from './limits/limits.js';
import { initialQcState, lastOf, type QcState } from './qc-state-form.js';
import type { Sample } from './sample.js';
import { checkSeries, SERIES_TESTS, type SeriesContext, type SeriesStep } from './series.js';

const T0 = Date.parse('2026-08-01T00:00:00Z');

/** Values one interval apart. */
function every(interval: Millis, values: readonly number[]): Sample[] {
  return values.map((value, i) => ({ ts: T0 + i * interval, value }));
}

function steps(
  samples: readonly Sample[],
  parameter: MeasuredParameter,
  context?: SeriesContext,
): SeriesStep[] {
  let state = initialQcState;
  return samples.map((sample) => {
    const step = checkSeries(state, sample, parameter, QC_LIMITS_V1, context);
    state = step.state;
    return step;
  });
}

/** What a store holds in the end: by instant the flag and the failed tests, amended where a later value said so. */
function stored(samples: readonly Sample[], parameter: MeasuredParameter, context?: SeriesContext): string[] {
  const flags = new Map<number, string>();
  steps(samples, parameter, context).forEach(({ result, amended }, i) => {
    flags.set(samples[i]!.ts, [result.flag, ...result.failed].join(' '));
    if (amended) flags.set(amended.ts, [amended.result.flag, ...amended.result.failed].join(' '));
  });
  return [...flags.values()];
}

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
    const around = (silence: Millis): Sample[] => [
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

describe('a value that is said again', () => {
  const repeatsWithin = HOUR;
  const twentySeconds = (value: (i: number) => number, messages: number): Sample[] =>
    every(
      20 * SECOND,
      Array.from({ length: messages }, (_, i) => value(i)),
    );

  it('is no new measurement: neither of a flat line nor beside a spike nor of a fast change', () => {
    const flat = twentySeconds(() => 12, 600);
    expect(new Set(stored(flat, 'pm25', { repeatsWithin }))).toEqual(new Set(['1']));
    expect(stored(flat, 'pm25').at(-1)).toBe('4 flat_line');
    const spike = twentySeconds((i) => (i >= 3 && i < 6 ? 400 : 20), 9);
    expect(stored(spike, 'pm25', { repeatsWithin })[3]).toBe('4 rate_of_change spike');
    const slow = twentySeconds((i) => (i < 60 ? 20 : 300), 61);
    expect(stored(slow, 'pm25', { repeatsWithin })[60]).toBe('1');
    expect(stored(slow, 'pm25')[60]).toBe('3 rate_of_change');
  });

  it('counts again when the time is over in which it may be a repetition', () => {
    const flags = stored(
      twentySeconds(() => 12, 2_000),
      'pm25',
      { repeatsWithin: 10 * MINUTE },
    );
    // The twelfth measurement comes after 110 minutes, the twenty-fourth after 230.
    expect(flags.indexOf('3 flat_line')).toBe(110 * 3);
    expect(flags.indexOf('4 flat_line')).toBe(230 * 3);
  });

  it('stays as saturated as what it repeats has become', () => {
    const wet = twentySeconds(() => 99.9, 13 * 180);
    expect(stored(wet, 'humidity', { repeatsWithin }).indexOf('3 saturation')).toBe(12 * 180);
  });
});

describe('checkSeries', () => {
  it('judges a late value by its range alone and leaves the state as it is', () => {
    const { state } = steps(every(MINUTE, [20, 21, 22]), 'pm25').at(-1)!;
    for (const [value, flag] of [
      [300, 1],
      [501, 3],
      [10_001, 4],
    ] as const) {
      const step = checkSeries(state, { ts: T0 + 30 * SECOND, value }, 'pm25');
      expect(step.state).toBe(state);
      expect(step).toMatchObject({ result: { flag }, notEvaluated: SERIES_TESTS });
    }
  });

  it('takes a number from outside the range of the instrument for no witness', () => {
    expect(stored(every(MINUTE, [20, 21, -200, 22, 21]), 'pm25')).toEqual([
      '1',
      '1',
      '4 gross_range',
      '1',
      '1',
    ]);
  });

  it('gives a repeated value the same answer, also when it was amended meanwhile', () => {
    const samples = every(MINUTE, [20, 20.1, 400, 20.2]);
    const { state } = steps(samples, 'pm25').at(-1)!;
    const again = checkSeries(state, samples[2]!, 'pm25');
    expect(again.state).toBe(state);
    expect(again.result).toEqual({ flag: 4, failed: ['rate_of_change', 'spike'] });
    expect(checkSeries(state, samples[3]!, 'pm25').result).toEqual({ flag: 1, failed: [] });
  });

  describe('of an instant that is remembered', () => {
    const at = (minute: number, value: number): Sample => ({ ts: T0 + minute * MINUTE, value });
    const PREFIX = every(MINUTE, [19, 20]);
    const flagsOf = (...later: Sample[]): string[] => stored([...PREFIX, ...later], 'pm25').slice(1);

    it.each([
      ['a correction of the last value', [at(2, 300), at(2, 22), at(3, 21)], ['1', '1', '1']],
      [
        'a correction that is a spike',
        [at(2, 22), at(2, 300), at(3, 21)],
        ['1', '4 rate_of_change spike', '1'],
      ],
      ['a correction of a correction', [at(2, 22), at(2, 300), at(2, 23), at(3, 21)], ['1', '1', '1']],
      ['a correction beyond the range', [at(2, 300), at(2, -200), at(3, 21)], ['1', '4 gross_range', '1']],
      [
        'a correction that shows that the value before was no spike',
        [at(2, 300), at(3, 21), at(3, 310)],
        ['1', '3 rate_of_change', '1'],
      ],
      [
        'one beyond the range, which shows nothing of the value before',
        [at(2, 300), at(3, 21), at(3, -200), at(4, 305)],
        ['1', '3 rate_of_change', '4 gross_range', '1'],
      ],
      [
        'a correction after the value was found to be a spike',
        [at(2, 300), at(3, 21), at(2, 22), at(3, 21.5), at(4, 22)],
        ['1', '1', '1', '1'],
      ],
      [
        'a correction of a spike to another one',
        [at(2, 300), at(3, 21), at(2, 100), at(4, 22)],
        ['1', '3 spike', '1', '1'],
      ],
    ] as const)('takes %s', (_what, later, expected) => {
      expect(flagsOf(...later)).toEqual(expected);
    });

    it('goes on with a run that the corrected value belongs to, without counting it twice', () => {
      const stuck = every(MINUTE, Array<number>(40).fill(12)).flatMap((each) => [
        { ...each, value: 12.01 },
        each,
      ]);
      const flags = stored(stuck, 'pm25');
      expect(flags.indexOf('3 flat_line')).toBe(30);
    });

    it('amends only what is stored', () => {
      const sequence = fc.array(
        fc.record({
          ts: fc.integer({ min: 0, max: 12 }).map((i) => T0 + i * MINUTE),
          value: fc.constantFrom(-200, 20, 21, 60, 100, 300, 320, 501, 10_001, NaN),
        }),
        { minLength: 2, maxLength: 40 },
      );
      fc.assert(
        fc.property(sequence, (all) => {
          const values = new Map<number, number>();
          let state = initialQcState;
          for (const next of all) {
            const step = checkSeries(state, next, 'pm25');
            values.set(next.ts, next.value);
            if (step.amended) expect(step.amended.value).toBe(values.get(step.amended.ts));
            state = step.state;
          }
        }),
        { numRuns: 2_000 },
      );
    });
  });

  const sample = fc.record({
    ts: fc.oneof(
      fc.integer({ min: 0, max: 60 }).map((i) => T0 + i * MINUTE),
      fc.double(),
    ),
    value: fc.oneof(
      fc.constantFrom(0, 12, 99.9, 500, -200, NaN, Infinity),
      fc.double({ min: -10, max: 1_100, noNaN: true }),
    ),
  });
  const samples = fc.array(sample, { maxLength: 60 });
  const parameter = fc.constantFrom(...MEASURED_CODES);

  it('has an answer to any sequence, and amends only the value before: to a spike, or back', () => {
    fc.assert(
      fc.property(samples, parameter, (sequence, code) => {
        let state: QcState = initialQcState;
        for (const next of sequence) {
          const step = checkSeries(state, next, code);
          expect([1, 3, 4]).toContain(step.result.flag);
          expect(step.result.failed.length > 0).toBe(step.result.flag !== 1);
          const last = lastOf(state);
          if (step.amended && next.ts !== last?.ts) {
            expect(step.amended).toMatchObject({ ts: last?.ts, value: last?.value });
            expect(step.amended.result.flag).toBeGreaterThanOrEqual(last!.result.flag);
            expect(step.amended.result.failed).toContain('spike');
          } else if (step.amended) expect(step.amended.ts).toBeLessThan(next.ts);
          state = step.state;
        }
      }),
    );
  });

  it('is not moved by what is late, repeated or impossible', () => {
    fc.assert(
      fc.property(samples, parameter, (sequence, code) => {
        let state: QcState = initialQcState;
        const instants = new Set<number>();
        for (const next of sequence) {
          // Another value of a remembered instant replaces it: see above.
          if (instants.has(next.ts)) continue;
          instants.add(next.ts);
          const step = checkSeries(state, next, code);
          const { fail } = QC_LIMITS_V1[code].range;
          const moves =
            Number.isFinite(next.ts) &&
            next.ts > (lastOf(state)?.ts ?? -Infinity) &&
            next.value >= fail[0] &&
            next.value <= fail[1];
          // A negative zero is remembered as zero: see below.
          if (moves) expect(lastOf(step.state)).toMatchObject({ ts: next.ts + 0, value: next.value + 0 });
          else expect(step.state).toBe(state);
          state = step.state;
        }
      }),
    );
  });

  it('remembers a negative zero as zero, as JSON does', () => {
    const { state } = checkSeries(initialQcState, { ts: 1, value: -0 }, 'pm25');
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  it('gives the same flags again, also from a state that was stored as JSON in between', () => {
    fc.assert(
      fc.property(samples, parameter, (sequence, code) => {
        let state: QcState = initialQcState;
        const restarted = sequence.map((next) => {
          const step = checkSeries(JSON.parse(JSON.stringify(state)) as QcState, next, code);
          state = step.state;
          return step;
        });
        expect(restarted).toEqual(steps(sequence, code));
      }),
    );
  });
});
