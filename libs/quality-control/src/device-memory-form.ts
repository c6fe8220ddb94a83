import { fnv1a, localDateOf, type Row, type UtcMillis } from '#libs/kernel';
import { MEASURED_CODES, type ClockCounts, type ClockDay, type MeasuredParameter } from '#libs/telemetry';
import type { QcStates } from './observation.js';
import {
  initialQcState,
  NUMBERS_OF_STATE,
  numbersOf,
  stateOfNumbers,
  type QcState,
} from './qc-state-form.js';

/** The sensor of a parameter that has no name of its own, or the parameter's: as {@link DeviceMemory.sensor} gives it. */
export const OWN_NAME = 1;

/** The number of a sensor's name. Two names of one number are one in four thousand million. */
export function sensorNumber(parameter: MeasuredParameter, name: string): number {
  return name === parameter ? OWN_NAME : OWN_NAME + 1 + fnv1a(name);
}

/**
 * A memory as it is stored: a row of numbers. First what is remembered of the device, at the places below, then for each
 * parameter that it reported its place among the {@link MEASURED_CODES} with the sensor that its series is of, and its
 * {@link QcState}.
 */
export type StoredMemory = Row<'memory of a device'>;

type Places = readonly number[];

/** Whether it is a row of numbers that holds at least what is remembered of the device. */
export function isStoredMemory(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length >= SERIES_ONCE && value.every((place) => typeof place === 'number')
  );
}

const ARRIVED_AT = 0;
const DAY_FROM = 1;
const MESSAGES = 2;
const WITHOUT_TIME = 3;
const WRONG = 4;
const LATE = 5;
/** 1 when there are skews. */
const HAS_SKEW = 6;
const SKEW_MAX = 7;
const SKEW_MIN = 8;
const REPEATED_AT = 9;
/** Where the first parameter stands. */
const SERIES = 10;
const NUMBERS_PER_SERIES = 1 + NUMBERS_OF_STATE;
/** The place is below it, the sensor counts above: rows from before there were sensors have none. */
const SENSOR = 16;
/** Where it stood when no instant of a repeating message was remembered. */
const SERIES_ONCE = 9;

/**
 * What a device's own earlier messages mean for the next one.
 *
 * Every device that sends anything has its memory read and written anew with every batch, so one row of numbers it is:
 * objects within objects take longer to write than a message takes to be judged.
 */
export class DeviceMemory implements QcStates {
  /** The last instant that was given to a message without a time of its own; 0 before the first. */
  arrivedAt: UtcMillis;
  /** When the day of the ledger of clocks began that goes on; what it holds moves to the ledger when another one begins. */
  dayFrom: UtcMillis;
  clock: ClockCounts | undefined;
  /** The newest instant of a message that repeats what was said before; 0 before the first. */
  repeatedAt: UtcMillis;
  /** The series that are new here are of sensors without a name of their own. */
  hasOwnNames = false;
  #hasOtherSensors: boolean | undefined;
  readonly #sensors = new Map<MeasuredParameter, number>();
  /** The parameters that were asked for or set: rows of its own, which a new state is written into. */
  readonly #series = new Map<MeasuredParameter, number[]>();
  private readonly before: Places;

  /** @param stored - is left as it is */
  constructor(stored?: StoredMemory) {
    const before = stored === undefined ? NOTHING_REMEMBERED : placesOf(stored);
    this.before = inTodaysForm(before);
    this.arrivedAt = before[ARRIVED_AT] ?? 0;
    this.dayFrom = before[DAY_FROM] ?? 0;
    this.clock = clockOf(before);
    this.repeatedAt = this.before[REPEATED_AT] ?? 0;
  }

  /** @returns the state until another one is set */
  get(parameter: MeasuredParameter): QcState | undefined {
    const known = this.#series.get(parameter);
    if (known !== undefined) return stateOfNumbers(known);
    const at = placeOf(parameter, this.before);
    if (at === this.before.length) return undefined;
    const state = this.before.slice(at + 1, at + NUMBERS_PER_SERIES);
    this.#series.set(parameter, state);
    return stateOfNumbers(state);
  }

  /** @param state - is copied: one that were kept until the next would outlive most others, and the garbage collector copies such */
  set(parameter: MeasuredParameter, state: QcState): void {
    const own = this.#series.get(parameter);
    const numbers = numbersOf(state);
    if (own === undefined) this.#series.set(parameter, [...numbers]);
    else for (let i = 0; i < numbers.length; i++) own[i] = numbers[i] as number;
  }

