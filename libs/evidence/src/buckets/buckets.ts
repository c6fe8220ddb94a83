import { union, type Spans } from '#libs/availability';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import { hourOf, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Parameter } from '#libs/telemetry';
import { BUCKET, bucketKey, samplesOf, stateOfNumber, type Series } from './device-bucket-form.js';
import type { EvidenceSource } from '../evidence-source.js';
import { BUCKETS, LIVENESS } from '../namespaces.js';

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

  async hasReported(device: string): Promise<boolean> {
    return (await this.state.list(BUCKETS, { prefix: `${device}/`, limit: 1 })).length > 0;
  }

  /** The samples of a series in its first or last bucket; buckets of the device without it are passed over. */
  async #outermost(device: string, series: Series, reverse: boolean): Promise<Sample[] | undefined> {
    for (let limit = 1; ; limit *= 8) {
      const buckets = await this.state.list(BUCKETS, { prefix: `${device}/`, limit, reverse });
      for (const { value } of buckets) {
        const samples = samplesOf([value], series);
        if (samples.length > 0) return samples;
      }
      if (buckets.length < limit) return undefined;
    }
  }

  async #runs(): Promise<TimeSpan[][]> {
    return (await this.state.list(LIVENESS)).map(({ value }) => value);
  }

  async #between(device: string, series: Series, { from, to }: TimeSpan): Promise<Sample[]> {
    const buckets = await this.state.list(BUCKETS, {
      prefix: `${device}/`,
      // One that is a whole hour begins with it.
      from: bucketKey(device, hourOf(from)),
      to: bucketKey(device, to + BUCKET - 1),
    });
    const samples = samplesOf(
      buckets.map(({ value }) => value),
      series,
    );
    return samples.filter(({ ts }) => ts >= from && ts < to);
  }
}

export function asHeartbeat({ ts, value, shard, offset }: Sample): HeartbeatInput {
  return { ts, state: stateOfNumber(value), shard, offset };
}
