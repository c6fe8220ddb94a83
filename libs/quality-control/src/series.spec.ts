import { HOUR, MINUTE, SECOND } from '#libs/kernel';
import { MEASURED_CODES } from '#libs/telemetry';
import fc from 'fast-check';
import { QC_LIMITS_V1 } from './limits/limits.js';
import { initialQcState, lastOf, type QcState } from './qc-state-form.js';
import type { TimedValue } from './sample.js';
import { checkSeries, SERIES_TESTS } from './series.js';
import { every, steps, stored, T0 } from './series.fixture.js';

describe('a value that is said again', () => {
  const repeatsWithin = HOUR;
  const twentySeconds = (value: (i: number) => number, messages: number): TimedValue[] =>
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
    const at = (minute: number, value: number): TimedValue => ({ ts: T0 + minute * MINUTE, value });
    const PREFIX = every(MINUTE, [19, 20]);
    const flagsOf = (...later: TimedValue[]): string[] => stored([...PREFIX, ...later], 'pm25').slice(1);

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
