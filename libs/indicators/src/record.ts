import { canonicalJson, REGENCY_TIME_ZONE, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import type { JournalRef } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import type { IndicatorDefinition } from './definition.js';
import type { Period } from './period.js';
import type { Subject } from './subject.js';

/**
 * A figure with what it was computed from. It holds no time of computation: computing it again from the same readings
 * gives the same bytes.
 */
export interface IndicatorRecord {
  readonly indicator: string;
  readonly version: number;
  readonly subject: Subject;
  readonly period: {
    /** Name of the period: `2015-12-07` for a day ({@link Period}). */
    readonly date: string;
    readonly from: string;
    readonly to: string;
    readonly timeZone: string;
  };
  /** Null when there is not enough data for a figure. */
  readonly value: number | null;
  readonly unit: string;
  readonly dataCapture: Readonly<Record<string, number>>;
  /** The figure as it would be without the unusual values, and the share of the time for which those speak. */
  readonly withoutUnusual?: {
    readonly value: number | null;
    readonly validHours: number;
    readonly unusualShare: number | null;
  };
  readonly detail: Readonly<Record<string, unknown>>;
  /** The settings of that day that it was computed with, of which there may be several in turn; absent where none is recorded. */
  readonly settings?: readonly {
    readonly name: string;
    /** From when it held, ISO 8601; null: from the beginning. */
    readonly from: string | null;
    /** Of the quality limits: `2`, or `2+banyuasin-2026-01` with a file of others. */
    readonly version?: string;
    /** SHA-256 of its canonical JSON, as in the stream `settings`. */
    readonly digest: string;
  }[];
  readonly provenance: {
    /** The journal stream that the inputs are read from. */
    readonly stream: StreamName;
    readonly inputs: number;
    /** Offsets of the inputs by shard, as inclusive ranges. */
    readonly entries: readonly {
      readonly shard: number;
      readonly offsets: readonly (readonly [number, number])[];
    }[];
    /** SHA-256 over the canonical JSON of every input, in order of time. */
    readonly digest: string;
  };
}

/** What every record begins with. @param span - the part of the period that is accounted for; all of it by default */
export function recordHead(
  { key, version, unit }: Pick<IndicatorDefinition, 'key' | 'version' | 'unit'>,
  subject: Subject,
  { name: date, ...whole }: Period,
  span: TimeSpan = whole,
): Pick<IndicatorRecord, 'indicator' | 'version' | 'subject' | 'period' | 'unit'> {
  const period = { date, from: iso(span.from), to: iso(span.to), timeZone: REGENCY_TIME_ZONE };
  return { indicator: key, version, subject, period, unit };
}

export function provenance(stream: StreamName, inputs: readonly JournalRef[]): IndicatorRecord['provenance'] {
  const digest = createHash('sha256').update(canonicalJson(inputs)).digest('hex');
  const shards = [...new Set(inputs.map(({ shard }) => shard))].sort((a, b) => a - b);
  const entries = shards.map((shard) => ({
    shard,
    offsets: ranges(inputs.filter((input) => input.shard === shard).map(({ offset }) => offset)),
  }));
  return { stream, inputs: inputs.length, entries, digest };
}

/** 3, 4, 5, 9 becomes [3, 5], [9, 9]. */
function ranges(offsets: readonly number[]): [number, number][] {
  const joined: [number, number][] = [];
  for (const offset of [...offsets].sort((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && offset <= last[1] + 1) last[1] = offset;
    else joined.push([offset, offset]);
  }
  return joined;
}

export function iso(at: UtcMillis): string {
  return new Date(at).toISOString();
}
