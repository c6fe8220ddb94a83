import { seededRandom, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';

/**
 * What can happen to a camera:
 * - `power-cut`: nothing is sent;
 * - `stream-lost`: its agent says that it is down;
 * - `uplink-lost`: it works, but its heartbeats arrive only when the link is back.
 */
export interface Outage extends TimeSpan {
  readonly device: string;
  readonly kind: 'power-cut' | 'stream-lost' | 'uplink-lost';
  readonly reason?: string | undefined;
}

export interface FleetScenario extends TimeSpan {
  readonly devices: readonly string[];
  readonly intervalMs: Millis;
  readonly seed: number;
  readonly outages: readonly Outage[];
}

export interface FleetMessage {
  /** When it happened, by the device's clock. */
  readonly ts: UtcMillis;
  /** When the link lets it through. */
  readonly deliverAt: UtcMillis;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** When a camera truly gave pictures. What Pantau finds out is measured against this. */
export type GroundTruth = Readonly<Record<string, readonly (TimeSpan & { readonly state: 'up' | 'down' })[]>>;

const FRAMES_A_SECOND = 15;
/** A heartbeat is a little late by this share of its interval at most, as real timers are. */
const JITTER = 0.05;

/** The heartbeats of one camera, in the order in which they are sent. The same seed gives the same heartbeats. */
export function fleetMessages(
  { from, to, devices, intervalMs, seed, outages }: FleetScenario,
  device: string,
): FleetMessage[] {
  const random = seededRandom(seed + devices.indexOf(device));
  const own = outages.filter((outage) => outage.device === device);
  const messages: FleetMessage[] = [];
  let frames = 0;
  let lastFrameAt: UtcMillis | undefined;
  let seq = 0;
  for (let due = from; due < to; due += intervalMs) {
    const ts = Math.round(due + random() * JITTER * intervalMs);
    const during = own.find((outage) => ts >= outage.from && ts < outage.to);
    if (during?.kind === 'power-cut') continue;
    const isUp = during?.kind !== 'stream-lost';
    if (isUp) {
      frames += Math.round((FRAMES_A_SECOND * intervalMs) / 1_000);
      lastFrameAt = ts;
    }
    const payload = {
      ts: new Date(ts).toISOString(),
      seq: seq++,
      state: isUp ? 'up' : 'down',
      ...(isUp ? {} : { reason: during.reason ?? 'no picture' }),
      frames,
      ...(lastFrameAt === undefined ? {} : { lastFrameAt: new Date(lastFrameAt).toISOString() }),
    };
    messages.push({ ts, deliverAt: during?.kind === 'uplink-lost' ? during.to : ts, payload });
  }
  return messages;
}

/** When each camera truly was up and down. */
export function groundTruth({ from, to, devices, outages }: FleetScenario): GroundTruth {
  const truthOf = (device: string): (TimeSpan & { state: 'up' | 'down' })[] => {
    const spans: (TimeSpan & { state: 'up' | 'down' })[] = [];
    let at = from;
    const down = outages
      .filter((outage) => outage.device === device && outage.kind !== 'uplink-lost')
      .sort((a, b) => a.from - b.from);
    for (const outage of down) {
      if (outage.from > at) spans.push({ from: at, to: outage.from, state: 'up' });
      spans.push({ from: outage.from, to: outage.to, state: 'down' });
      at = outage.to;
    }
    if (at < to) spans.push({ from: at, to, state: 'up' });
    return spans;
  };
  return Object.fromEntries(devices.map((device) => [device, truthOf(device)]));
}
