import type { Millis, UtcMillis } from '#libs/kernel';

/**
 * Whether a device holds a connection, as far as anybody can know:
 * - `connected`;
 * - `reconnecting`: lost a moment ago; coming back within the grace makes it a flap, not an outage;
 * - `disconnected`;
 * - `unknown`: the broker that held the connection is gone, and the device has not had the time to return.
 */
export type PresenceState = 'connected' | 'reconnecting' | 'disconnected' | 'unknown';

/** What the newest connection of a device left on record. */
export interface LastConnection {
  readonly state: 'connected' | 'disconnected';
  readonly at: UtcMillis;
  /** True when the broker's own stop ended it: that says nothing about the device. */
  readonly byShutdown: boolean;
  /** The run of the broker that held it. */
  readonly run: string;
  /** The longest silence that the connection survives: one and a half times its keep-alive [MQTT-3.1.2-24]. */
  readonly silenceMs: Millis;
}

/** One run of a broker process. */
export interface BrokerRun {
  readonly run: string;
  readonly startedAt: UtcMillis;
  /** Its newest sign of life. */
  readonly seenAt: UtcMillis;
  readonly stopped: boolean;
}

export interface PresencePolicy {
  /** A connection that is back within this time was a flap. */
  readonly graceMs: Millis;
  /** A broker that is silent for longer is gone. */
  readonly brokerSilenceMs: Millis;
}

/**
 * Derives the presence at an instant. A broker that stops or dies takes its connections with it; its devices are then
 * unknown, not offline, until they return or a broker that they could return to has listened for as long as the
 * silence that their connection survives.
 */
export function presenceAt(
  last: LastConnection,
  runs: readonly BrokerRun[],
  now: UtcMillis,
  { graceMs, brokerSilenceMs }: PresencePolicy,
): PresenceState {
  const holder = runs.find(({ run }) => run === last.run);
  const isAlive = (run: BrokerRun): boolean => !run.stopped && now - run.seenAt <= brokerSilenceMs;
  if (last.state === 'disconnected' && !last.byShutdown)
    return now - last.at < graceMs ? 'reconnecting' : 'disconnected';
  if (last.state === 'connected' && holder !== undefined && isAlive(holder)) return 'connected';
  const listening = runs.filter((run) => run.run !== last.run && isAlive(run));
  const since = Math.min(...listening.map(({ startedAt }) => Math.max(startedAt, holder?.seenAt ?? last.at)));
  return now - since > last.silenceMs ? 'disconnected' : 'unknown';
}

/** Whether a connection at `at` ends a mere flap of the connection before it. */
export function isFlap(before: LastConnection | undefined, at: UtcMillis, graceMs: Millis): boolean {
  return before?.state === 'disconnected' && !before.byShutdown && at - before.at < graceMs;
}
