import { type UtcMillis, isObject } from '#libs/kernel';
import type { Refusal } from '#libs/telemetry';
import { readNumber, refusal, shown, type Members } from '../reading.js';
import { ownTime } from '../stated-time.js';

/** A record that no longer depends on the others (RFC 8428, section 4.6). */
export interface ResolvedRecord {
  readonly n: string;
  readonly u?: string;
  /** Seconds since the Unix epoch. */
  readonly t: number;
  readonly v?: number;
  readonly vs?: string;
  /** Where in the pack it stands. */
  readonly where: string;
}

export interface ResolvedPack {
  readonly records: readonly ResolvedRecord[];
  /** Records that could not be resolved. */
  readonly refusals: readonly Refusal[];
}

/** The version of RFC 8428, which a pack need not state. */
const VERSION = 10;
/** RFC 9100: version 10 with feature 4, secondary units. */
const VERSION_WITH_SECONDARY_UNITS = 26;
/** RFC 8428, section 4.5.3: smaller times are relative to now. */
const RELATIVE_BELOW = 2 ** 28;
/** Latest instant that a date can hold, in seconds. */
const LAST_SECOND = 8.64e12;

/** Base fields hold from the record that states them onwards. */
interface Base {
  bn: string;
  bt: number;
  bu: string | undefined;
  bv: number;
}

/**
 * Resolves base names, times, units and values.
 *
 * @param receivedAt - what relative times are relative to
 * @returns a refusal when the pack demands what is not understood; the RFC forbids reading on then
 */
export function resolve(
  pack: readonly unknown[],
  receivedAt: UtcMillis,
): ResolvedPack | { readonly refusal: Refusal } {
  const records: ResolvedRecord[] = [];
  const refusals: Refusal[] = [];
  const base: Base = { bn: '', bt: 0, bu: undefined, bv: 0 };
  for (const [index, record] of pack.entries()) {
    const where = `[${index}]`;
    if (!isObject(record)) {
      refusals.push(refusal('schema_violation', where, `expected an object, found ${shown(record)}`));
      continue;
    }
    const demand = notUnderstood(record);
    if (demand !== undefined) return { refusal: { reason: 'unreadable', detail: `${where}.${demand}` } };
    // A wrong base field would falsify every later record.
    const wrong = rebase(base, record, where);
    if (wrong !== undefined) return { refusal: wrong };
    const resolved = resolveRecord(base, record, where, receivedAt);
    if (resolved === undefined) continue;
    if ('refusal' in resolved) refusals.push(resolved.refusal);
    else records.push(resolved);
  }
  return { records, refusals };
}

function notUnderstood(record: Members): string | undefined {
  const { bver = VERSION } = record;
  if (typeof bver !== 'number' || (bver > VERSION && bver !== VERSION_WITH_SECONDARY_UNITS))
    return `bver: expected a version up to ${VERSION}, or ${VERSION_WITH_SECONDARY_UNITS}; found ${shown(bver)}`;
  // RFC 8428, section 4.4: a label that ends with _ must be understood.
  const label = Object.keys(record).find((name) => name.endsWith('_'));
  return label === undefined
    ? undefined
    : `${label.slice(0, 40)}: a field that must be understood and is not`;
}

function rebase(base: Base, record: Members, where: string): Refusal | undefined {
  for (const name of ['bn', 'bu'] as const) {
    const value = record[name];
    if (typeof value === 'string') base[name] = value;
    else if (value !== undefined)
      return refusal('schema_violation', `${where}.${name}`, `expected text, found ${shown(value)}`);
  }
  for (const name of ['bt', 'bv'] as const) {
    if (record[name] === undefined) continue;
    const read = readNumber(`${where}.${name}`, record[name]);
    if ('refusal' in read) return read.refusal;
    base[name] = read.value;
  }
  return undefined;
}

/** Undefined for a record that only states base fields. */
function resolveRecord(
  base: Base,
  record: Members,
  where: string,
  receivedAt: UtcMillis,
): ResolvedRecord | { readonly refusal: Refusal } | undefined {
  const { n = '', u = base.bu, t = 0, v, vs, vb, vd, s } = record;
  if ([v, vs, vb, vd, s].every((value) => value === undefined)) return undefined;
  for (const [name, value] of Object.entries({ n, u: u ?? '', vs: vs ?? '' }))
    if (typeof value !== 'string')
      return {
        refusal: refusal('schema_violation', `${where}.${name}`, `expected text, found ${shown(value)}`),
      };
  const time = readNumber(`${where}.t`, t);
  if ('refusal' in time) return time;
  // The RFC takes a record without a time for one of now; one that states it under another name is none.
  const own = base.bt + time.value === 0 ? ownTime(record, where) : undefined;
  if (own !== undefined && 'refusal' in own) return own;
  const stated = own?.ts === undefined ? base.bt + time.value : own.ts / 1000;
  const seconds = stated < RELATIVE_BELOW ? receivedAt / 1000 + stated : stated;
  if (Math.abs(seconds) > LAST_SECOND)
    return {
      refusal: refusal('schema_violation', `${where}.t`, `expected an instant, found ${seconds} s`),
    };
  let number: number | undefined;
  if (v !== undefined) {
    const read = readNumber(`${where}.v`, v);
    if ('refusal' in read) return read;
    number = base.bv + read.value;
  }
  return {
    n: base.bn + (n as string),
    ...(u === undefined ? {} : { u: u as string }),
    t: seconds,
    ...(number === undefined ? {} : { v: number }),
    ...(vs === undefined ? {} : { vs: vs as string }),
    where,
  };
}
