import { DAY, MINUTE, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import { namedRandom } from '#simulators/air';
import type { CameraSpan } from './camera.js';
import { during, type ProgrammeFault, type SupplyFault } from './faults.js';
import { Link } from './link.js';
import { JITTER, type SimulatedMessage } from './message.js';

export interface PublicServiceOptions extends TimeSpan {
  readonly id: string;
  readonly seed: number;
  readonly intervalMs: Millis;
  readonly faults: readonly (ProgrammeFault | SupplyFault)[];
}

/** Mean time between failures of its own. */
const BETWEEN_FAILURES: Millis = 2 * DAY;
const SHORTEST_FAILURE: Millis = 5 * MINUTE;
const LONGEST_FAILURE: Millis = 45 * MINUTE;

/**
 * What a probe says of a public service (queue, hotline, web form): a heartbeat for each question, `down` when nobody answered. Without
 * power it is the probe that is silent. The same options give the same bytes.
 */
export function* publicServiceMessages(options: PublicServiceOptions): Generator<SimulatedMessage> {
  const { id, seed, intervalMs, from, to, faults } = options;
  const random = namedRandom(seed, `service/${id}`);
  const link = new Link(faults);
  const outages = outagesOf(options);
  let seq = 0;
  for (let due = from; due < to; due += intervalMs) {
    const at = Math.round(due + random() * JITTER * intervalMs);
    if (during(faults, at).some(({ kind }) => kind === 'power')) {
      seq = 0;
      continue;
    }
    const answers = during(outages, at).length === 0;
    yield {
      ...{ at, deliverAt: link.deliver(at), statedAt: at, kind: 'heartbeat', isRepeat: false },
      ...{ truth: {}, faults: {} },
      payload: JSON.stringify({
        ts: new Date(at).toISOString(),
        seq: seq++,
        ...(answers ? { state: 'up' } : { state: 'down', reason: 'no answer within 10 s' }),
      }),
    };
  }
}

/** When the service truly answered, over its whole span and without gaps. */
export function publicServiceTruth(options: PublicServiceOptions): CameraSpan[] {
  const { from, to } = options;
  const outages = outagesOf(options);
  const edges = new Set([from, to, ...outages.flatMap((outage) => [outage.from, outage.to])]);
  const instants = [...edges].filter((at) => at >= from && at <= to).sort((a, b) => a - b);
  const spans: CameraSpan[] = [];
  for (const [i, end] of instants.slice(1).entries()) {
    const begin = instants[i] as UtcMillis;
    const state = during(outages, begin).length === 0 ? 'up' : 'down';
    const last = spans.at(-1);
    if (last?.state === state) spans[spans.length - 1] = { ...last, to: end };
    else spans.push({ from: begin, to: end, state });
  }
  return spans;
}

/** Failures of its own, and those of the scenario. */
function outagesOf({ id, seed, from, to, faults }: PublicServiceOptions): TimeSpan[] {
  const random = namedRandom(seed, `service/${id}/failures`);
  const outages: TimeSpan[] = faults.filter(({ kind }) => kind === 'outage');
  for (let at = from; ;) {
    at += Math.round(-BETWEEN_FAILURES * Math.log(1 - random()));
    const lasts = Math.round(SHORTEST_FAILURE + random() * (LONGEST_FAILURE - SHORTEST_FAILURE));
    if (at >= to) return outages;
    outages.push({ from: at, to: Math.min(to, at + lasts) });
    at += lasts;
  }
}
