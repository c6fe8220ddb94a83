import type { Millis, UtcMillis } from '#libs/kernel';
import type { Refusal } from '../streams.js';

/** Which device times are believed. */
export interface TimePolicy {
  /** A device's clock may be ahead of the arrival by this much. */
  readonly maxFutureMs: Millis;
  /** Earlier instants are those of a device that lost its clock. */
  readonly oldest: UtcMillis;
  /** What was measured longer before its arrival is refused: loggers buffer through outages, but not for ever. */
  readonly maxAgeMs: Millis;
  /** What to do with a time that cannot be true: take the time of arrival and flag it, or refuse the message. */
  readonly wrongClock: 'arrival' | 'refuse';
}

/** The event time of a message. */
export type JudgedTime =
  { readonly ts: UtcMillis; readonly clock: 'device' | 'none' | 'wrong' } | { readonly refusal: Refusal };

/**
 * Judges what a device says of its time against the arrival.
 *
 * @param stated - undefined when the device states no instant: then the arrival counts, and that is no fault
 */
export function judgeTime(
  stated: UtcMillis | undefined,
  receivedAt: UtcMillis,
  policy: TimePolicy,
): JudgedTime {
  if (stated === undefined) return { ts: receivedAt, clock: 'none' };
  const { maxFutureMs, oldest, maxAgeMs, wrongClock } = policy;
  if (stated > receivedAt + maxFutureMs) {
    if (wrongClock === 'arrival') return { ts: receivedAt, clock: 'wrong' };
    const detail = `ts ${iso(stated)} is ${Math.round((stated - receivedAt) / 1000)} s after the arrival at ${iso(receivedAt)}; check the clock of the device`;
    return { refusal: { reason: 'timestamp_in_future', detail } };
  }
  if (stated < oldest) {
    if (wrongClock === 'arrival') return { ts: receivedAt, clock: 'wrong' };
    const detail = `ts ${iso(stated)} is before ${iso(oldest)}; the device has lost its clock`;
    return { refusal: { reason: 'timestamp_too_old', detail } };
  }
  if (receivedAt - stated > maxAgeMs) {
    const detail = `ts ${iso(stated)} is ${Math.floor((receivedAt - stated) / 86_400_000)} days before the arrival; at most ${Math.floor(maxAgeMs / 86_400_000)} are accepted of this device`;
    return { refusal: { reason: 'too_late', detail } };
  }
  return { ts: stated, clock: 'device' };
}

/** ISO 8601 where the calendar reaches, the plain number beyond. */
function iso(ms: UtcMillis): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
