import type { Millis, TimeSpan, UtcMillis } from '#libs/kernel';
import { namedRandom } from '#simulators/air';
import { during, type CameraFault, type FaultKind, type SupplyFault } from './faults.js';
import { Link } from './link.js';
import { JITTER, type SimulatedMessage } from './message.js';

export interface CameraOptions extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  readonly intervalMs: Millis;
  readonly faults: readonly (CameraFault | SupplyFault)[];
}

/** What a camera truly gave: pictures, none, or the same one again and again. */
export type CameraState = 'up' | 'down' | 'frozen';

export interface CameraSpan extends TimeSpan {
  readonly state: CameraState;
  readonly cause?: FaultKind;
}

const FRAMES_A_SECOND = 15;
const WORDS: Readonly<Record<string, string>> = {
  recorder: 'no stream from the recorder',
  black: 'picture is black',
  flapping: 'stream lost',
};

/** What stops the pictures at an instant. A cut link does not: the camera works, and says so later. */
function stoppedBy(
  faults: readonly (CameraFault | SupplyFault)[],
  at: UtcMillis,
): CameraFault | SupplyFault | undefined {
  return during(faults, at).find(
    (fault) =>
      fault.kind !== 'link' &&
      (fault.kind !== 'flapping' || (at - fault.from) % fault.period < fault.period / 2),
  );
}

/** The heartbeats of a camera, in the order in which its link lets them through. The same options give the same bytes. */
export function* cameraMessages({
  id,
  seed,
  intervalMs,
  from,
  to,
  faults,
}: CameraOptions): Generator<SimulatedMessage> {
  const random = namedRandom(seed, `camera/${id}`);
  const link = new Link(faults);
  let frames = 0;
  let lastFrameAt: UtcMillis | undefined;
  let seq = 0;
  for (let due = from; due < to; due += intervalMs) {
    const at = Math.round(due + random() * JITTER * intervalMs);
    const stop = stoppedBy(faults, at);
    if (stop?.kind === 'power') {
      seq = 0;
      frames = 0;
      continue;
    }
    // A frozen picture is the one that its agent does not notice: only its frames tell.
    const claimsUp = stop === undefined || stop.kind === 'frozen';
    if (stop === undefined) {
      frames += Math.round((FRAMES_A_SECOND * intervalMs) / 1_000);
      lastFrameAt = at;
    }
    yield {
      at,
      deliverAt: link.deliver(at),
      statedAt: at,
      kind: 'heartbeat',
      payload: JSON.stringify({
        ts: new Date(at).toISOString(),
        seq: seq++,
        state: claimsUp ? 'up' : 'down',
        ...(claimsUp
          ? {}
          : { reason: ('reason' in stop ? stop.reason : undefined) ?? WORDS[stop.kind] ?? stop.kind }),
        frames,
        ...(lastFrameAt === undefined ? {} : { lastFrameAt: new Date(lastFrameAt).toISOString() }),
      }),
      isRepeat: false,
      truth: {},
      faults: {},
    };
  }
}

/** When a camera truly gave pictures, over its whole span and without gaps. */
export function cameraTruth({ from, to, faults }: CameraOptions): CameraSpan[] {
  const edges = new Set([from, to]);
  for (const fault of faults) {
    edges.add(fault.from).add(fault.to);
    if (fault.kind === 'flapping')
      for (let at = fault.from; at < fault.to; at += fault.period / 2) edges.add(Math.round(at));
  }
  const instants = [...edges].filter((at) => at >= from && at <= to).sort((a, b) => a - b);
  const spans: CameraSpan[] = [];
  for (const [i, at] of instants.entries()) {
    const end = instants[i + 1];
    if (end === undefined) break;
    const stop = stoppedBy(faults, at);
    const state = stop === undefined ? 'up' : stop.kind === 'frozen' ? 'frozen' : 'down';
    const last = spans.at(-1);
    if (last?.state === state && last.cause === stop?.kind) spans[spans.length - 1] = { ...last, to: end };
    else spans.push({ from: at, to: end, state, ...(stop === undefined ? {} : { cause: stop.kind }) });
  }
  return spans;
}
