import { localDaySpan } from '#libs/kernel';
import { MEASURED_CODES, type ClockCounts, type ClockDay } from '#libs/telemetry';
import fc from 'fast-check';
import { clockDaysOf, DeviceMemory, type StoredMemory } from './device-memory-form.js';
import { initialQcState, NUMBERS_OF_STATE, numbersOf, stateOfNumbers } from './qc-state-form.js';

const counts: ClockCounts = { messages: 3, withoutTime: 1, wrong: 0, late: 2, skewMaxMs: -5, skewMinMs: -9 };

/** As a data folder holds it. */
const placesOf = (stored: StoredMemory): readonly number[] => stored as unknown as readonly number[];

const COUNTED = stateOfNumbers(Array.from({ length: NUMBERS_OF_STATE }, (_, i) => i + 1));

describe('DeviceMemory', () => {
  const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
  const state = fc
    .array(number, { minLength: NUMBERS_OF_STATE, maxLength: NUMBERS_OF_STATE })
    .map(stateOfNumbers);
  const series = fc.array(fc.tuple(fc.constantFrom(...MEASURED_CODES), state));

  it('remembers of each parameter what was set last, also when it was stored in between', () => {
    fc.assert(
      fc.property(series, (sets) => {
        const expected = new Map(sets);
        let memory = new DeviceMemory();
        for (const [parameter, value] of sets) {
          memory.set(parameter, value);
          memory = new DeviceMemory(memory.stored());
        }
        for (const parameter of MEASURED_CODES)
          expect(memory.get(parameter)).toEqual(expected.get(parameter));
      }),
    );
  });

  it('reads a row that was stored before it remembered instants of repeating messages', () => {
    fc.assert(
      fc.property(series, (sets) => {
        const memory = new DeviceMemory();
        memory.arrivedAt = 5;
        memory.clock = counts;
        for (const [parameter, value] of sets) memory.set(parameter, value);
        const stored = memory.stored();
        const places = placesOf(stored);
        const before = [...places.slice(0, 9), ...places.slice(10)] as unknown as StoredMemory;
        const old = new DeviceMemory(before);
        expect(old.stored()).toEqual(stored);
        expect(old).toMatchObject({ arrivedAt: 5, clock: counts, repeatedAt: 0 });
        old.repeatedAt = 7;
        expect(new DeviceMemory(old.stored()).repeatedAt).toBe(7);
      }),
    );
  });

  it('has places in its own file alone', () => {
    // @ts-expect-error -- a row has a form
    expect(COUNTED[0]).toBe(1);
    // @ts-expect-error -- a row has a form
    expect(new DeviceMemory().stored()[0]).toBe(0);
  });

  it('leaves a state as it was that it was given', () => {
    const memory = new DeviceMemory();
    const given = stateOfNumbers([...numbersOf(initialQcState)]);
    memory.set('pm25', given);
    memory.set('pm25', COUNTED);
    expect(given).toEqual(initialQcState);
    expect(memory.get('pm25')).toEqual(COUNTED);
  });

  it('keeps each parameter in its place in the row, and puts a new one behind the others', () => {
    const first = new DeviceMemory();
    first.set('humidity', initialQcState);
    first.set('pm25', initialQcState);
    const second = new DeviceMemory(first.stored());
    second.get('pm25');
    for (const parameter of ['co', 'pm25', 'pm10', 'co'] as const) second.set(parameter, initialQcState);
    const ofSeries = placesOf(second.stored()).slice(placesOf(new DeviceMemory().stored()).length);
    const codes = ofSeries.filter((_, i) => i % (1 + NUMBERS_OF_STATE) === 0);
    expect(codes.map((code) => MEASURED_CODES[code])).toEqual(['humidity', 'pm25', 'co', 'pm10']);
  });

  it('leaves what it was made of as it was, for a batch that fails', () => {
    const first = new DeviceMemory();
    first.set('pm25', initialQcState);
    const stored = first.stored();
    const before = [...placesOf(stored)];
    const second = new DeviceMemory(stored);
    second.set('pm25', COUNTED);
    second.arrivedAt = 5;
    second.clock = counts;
    second.stored();
    expect(stored).toEqual(before);
  });

  it.each<ClockCounts | undefined>([counts, { ...counts, skewMaxMs: null, skewMinMs: null }, undefined])(
    'keeps the counts of the day %j',
    (clock) => {
      const memory = new DeviceMemory();
      Object.assign(memory, { arrivedAt: 7, dayFrom: 9, clock });
      expect(new DeviceMemory(memory.stored())).toMatchObject({ arrivedAt: 7, dayFrom: 9, clock });
    },
  );

  it('has places for the parameters that stay: stored memories rest on them', () => {
    expect(MEASURED_CODES).toEqual([
      'pm25',
      'pm10',
      'so2',
      'no2',
      'co',
      'o3',
      'hc',
      'temperature',
      'humidity',
    ]);
  });
});

describe('clockDaysOf', () => {
  const day = (date: string, messages: number): ClockDay => ({ day: date, ...counts, messages });
  const memoryOf = (date: string): StoredMemory => {
    const memory = new DeviceMemory();
    Object.assign(memory, { dayFrom: localDaySpan(date)!.from, clock: counts });
    return memory.stored();
  };

  it('puts the day that goes on before those that are over', () => {
    const over = [day('2026-01-01', 8), day('2025-12-31', 9)];
    expect(clockDaysOf(memoryOf('2026-01-02'), over, 2)).toEqual([day('2026-01-02', 3), over[0]]);
    expect(clockDaysOf(undefined, over, 2)).toEqual(over);
  });

  it('counts a day once that went on after the clock was set back, in its place', () => {
    const over = [day('2026-01-02', 1), day('2026-01-01', 2)];
    expect(clockDaysOf(memoryOf('2026-01-01'), over, 30)).toEqual([over[0], day('2026-01-01', 3)]);
  });
});