  /** Whether a series is of a sensor with a name of its own, see {@link sensor}. */
  get hasOtherSensors(): boolean {
    if (this.#hasOtherSensors !== undefined) return this.#hasOtherSensors;
    let found = false;
    for (let at = SERIES; at < this.before.length; at += NUMBERS_PER_SERIES)
      found ||= (this.before[at] as number) >= (OWN_NAME + 1) * SENSOR;
    this.#hasOtherSensors = found;
    return found;
  }

  /**
   * The sensor that the series is of: 0 when none is known, {@link OWN_NAME} for one without a name of its own, otherwise the
   * number of its name, see {@link sensorNumber}.
   */
  sensor(parameter: MeasuredParameter): number {
    const set = this.#sensors.get(parameter);
    if (set !== undefined) return set;
    const stored = this.before[placeOf(parameter, this.before)] ?? 0;
    return Math.floor(stored / SENSOR) || (this.hasOwnNames && this.#series.has(parameter) ? OWN_NAME : 0);
  }

  setSensor(parameter: MeasuredParameter, sensor: number): void {
    this.#sensors.set(parameter, sensor);
    if (sensor > OWN_NAME) this.#hasOtherSensors = true;
    if (this.get(parameter) === undefined) this.set(parameter, initialQcState);
  }

  /** What is to be stored. */
  stored(): StoredMemory {
    const numbers = this.before.slice();
    numbers[ARRIVED_AT] = this.arrivedAt;
    numbers[DAY_FROM] = this.dayFrom;
    const { clock } = this;
    numbers[MESSAGES] = clock?.messages ?? 0;
    numbers[WITHOUT_TIME] = clock?.withoutTime ?? 0;
    numbers[WRONG] = clock?.wrong ?? 0;
    numbers[LATE] = clock?.late ?? 0;
    numbers[HAS_SKEW] = typeof clock?.skewMaxMs === 'number' ? 1 : 0;
    numbers[SKEW_MAX] = clock?.skewMaxMs ?? 0;
    numbers[SKEW_MIN] = clock?.skewMinMs ?? 0;
    numbers[REPEATED_AT] = this.repeatedAt;
    // In the order in which they were set first.
    for (const [parameter, state] of this.#series) {
      const at = placeOf(parameter, numbers);
      numbers[at] = MEASURED_CODES.indexOf(parameter) + SENSOR * this.sensor(parameter);
      for (let i = 0; i < state.length; i++) numbers[at + 1 + i] = state[i] ?? 0;
    }
    return numbers as unknown as StoredMemory;
  }
}

function placesOf(stored: StoredMemory): Places {
  return stored as unknown as Places;
}

/** A row that was stored before is one number shorter, by which it is told. */
function inTodaysForm(stored: Places): Places {
  return stored.length % NUMBERS_PER_SERIES === SERIES_ONCE
    ? [...stored.slice(0, SERIES_ONCE), 0, ...stored.slice(SERIES_ONCE)]
    : stored;
}

/** Where the parameter stands, or would stand. */
function placeOf(parameter: MeasuredParameter, numbers: Places): number {
  const code = MEASURED_CODES.indexOf(parameter);
  let at = SERIES;
  while (at < numbers.length && (numbers[at] as number) % SENSOR !== code) at += NUMBERS_PER_SERIES;
  return at;
}

const NOTHING_REMEMBERED: Places = new Array<number>(SERIES).fill(0);

/**
 * The ledger of a device's clock, newest day first.
 *
 * @param over - the days that the ledger holds
 * @param before - only earlier days than this
 */
export function clockDaysOf(
  memory: StoredMemory | undefined,
  over: readonly ClockDay[],
  limit: number,
  before?: string,
): readonly ClockDay[] {
  const places = memory && placesOf(memory);
  const clock = places && clockOf(places);
  if (clock === undefined) return over;
  const current: ClockDay = { day: localDateOf(places?.[DAY_FROM] ?? 0), ...clock };
  if (before !== undefined && current.day >= before) return over;
  const others = over.filter(({ day }) => day !== current.day);
  return [current, ...others].sort((a, b) => (a.day < b.day ? 1 : -1)).slice(0, limit);
}

/** Undefined when no message was counted yet. */
function clockOf(stored: Places): ClockCounts | undefined {
  const messages = stored[MESSAGES] ?? 0;
  if (messages === 0) return undefined;
  const hasSkew = stored[HAS_SKEW] === 1;
  return {
    messages,
    withoutTime: stored[WITHOUT_TIME] ?? 0,
    wrong: stored[WRONG] ?? 0,
    late: stored[LATE] ?? 0,
    skewMaxMs: hasSkew ? (stored[SKEW_MAX] ?? 0) : null,
    skewMinMs: hasSkew ? (stored[SKEW_MIN] ?? 0) : null,
  };
}
