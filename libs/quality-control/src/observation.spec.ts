import { MINUTE } from '#libs/kernel';
import { QC_LIMITS_V1 } from './limits/limits.js';
import { judgeObservation, type JudgedObservation } from './observation.js';

const limits = QC_LIMITS_V1;
const run = (...values: number[]): JudgedObservation[] => {
  const states = new Map();
  return values.map((value, i) =>
    judgeObservation(states, i * MINUTE, [{ parameter: 'pm25', value }], limits),
  );
};

describe('judgeObservation', () => {
  it('flags each value of an instant, and those that contradict each other', () => {
    const { readings } = judgeObservation(
      new Map(),
      0,
      [
        { parameter: 'pm25', value: 30 },
        { parameter: 'pm10', value: 20 },
        { parameter: 'humidity', value: 150 },
      ],
      limits,
    );
    expect(readings).toEqual([
      { parameter: 'pm25', value: 30, flag: 3, failed: ['cross_parameter'] },
      { parameter: 'pm10', value: 20, flag: 3, failed: ['cross_parameter'] },
      { parameter: 'humidity', value: 150, flag: 4, failed: ['gross_range'] },
    ]);
  });

  it('says of a spike that it was one when the next value comes', () => {
    const [, spike, next] = run(12, 400, 13);
    expect(spike!.readings[0]!.flag).toBe(3);
    expect(next!.readings).toEqual([{ parameter: 'pm25', value: 13, flag: 1 }]);
    expect(next!.amendments).toEqual([
      {
        ts: MINUTE,
        reading: { parameter: 'pm25', value: 400, flag: 4, failed: expect.arrayContaining(['spike']) },
      },
    ]);
  });

  it('makes everything of a wrong clock suspect and keeps it out of the series', () => {
    const states = new Map();
    judgeObservation(states, 0, [{ parameter: 'pm25', value: 12 }], limits);
    const before = new Map(states);
    const wrong = judgeObservation(states, MINUTE, [{ parameter: 'pm25', value: 400 }], limits, {
      clockIsWrong: true,
    });
    expect(wrong.readings).toEqual([{ parameter: 'pm25', value: 400, flag: 3, failed: ['clock'] }]);
    expect(states).toEqual(before);
    expect(wrong.amendments).toEqual([]);
  });

  it('forgets a value that another one of a wrong clock replaces, so that no amendment brings it back', () => {
    const states = new Map();
    const at = (minute: number, value: number, isWrong = false): JudgedObservation =>
      judgeObservation(states, minute * MINUTE, [{ parameter: 'pm25', value }], limits, {
        clockIsWrong: isWrong,
      });
    at(0, 20);
    at(1, 300);
    at(1, 22, true);
    expect(at(2, 21).amendments).toEqual([]);
  });

  it('believes a device that doubts a value of its own, and keeps that through an amendment', () => {
    const states = new Map();
    const at = (minute: number, value: number, suspect?: string): JudgedObservation =>
      judgeObservation(
        states,
        minute * MINUTE,
        [
          { parameter: 'pm25', value, ...(suspect === undefined ? {} : { suspect }) },
          { parameter: 'temperature', value: 27 + minute / 10 },
        ],
        limits,
      );
    at(0, 12);
    expect(at(1, 400, 'the lasers contradict each other').readings).toMatchObject([
      { flag: 3, failed: expect.arrayContaining(['device']) },
      { parameter: 'temperature', flag: 1 },
    ]);
    expect(at(2, 13).amendments).toMatchObject([
      { reading: { flag: 4, failed: expect.arrayContaining(['spike', 'device']) } },
    ]);
  });
});
