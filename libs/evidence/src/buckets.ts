import { union, type Spans } from '#libs/availability';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import { HOUR, hourOf, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Parameter } from '#libs/telemetry';
import type { EvidenceSource } from './evidence-source.js';

/**
 * The state of the evidence stage: what a device reported, by hour. A bucket is a set by timestamp, so a message that
 * arrives twice, late or out of order leads to the same bucket.
 */
export const HOURS = 'evidence/hours';
export const LIVENESS = 'evidence/liveness';

/** What is sampled: a parameter, or whether a camera is up. */
export type Series = Parameter | 'heartbeat';

/** A heartbeat is kept as 1 (up) or 0 (down). */
export type BucketSample = Sample;

/** What one device reported in one hour. One value for all series: they come in the same messages. */
export type DeviceHour = Readonly<Partial<Record<Series, readonly BucketSample[]>>>;

/** Order of the keys is order of time within a device. */
export function hourKey(device: string, ts: UtcMillis): string {
  return `${device}/${String(hourOf(ts)).padStart(15, '0')}`;
}

/** Puts samples into a bucket; of one timestamp the later one stays. */
export function mergeBucket(
  bucket: readonly BucketSample[],
  samples: readonly BucketSample[],
): BucketSample[] {
  const byTime = new Map(bucket.map((sample) => [sample.ts, sample]));
  for (const sample of samples) byTime.set(sample.ts, sample);
  return [...byTime.values()].sort((a, b) => a.ts - b.ts);
}

/** Puts samples of any series into the hour of their device. */
export function mergeHour(
  hour: DeviceHour,
  arrived: ReadonlyMap<Series, readonly BucketSample[]>,
): DeviceHour {
  const merged: Partial<Record<Series, readonly BucketSample[]>> = { ...hour };
  for (const [series, samples] of arrived) merged[series] = mergeBucket(hour[series] ?? [], samples);
  return merged;
}

/** Pantau's own life by run, folded into spans as it arrives; the same as `observedSpans` over all of it. */
export function extendRun(spans: readonly TimeSpan[], at: UtcMillis, beatMs: Millis): TimeSpan[] {
  const last = spans.at(-1);
  if (last !== undefined && at >= last.from && at - last.to <= 3 * beatMs) {
    return [...spans.slice(0, -1), { from: last.from, to: Math.max(last.to, at) }];
  }
  return [...spans, { from: at, to: at }];
}

/** Evidence from the stage's state. */
export class BucketSource implements EvidenceSource {
  constructor(private readonly state: StateStore) {}

  async samples(device: string, parameter: Parameter, span: TimeSpan): Promise<Sample[]> {
    return this.#between(device, parameter, span);
  }

  async heartbeats(device: string, span: TimeSpan): Promise<HeartbeatInput[]> {
    return (await this.#between(device, 'heartbeat', span)).map(asHeartbeat);
  }

  async observed(): Promise<Spans> {
    return union((await this.#runs()).flat());
  }

  async awakeUntil(): Promise<UtcMillis> {
    return Math.max(0, ...(await this.#runs()).flat().map(({ to }) => to));
  }

  async reach(device: string, series: Series): Promise<TimeSpan | undefined> {
    const first = await this.#outermost(device, series, false);
    const last = await this.#outermost(device, series, true);
    const [from, to] = [first?.[0]?.ts, last?.at(-1)?.ts];
    return from === undefined || to === undefined ? undefined : { from, to };
  }

  /** The first or last bucket of a series; hours of the device without it are passed over. */
  async #outermost(
    device: string,
    series: Series,
    reverse: boolean,
  ): Promise<readonly BucketSample[] | undefined> {
    for (let limit = 1; ; limit *= 8) {
      const hours = await this.state.list<DeviceHour>(HOURS, { prefix: `${device}/`, limit, reverse });
      const found = hours.find(({ value }) => value[series] !== undefined)?.value[series];
      if (found !== undefined || hours.length < limit) return found;
    }
  }

  async #runs(): Promise<TimeSpan[][]> {
    return (await this.state.list<TimeSpan[]>(LIVENESS)).map(({ value }) => value);
  }

  async #between(device: string, series: Series, { from, to }: TimeSpan): Promise<BucketSample[]> {
    const hours = await this.state.list<DeviceHour>(HOURS, {
      prefix: `${device}/`,
      from: hourKey(device, from),
      to: hourKey(device, to + HOUR - 1),
    });
    return hours.flatMap(({ value }) => value[series] ?? []).filter(({ ts }) => ts >= from && ts < to);
  }
}

export function asHeartbeat({ ts, value, shard, offset }: BucketSample): HeartbeatInput {
  return { ts, state: value === 1 ? 'up' : 'down', shard, offset };
}
