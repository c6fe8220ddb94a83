import { DAY, type Millis, type UtcMillis } from '#libs/kernel';
import type { TopicKind } from '#libs/telemetry';
import { cameraMessages } from '#simulators/devices';
import { faultsOf, recordedSamples, type ReplayPlan } from './plan.js';
import type { RecordedSample } from './recording.js';

/** A message of a device and when it is due. */
export interface Message {
  readonly ts: UtcMillis;
  /** When its link lets it through. */
  readonly dueAt: UtcMillis;
  readonly kind: TopicKind;
  /** Byte for byte as it is published. */
  readonly payload: string | Buffer;
  /** Of a measurement. */
  readonly values?: Readonly<Record<string, number>>;
}

/** A device that is replayed. */
export interface ReplayedDevice {
  readonly site: string;
  /** In the order of sending. A list, or a source without an end. */
  readonly messages: Iterable<Message>;
}

export type Replay = ReadonlyMap<string, ReplayedDevice>;

/**
 * The messages of every device of a plan.
 *
 * @param shiftMs - how much later than recorded
 */
export function replayOf(plan: ReplayPlan, shiftMs: Millis = 0): Replay {
  return devicesOf(plan, shiftMs, (round) => [...until(round(0), plan.to + shiftMs)]);
}

/**
 * A plan that goes on after its end, for ever: the stations with what was recorded next, and from the beginning of the recording
 * after its end; the cameras with the same outages again.
 */
export function onAndOn(plan: ReplayPlan, shiftMs: Millis): Replay {
  return devicesOf(plan, shiftMs, rounds);
}

type Round = (n: number) => Iterable<Message>;

function devicesOf(
  plan: ReplayPlan,
  shiftMs: Millis,
  messagesOf: (round: Round) => Iterable<Message>,
): Replay {
  const { site, from, to, cameras } = plan;
  const devices = new Map<string, ReplayedDevice>();
  for (const [device, samples] of recordedSamples(plan)) {
    const length = lengthOf(samples);
    const round: Round = (n) => stationMessages(samples, from, n * length, shiftMs);
    devices.set(device, { site, messages: samples.length === 0 ? [] : messagesOf(round) });
  }
  for (const device of cameras?.devices ?? []) {
    const { seed = 1, interval: intervalMs = DAY } = cameras ?? {};
    const round: Round = (n) => {
      const laterMs = shiftMs + n * (to - from);
      const faults = faultsOf(plan, device, laterMs);
      const messages = cameraMessages({
        ...{ id: device, seed: seed + n, intervalMs, faults },
        ...{ from: from + laterMs, to: to + laterMs },
      });
      return mapped(messages, ({ at: ts, deliverAt: dueAt, kind, payload }) => ({
        ts,
        dueAt,
        kind,
        payload,
      }));
    };
    devices.set(device, { site, messages: messagesOf(round) });
  }
  return devices;
}

/** What is due by an instant, and what follows, of a replay without an end. */
export function splitAt(replay: Replay, at: UtcMillis): { readonly before: Replay; readonly after: Replay } {
  const before = new Map<string, ReplayedDevice>();
  const after = new Map<string, ReplayedDevice>();
  for (const [device, { site, messages }] of replay) {
    const rest = messages[Symbol.iterator]();
    const due: Message[] = [];
    let next = rest.next();
    for (; next.done !== true && next.value.dueAt <= at; next = rest.next()) due.push(next.value);
    before.set(device, { site, messages: due });
    after.set(device, { site, messages: following(next, rest) });
  }
  return { before, after };
}

function* following(next: IteratorResult<Message>, rest: Iterator<Message>): Generator<Message> {
  for (let one = next; one.done !== true; one = rest.next()) yield one.value;
}

/** Of a recording, in whole days, so that the second round keeps the hours of the day. */
function lengthOf(samples: readonly RecordedSample[]): Millis {
  const [first, last] = [samples[0]?.ts ?? 0, samples.at(-1)?.ts ?? 0];
  return Math.ceil((last - first + 1) / DAY) * DAY;
}

/** The samples of a station from an instant of its recording on, the recording so much later. */
function* stationMessages(
  samples: readonly RecordedSample[],
  from: UtcMillis,
  laterMs: Millis,
  shiftMs: Millis,
): Generator<Message> {
  for (const [seq, sample] of samples.entries()) {
    if (sample.ts + laterMs < from) continue;
    const { values } = sample;
    const ts = sample.ts + laterMs + shiftMs;
    const payload = JSON.stringify({ ts: new Date(ts).toISOString(), seq, values });
    yield { ts, dueAt: ts, kind: 'telemetry', payload, values };
  }
}

function* rounds(round: Round): Generator<Message> {
  for (let n = 0; ; n++) yield* round(n);
}

function* until(messages: Iterable<Message>, to: UtcMillis): Generator<Message> {
  for (const message of messages) {
    if (message.ts >= to) return;
    yield message;
  }
}

function* mapped<A, B>(items: Iterable<A>, map: (item: A) => B): Generator<B> {
  for (const item of items) yield map(item);
}
