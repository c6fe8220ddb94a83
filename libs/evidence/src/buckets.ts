import { union, type Spans } from '#libs/availability';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import { HOUR, hourOf, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Parameter } from '#libs/telemetry';
import type { EvidenceSource } from './evidence-source.js';

/**
 * The state of the evidence stage: what was reported, in buckets of an hour. A bucket is a set by timestamp, so a
 * message that arrives twice, late or out of order leads to the same bucket.
 */
export const BUCKETS = 'evidence/buckets';
export const LIVENESS = 'evidence/liveness';

/** A heartbeat is kept as 1 (up) or 0 (down). */
export type BucketSample = Sample;

/** Order of the keys is order of time within a device and series. */
export function bucketKey(device: string, series: Parameter | 'heartbeat', ts: UtcMillis): string {
  return `${device}/${series}/${String(hourOf(ts)).padStart(15, '0')}`;
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

  async reach(device: string, series: Parameter | 'heartbeat'): Promise<TimeSpan | undefined> {
    const prefix = `${device}/${series}/`;
    const [first] = await this.state.list<BucketSample[]>(BUCKETS, { prefix, limit: 1 });
    const [last] = await this.state.list<BucketSample[]>(BUCKETS, { prefix, limit: 1, reverse: true });
    const [from, to] = [first?.value[0]?.ts, last?.value.at(-1)?.ts];
    return from === undefined || to === undefined ? undefined : { from, to };
  }

  async #runs(): Promise<TimeSpan[][]> {
    return (await this.state.list<TimeSpan[]>(LIVENESS)).map(({ value }) => value);
  }

  async #between(
    device: string,
    series: Parameter | 'heartbeat',
    { from, to }: TimeSpan,
  ): Promise<BucketSample[]> {
    const buckets = await this.state.list<BucketSample[]>(BUCKETS, {
      prefix: `${device}/${series}/`,
      from: bucketKey(device, series, from),
      to: bucketKey(device, series, to + HOUR - 1),
    });
    return buckets.flatMap(({ value }) => value).filter(({ ts }) => ts >= from && ts < to);
  }
}

export function asHeartbeat({ ts, value, shard, offset }: BucketSample): HeartbeatInput {
  return { ts, state: value === 1 ? 'up' : 'down', shard, offset };
}
