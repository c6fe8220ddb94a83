import { isObject } from '#libs/kernel';

/** What a birth defines of one metric for the data messages after it. */
export interface Born {
  readonly alias?: string;
  readonly name?: string;
  readonly datatype?: number;
  readonly unit?: string;
}

/** A birth by its place: `{group}/{node}` or `{group}/{node}/{device}`. */
export interface Birth {
  readonly at: string;
  /** `bdSeq` of a node: the death of an earlier session has another one. */
  readonly session?: number;
  readonly metrics: readonly Born[];
}

/** What the codec remembers: plain data, oldest birth first. */
export interface Memory {
  readonly births: readonly Birth[];
}

/** Bound the memory of a node that gives birth to ever new devices, and of ever more metrics. */
const MAX_BIRTHS = 100;
const MAX_METRICS = 5_000;

/** Reads what an earlier message left; anything else counts as nothing. */
export function birthsIn(memory: unknown): readonly Birth[] {
  return isObject(memory) && Array.isArray(memory['births'])
    ? (memory['births'] as unknown[]).filter(isBirth)
    : [];
}

function isBirth(value: unknown): value is Birth {
  return isObject(value) && typeof value['at'] === 'string' && Array.isArray(value['metrics']);
}

/** The births with a new one, whose first metrics count; that of a node ends those of its devices, which must be born again. The oldest give way. */
export function withBirth(births: readonly Birth[], birth: Birth): Memory {
  const metrics = birth.metrics.slice(0, MAX_METRICS);
  const kept = [...without(births, birth.at).births, { ...birth, metrics }].slice(-MAX_BIRTHS);
  let room = MAX_METRICS;
  const from = kept.findLastIndex((each) => (room -= each.metrics.length) < 0);
  return { births: kept.slice(from + 1) };
}

/** The births without a node and its devices, or without a device. */
export function without(births: readonly Birth[], at: string): Memory {
  return { births: births.filter((birth) => birth.at !== at && !isDeviceOf(birth, at)) };
}

export function isDeviceOf(birth: Birth, node: string): boolean {
  return birth.at.startsWith(`${node}/`);
}
