import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import { subtract, union, type Spans } from './spans.js';

/**
 * How a connection of a device changed:
 * - `connected`;
 * - `lost`: it broke, or Pantau ended it;
 * - `expired`: nothing came for as long as it survives, so it broke before;
 * - `left`: the device ended it in order;
 * - `stopped`: the broker's own stop ended it.
 */
export type ConnectionEvent = 'connected' | 'lost' | 'expired' | 'left' | 'stopped';

export interface ConnectionChange {
  readonly ts: UtcMillis;
  readonly event: ConnectionEvent;
  /** Fences it: the end of an earlier connection says nothing about a newer one. */
  readonly session: string;
  /** The run of the broker that held it. */
  readonly run: string;
  /** The longest silence that the connection survives. */
  readonly silenceMs: Millis;
}

/** What is known of the connection at a time. Where it is none of these nobody knows. */
export type ConnectionState = 'connected' | 'lost' | 'left';

export interface ConnectionsInput {
  /** The time to account for. */
  readonly window: TimeSpan;
  /** In the order of the journal; the last ones before the window matter too. */
  readonly changes: readonly ConnectionChange[];
  /** When each run of Pantau was up. */
  readonly runs: ReadonlyMap<string, Spans>;
}

/** A device has this time to come back to a broker that was started again, or its own time if that is longer. */
const RETURN: Millis = 60_000;

/**
 * Whether a device held a connection, over time. A broker that stops or dies takes its connections with it: nobody knows of them until they
 * are back, or another run has listened for as long as a device may take to notice and return.
 */
export function connectionSpans({
  window,
  changes,
  runs,
}: ConnectionsInput): Readonly<Record<ConnectionState, Spans>> {
  const spans: Record<ConnectionState, TimeSpan[]> = { connected: [], lost: [], left: [] };
  const add = (state: ConnectionState, from: UtcMillis, to: UtcMillis): void => {
    spans[state].push({ from: Math.max(from, window.from), to: Math.min(to, window.to) });
  };
  const unknown = ({ run, silenceMs }: ConnectionChange, from: UtcMillis, to: UtcMillis): void => {
    const others = [...runs].flatMap(([name, up]) => (name === run ? [] : up));
    const back = union(others).find((up) => up.to > from);
    if (back === undefined) return;
    add('lost', Math.max(back.from, from) + Math.max(silenceMs, RETURN), to);
  };
  const close = (change: ConnectionChange, from: UtcMillis, to: UtcMillis): void => {
    const { event, run } = change;
    if (event === 'stopped') unknown(change, from, to);
    else if (event === 'left') add('left', from, to);
    else if (event !== 'connected') add('lost', from, to);
    else {
      const end = Math.min(to, Math.max(from, runs.get(run)?.at(-1)?.to ?? from));
      add('connected', from, end);
      unknown(change, end, to);
    }
  };
  let current: ConnectionChange | undefined;
  let since = -Infinity;
  for (const change of changes) {
    if (change.event !== 'connected' && current !== undefined && current.session !== change.session) continue;
    const end = change.event === 'expired' ? change.ts - change.silenceMs : change.ts;
    const at = Math.max(end, since);
    if (current !== undefined) close(current, since, at);
    [current, since] = [change, at];
  }
  if (current !== undefined) close(current, since, window.to);
  const connected = union(spans.connected);
  const lost = subtract(union(spans.lost), connected);
  return { connected, lost, left: subtract(union(spans.left), union([...connected, ...lost])) };
}
