import { availabilityOf, availabilityOfTotals, type Cause, type Timeline } from '#libs/availability';
import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import type { IndicatorDefinition } from '../../definition.js';
import type { HeartbeatInput } from '../../inputs.js';
import type { Period } from '../../period.js';
import { isoInstant, provenance, provenanceInTurns, recordHead, type IndicatorRecord } from '../../record.js';
import type { Subject } from '../../subject.js';

/** The version of the definition that comes with Pantau, whose figures were handed out under the two before it. */
const NUMBERED = 3;

/**
 * Availability of a device over a period.
 *
 * By the shipped definition of version {@link NUMBERED}, a period without degraded, planned and undetermined time is a record of version 1, which knew up and down
 * alone, and one after the first sign of life is none of version 3: the method is the same there, and a figure that was handed out
 * before comes out the same, byte for byte. Any other definition is named by its version.
 *
 * @param span - the part of the period that is accounted for: from registration on, and up to now for one that is not over; empty
 * for one of which nothing is
 * @param timeline - of that span
 * @param heartbeats - that the timeline was made from
 * @param method - the interval and grace that it was made with
 * @param firstSign - the device's first sign of life; none yet: Infinity
 */
export function availabilityRecord(
  definition: Pick<IndicatorDefinition, 'key' | 'version' | 'unit' | 'isShipped'>,
  subject: Subject,
  period: Period,
  span: TimeSpan,
  timeline: Timeline,
  heartbeats: readonly HeartbeatInput[],
  method: { readonly intervalMs: Millis; readonly graceMs: Millis },
  firstSign: UtcMillis = -Infinity,
): IndicatorRecord {
  const { ms, observedOnly, strict, optimistic, degraded } = availabilityOf(timeline);
  const hasNewStates = ms.degraded + ms.planned + ms.undetermined > 0;
  const isEmpty = span.from >= span.to;
  const isNumbered = definition.isShipped === true && definition.version === NUMBERED;
  const isAsBefore = isNumbered && !isEmpty && span.from >= firstSign;
  const version = isAsBefore ? (hasNewStates ? 2 : 1) : definition.version;
  const up = ms.heartbeat + ms.degraded;
  const known = up + ms.reported + ms.silent;
  const outages = NOT_SIMPLY_UP.flatMap((cause) =>
    timeline[cause].map(({ from, to }) => ({ from: isoInstant(from), to: isoInstant(to), cause })),
  ).toSorted((a, b) => (a.from < b.from ? -1 : 1));
  return {
    ...recordHead({ ...definition, version }, subject, period, span),
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
      ...(isEmpty ? { nothing: span.to > period.from ? 'before_registration' : 'not_yet' } : {}),
    },
    provenance: provenance('signals', inOrder(heartbeats)),
  };
}

/** Of one of several devices. */
export interface DeviceShare {
  readonly site: string;
  readonly device: string;
  /** Of the part of the period that is accounted for. */
  readonly timeline: Timeline;
  readonly heartbeats: readonly HeartbeatInput[];
}

/** Availability of several devices together: the times of all, so that one counts by the time that is known of it. */
export async function pooledAvailabilityRecord(
  definition: Pick<IndicatorDefinition, 'key' | 'version' | 'unit'>,
  subject: Subject,
  period: Period,
  shares: readonly DeviceShare[],
): Promise<IndicatorRecord> {
  const each = shares.map((share) => ({ ...share, availability: availabilityOf(share.timeline) }));
  const sum = (cause: Cause): Millis =>
    each.reduce((total, { availability: { ms } }) => total + ms[cause], 0);
  const ms = Object.fromEntries(CAUSES.map((cause) => [cause, sum(cause)])) as Record<Cause, Millis>;
  const { observedOnly, strict, optimistic, degraded } = availabilityOfTotals(ms);
  const up = ms.heartbeat + ms.degraded;
  const unknown = ms.undetermined + ms.unobserved;
  const known = up + ms.reported + ms.silent;
  return {
    ...recordHead(definition, subject, period),
    value: percent(observedOnly),
    dataCapture: {
      ...{ devices: shares.length, upMs: up, degradedMs: ms.degraded, plannedMs: ms.planned },
      ...{ downReportedMs: ms.reported, downSilentMs: ms.silent, unknownMs: unknown },
      share: known + unknown + ms.planned === 0 ? 0 : shareOf(known, known + unknown),
    },
    detail: {
      observedOnly: percent(observedOnly),
      strict: percent(strict),
      optimistic: percent(optimistic),
      degradedShare: percent(degraded),
      devices: each.map(({ site, device, availability }) => ({
        ...{ site, device, value: percent(availability.observedOnly) },
      })),
    },
    provenance: await provenanceInTurns('signals', inOrder(shares.flatMap(({ heartbeats }) => heartbeats))),
  };
}

function inOrder(heartbeats: readonly HeartbeatInput[]): HeartbeatInput[] {
  return heartbeats.toSorted((a, b) => a.ts - b.ts || a.shard - b.shard || a.offset - b.offset);
}

function percent(share: number | null): number | null {
  return share === null ? null : share * 100;
}

const NOT_SIMPLY_UP = [
  'degraded',
  'reported',
  'silent',
  'planned',
  'undetermined',
  'unobserved',
] as const satisfies readonly Cause[];
const CAUSES = ['heartbeat', ...NOT_SIMPLY_UP] as const satisfies readonly Cause[];

/** Of no time at all nothing is missing. */
function shareOf(part: Millis, whole: Millis): number {
  return whole === 0 ? 1 : part / whole;
}
