import { canonicalJson, PantauError, REGENCY_TIME_ZONE, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import type { JournalRef } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
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
  const period = { date, from: isoInstant(span.from), to: isoInstant(span.to), timeZone: REGENCY_TIME_ZONE };
  return { indicator: key, version, subject, period, unit };
}

/** Of one figure: its inputs are held in memory together. */
export const MAX_INPUTS = 2_000_000;

/** @throws PantauError `OUT_OF_RANGE` for more than {@link MAX_INPUTS} */
export function assertInputs(count: number): void {
  if (count > MAX_INPUTS)
    throw new PantauError('OUT_OF_RANGE', `the figure follows from more than ${MAX_INPUTS} inputs.`, {
      remedy: 'Use an indicator of a shorter period, or of a site or a device.',
    });
}

/**
 * The digest is that of `canonicalJson(inputs)`, made item by item: the text of all can be longer than a string may be.
 *
 * @throws PantauError `OUT_OF_RANGE` for more than {@link MAX_INPUTS}
 */
export function provenance(stream: StreamName, inputs: readonly JournalRef[]): Provenance {
  const work = digesting(stream, inputs);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** As {@link provenance}, in turns of the event loop: many inputs take seconds. @throws PantauError as it */
export async function provenanceInTurns(
  stream: StreamName,
  inputs: readonly JournalRef[],
): Promise<Provenance> {
  const work = digesting(stream, inputs);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await turnOfTheLoop();
  }
}

type Provenance = IndicatorRecord['provenance'];

/** Inputs in a turn; some tens of milliseconds. */
const TURN = 20_000;

function* digesting(stream: StreamName, inputs: readonly JournalRef[]): Generator<void, Provenance> {
  assertInputs(inputs.length);
  const hash = createHash('sha256').update('[');
  const runs = new Map<number, Range[]>();
  let done = 0;
  for (const input of inputs) {
    if (done > 0 && done % TURN === 0) yield;
    hash.update((done++ === 0 ? '' : ',') + canonicalJson(input));
    const { shard, offset } = input;
    const ofShard = runs.get(shard);
    const last = ofShard?.at(-1);
    if (ofShard === undefined) runs.set(shard, [[offset, offset]]);
    else if (last?.[1] === offset - 1) last[1] = offset;
    else ofShard.push([offset, offset]);
  }
  const entries = [...runs]
    .sort(([a], [b]) => a - b)
    .map(([shard, ofShard]) => ({ shard, offsets: joined(ofShard) }));
  return { stream, inputs: inputs.length, entries, digest: hash.update(']').digest('hex') };
}

type Range = [from: number, to: number];

/** [4, 5], [9, 9], [3, 3] becomes [3, 5], [9, 9]. */
function joined(runs: readonly Range[]): Range[] {
  const ranges: Range[] = [];
  for (const run of runs.toSorted(([a], [b]) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && run[0] <= last[1] + 1) last[1] = Math.max(last[1], run[1]);
    else ranges.push(run);
  }
  return ranges;
}

export function isoInstant(at: UtcMillis): string {
  return new Date(at).toISOString();
}
