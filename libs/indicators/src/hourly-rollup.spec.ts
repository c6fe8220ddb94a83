import { HOUR, MINUTE } from '#libs/kernel';
import { standingOf } from '#libs/quality-control';
import { hourlyRollup, type Sample } from './hourly-rollup.js';

const sample = (ts: number, value: number): Sample => ({
  ...{ ts, value, flag: 1, standing: standingOf({ flag: 1 }), shard: 0, offset: 0 },
});

describe('an hour in which the promised interval changed', () => {
  it('counts and weighs each value by the interval of its time', () => {
    // A quarter of an hour up to the middle of the hour, five minutes from then on.
    const promised = [
      { from: -HOUR, intervalMs: 15 * MINUTE },
      { from: 30 * MINUTE, intervalMs: 5 * MINUTE },
    ];
    const kept = [0, 15, 30, 35, 40, 45, 50, 55].map((minute) => sample(minute * MINUTE, minute));
    const whole = { expected: 8, received: 8, valid: 8, covered: 1, isValid: true };
    expect(hourlyRollup(0, kept, promised)).toMatchObject(whole);
    const mean = (15 * (0 + 15) + 5 * (30 + 35 + 40 + 45 + 50 + 55)) / 60;
    expect(hourlyRollup(0, kept, promised).mean).toBeCloseTo(mean);
    // A few minutes of phase and a second of jitter lose nothing either.
    const late = kept.map(({ ts }, i) => sample(ts + 4 * MINUTE + (i % 2) * 1_000, 7));
    expect(hourlyRollup(0, late, promised)).toMatchObject({ expected: 8, received: 8 });
    // What goes on as before falls short by what the new interval promises.
    const asBefore = [0, 15, 30, 45].map((minute) => sample(minute * MINUTE, 7));
    expect(hourlyRollup(0, asBefore, promised)).toMatchObject({ expected: 8, received: 4, covered: 40 / 60 });
    // The other way round, from seldom to never less.
    const slower = [
      { from: -HOUR, intervalMs: MINUTE },
      { from: 20 * MINUTE, intervalMs: 10 * MINUTE },
    ];
    const both = [...Array.from({ length: 20 }, (_, i) => i), 20, 30, 40, 50].map((m) =>
      sample(m * MINUTE, 1),
    );
    expect(hourlyRollup(0, both, slower)).toMatchObject({ expected: 24, received: 24, covered: 1 });
  });
});
