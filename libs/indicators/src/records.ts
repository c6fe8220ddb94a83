import { availabilityOf, type Cause, type Timeline } from '#libs/availability';
import {
  canonicalJson,
  HOUR,
  localDaySpan,
  PantauError,
  REGENCY_TIME_ZONE,
  type Millis,
  type TimeSpan,
  type UtcMillis,
} from '#libs/kernel';
import type { StreamName } from '#libs/streams';
import type { HeartbeatState, JournalRef } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import { CAMERA_AVAILABILITY, PM25_DAILY_MEAN, type IndicatorDefinition } from './catalogue.js';
import { dailyRollup, HOURS_A_DAY } from './daily-rollup.js';
import { hourlyRollup, REQUIRED_SHARE, type Sample } from './hourly-rollup.js';
import { intervalIn, type Intervals } from './intervals.js';

/** The device a figure is about. */
export interface Subject {
  readonly site: string;
  readonly device: string;
}

/**
 * A figure with what it was computed from. It holds no time of computation: computing it again from the same readings
 * gives the same bytes.
 */
export interface IndicatorRecord {
  readonly indicator: string;
  readonly version: number;
  readonly subject: Subject;
  readonly period: {
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

/**
 * Daily mean of PM2.5 with data capture.
 *
 * @param date - calendar day of the regency, `YYYY-MM-DD`
 * @param samples - of that day, one a timestamp, in any order
 * @param intervals - how often the device promised to report, and since when; or always the same
 * @throws PantauError `OUT_OF_RANGE` when the date does not exist
 */
export function pm25DailyMean(
  subject: Subject,
  date: string,
  samples: readonly Sample[],
  intervals: Intervals | Millis,
): IndicatorRecord {
  const span = spanOf(date);
  const promised = typeof intervals === 'number' ? [{ from: 0, intervalMs: intervals }] : intervals;
  const intervalMs = intervalIn(promised, span);
  const inputs = samples.filter(({ ts }) => ts >= span.from && ts < span.to).toSorted((a, b) => a.ts - b.ts);
  const hours = Array.from({ length: HOURS_A_DAY }, (_, i) => {
    const hour = span.from + i * HOUR;
    return hourlyRollup(
      hour,
      inputs.filter(({ ts }) => ts >= hour && ts < hour + HOUR),
      intervalIn(promised, { from: hour, to: hour + HOUR }),
    );
  });
  const day = dailyRollup(hours);
  const sum = (count: (hour: (typeof hours)[number]) => number): number =>
    hours.reduce((total, hour) => total + count(hour), 0);
  return {
    ...head(PM25_DAILY_MEAN, subject, date, span),
    value: enoughHours(day.valid) ? day.mean : null,
    dataCapture: {
      expectedHours: HOURS_A_DAY,
      validHours: day.valid,
      expected: sum(({ expected }) => expected),
      received: sum(({ received }) => received),
      valid: sum(({ valid }) => valid),
      unusual: sum(({ unusual }) => unusual),
      suspect: sum(({ suspect }) => suspect),
      failed: sum(({ failed }) => failed),
      share: day.covered,
    },
    withoutUnusual: {
      value: enoughHours(day.withoutUnusual.valid) ? day.withoutUnusual.mean : null,
      validHours: day.withoutUnusual.valid,
      unusualShare: day.unusualShare,
    },
    detail: { intervalMs, hours: hours.map(({ hour, ...rest }) => ({ from: iso(hour), ...rest })) },
    provenance: provenance('readings', inputs),
  };
}

function enoughHours(valid: number): boolean {
  return valid >= REQUIRED_SHARE * HOURS_A_DAY;
}

/** One heartbeat with the journal entry that holds it. */
export interface HeartbeatInput extends JournalRef {
  readonly ts: UtcMillis;
  readonly state: HeartbeatState;
}

/**
 * Availability of a camera on a day.
 *
 * A day without degraded, planned and undetermined time is a record of version 1, which knew up and down alone, and a day after the
 * first sign of life is none of version 3: the method is the same there, and a figure that was handed out before comes out the
 * same, byte for byte.
 *
 * @param span - the part of the day that is accounted for: from registration on, and up to now for a day that is not over; empty
 * for a day of which nothing is
 * @param timeline - of that span
 * @param heartbeats - that the timeline was made from
 * @param method - the interval and grace that it was made with
 * @param firstSign - the device's first sign of life; none yet: Infinity
 * @throws PantauError `OUT_OF_RANGE` when the date does not exist
 */
export function cameraAvailability(
  subject: Subject,
  date: string,
  span: TimeSpan,
  timeline: Timeline,
  heartbeats: readonly HeartbeatInput[],
  method: { readonly intervalMs: Millis; readonly graceMs: Millis },
  firstSign: UtcMillis = -Infinity,
): IndicatorRecord {
  const day = spanOf(date);
  const { ms, observedOnly, strict, optimistic, degraded } = availabilityOf(timeline);
  const hasNewStates = ms.degraded + ms.planned + ms.undetermined > 0;
  const isEmpty = span.from >= span.to;
  const version = isEmpty || span.from < firstSign ? CAMERA_AVAILABILITY.version : hasNewStates ? 2 : 1;
  const up = ms.heartbeat + ms.degraded;
  const known = up + ms.reported + ms.silent;
  const percent = (share: number | null): number | null => (share === null ? null : share * 100);
  const outages = NOT_SIMPLY_UP.flatMap((cause) =>
    timeline[cause].map(({ from, to }) => ({ from: iso(from), to: iso(to), cause })),
  ).toSorted((a, b) => (a.from < b.from ? -1 : 1));
  return {
    ...head({ ...CAMERA_AVAILABILITY, version }, subject, date, span),
    value: percent(observedOnly),
    dataCapture: {
      upMs: up,
      ...(hasNewStates ? { degradedMs: ms.degraded, plannedMs: ms.planned } : {}),
      downReportedMs: ms.reported,
      downSilentMs: ms.silent,
      unknownMs: ms.undetermined + ms.unobserved,
      share: isEmpty ? 0 : shareOf(known, span.to - span.from - ms.planned),
    },
    detail: {
      ...method,
      observedOnly: percent(observedOnly),
      strict: percent(strict),
      optimistic: percent(optimistic),
      ...(hasNewStates ? { degradedShare: percent(degraded) } : {}),
      outages,
      // Why there is nothing to account for.
      ...(isEmpty ? { nothing: span.to > day.from ? 'before_registration' : 'not_yet' } : {}),
    },
    provenance: provenance(
      'signals',
      heartbeats.toSorted((a, b) => a.ts - b.ts || a.shard - b.shard || a.offset - b.offset),
    ),
  };
}

const NOT_SIMPLY_UP = [
  'degraded',
  'reported',
  'silent',
  'planned',
  'undetermined',
  'unobserved',
] as const satisfies readonly Cause[];

/** Of no time at all nothing is missing. */
function shareOf(part: Millis, whole: Millis): number {
  return whole === 0 ? 1 : part / whole;
}

function spanOf(date: string): TimeSpan {
  const span = localDaySpan(date);
  if (span === undefined)
    throw new PantauError('OUT_OF_RANGE', `"${date}" is not a calendar day; expected YYYY-MM-DD.`);
  return span;
}

function head(
  { key, version, unit }: IndicatorDefinition,
  subject: Subject,
  date: string,
  span: TimeSpan,
): Pick<IndicatorRecord, 'indicator' | 'version' | 'subject' | 'period' | 'unit'> {
  const { site, device } = subject;
  const period = { date, from: iso(span.from), to: iso(span.to), timeZone: REGENCY_TIME_ZONE };
  return { indicator: key, version, subject: { site, device }, period, unit };
}

function provenance(stream: StreamName, inputs: readonly JournalRef[]): IndicatorRecord['provenance'] {
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

function iso(at: UtcMillis): string {
  return new Date(at).toISOString();
}
