import type { ConnectionChange, ConnectionEvent } from '#libs/availability';
import { hourOf, sortable, type UtcMillis } from '#libs/kernel';
import type { PresenceCause, PresenceSignal } from '#libs/telemetry';

/** Of an hour of a device so many changes are kept at most: one that flaps must not make a row that is rewritten without end. */
const MOST_CHANGES = 200;

const EVENT_OF_END: Readonly<Record<PresenceCause, ConnectionEvent>> = {
  connect: 'lost',
  lost: 'lost',
  expelled: 'lost',
  takeover: 'lost',
  keepalive: 'expired',
  clean: 'left',
  shutdown: 'stopped',
};

/** What is kept of a signal. */
export function changeOf({ ts, state, cause, session, run, silenceMs }: PresenceSignal): ConnectionChange {
  const event = state === 'connected' ? 'connected' : EVENT_OF_END[cause];
  return { ts, event, session, run, silenceMs };
}

/** The key of an hour of a device; in the order of time within a device. */
export function connectionsKey(device: string, ts: UtcMillis): string {
  return `${device}/${sortable(hourOf(ts))}`;
}

/**
 * The changes of an hour with another one. Reading the stream again changes nothing. Beyond the most the last one is replaced, so that
 * the end of the hour is right.
 */
export function withChange(
  changes: readonly ConnectionChange[],
  change: ConnectionChange,
): readonly ConnectionChange[] {
  const { ts, event, session } = change;
  if (changes.some((one) => one.ts === ts && one.event === event && one.session === session)) return changes;
  return [...changes.slice(0, MOST_CHANGES - 1), change];
}
