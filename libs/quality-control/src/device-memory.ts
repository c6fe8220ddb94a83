import type { Millis, UtcMillis } from '#libs/kernel';
import type { ClockDay, MeasuredParameter } from '#libs/telemetry';
import type { DeviceQcState } from './observation.js';
import type { QcState } from './qc-state.js';

/** What a device's own earlier messages mean for the next one. */
export interface DeviceMemory {
  readonly qc: DeviceQcState;
  /** The last instant that was given to a message without a time of its own; 0 before the first. */
  readonly arrivedAt: UtcMillis;
  /** The day of the ledger of clocks that goes on. When another one begins it moves to the ledger. */
  readonly clockDay: ClockDay | undefined;
}

export const NOTHING_REMEMBERED: DeviceMemory = { qc: {}, arrivedAt: 0, clockDay: undefined };

/** Namespace of the memories in the state store, as {@link StoredMemory}; keys are device ids. */
export const DEVICE_MEMORY = 'ingest/memory';

/**
 * A memory as it is stored: one value without the names of its members, because every device that sends anything has it
 * written anew with every batch.
 */
export type StoredMemory = readonly [
  arrivedAt: UtcMillis,
  clockDay: StoredClockDay | null,
  /** Each parameter, and behind it what is remembered of it. */
  ...series: readonly (MeasuredParameter | QcState)[],
];

type StoredClockDay = readonly [
  day: string,
  messages: number,
  withoutTime: number,
  wrong: number,
  late: number,
  skewMaxMs: Millis | null,
  skewMinMs: Millis | null,
];

export function storedMemory({ qc, arrivedAt, clockDay }: DeviceMemory): StoredMemory {
  const series: (MeasuredParameter | QcState)[] = [];
  for (const parameter of Object.keys(qc) as MeasuredParameter[]) {
    const state = qc[parameter];
    if (state !== undefined) series.push(parameter, state);
  }
  return [arrivedAt, clockDay === undefined ? null : storedClockDay(clockDay), ...series];
}

export function rememberedMemory([arrivedAt, clockDay, ...series]: StoredMemory): DeviceMemory {
  const qc: Partial<Record<MeasuredParameter, QcState>> = {};
  for (let i = 0; i < series.length; i += 2) qc[series[i] as MeasuredParameter] = series[i + 1] as QcState;
  return { qc, arrivedAt, clockDay: clockDay === null ? undefined : rememberedClockDay(clockDay) };
}

/**
 * The ledger of a device's clock, newest day first.
 *
 * @param over - the days that the ledger holds
 */
export function clockDaysOf(
  memory: StoredMemory | undefined,
  over: readonly ClockDay[],
  limit: number,
): readonly ClockDay[] {
  const stored = memory?.[1] ?? undefined;
  if (stored === undefined) return over;
  const current = rememberedClockDay(stored);
  const others = over.filter(({ day }) => day !== current.day);
  return [current, ...others].sort((a, b) => (a.day < b.day ? 1 : -1)).slice(0, limit);
}

function storedClockDay(day: ClockDay): StoredClockDay {
  return [day.day, day.messages, day.withoutTime, day.wrong, day.late, day.skewMaxMs, day.skewMinMs];
}

function rememberedClockDay(stored: StoredClockDay): ClockDay {
  const [day, messages, withoutTime, wrong, late, skewMaxMs, skewMinMs] = stored;
  return { day, messages, withoutTime, wrong, late, skewMaxMs, skewMinMs };
}
