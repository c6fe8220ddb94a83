import { union, type ConnectionChange, type Spans } from '#libs/availability';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import { HOUR, hourOf, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Parameter } from '#libs/telemetry';
import { BUCKET, bucketKey, samplesOf, stateOfNumber, type Series } from './device-bucket-form.js';
import type { EvidenceSource } from '../evidence-source.js';
import { connectionsKey } from '../connections/connections.js';
import { BUCKETS, CONNECTIONS, LIVENESS, REACHES } from '../namespaces.js';

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
    return union([...(await this.runs()).values()].flat());
  }

  async awakeUntil(): Promise<UtcMillis> {
    return Math.max(0, ...[...(await this.runs()).values()].flat().map(({ to }) => to));
  }

  async runs(): Promise<ReadonlyMap<string, Spans>> {
    return new Map((await this.state.list(LIVENESS)).map(({ key, value }) => [key, value]));
  }

  async connections(device: string, { from, to }: TimeSpan): Promise<readonly ConnectionChange[]> {
    const prefix = `${device}/`;
    const first = connectionsKey(device, from);
    const before = await this.state.list(CONNECTIONS, { prefix, to: first, limit: 1, reverse: true });
    const within = await this.state.list(CONNECTIONS, {
      prefix,
      from: first,
      to: connectionsKey(device, to + HOUR),
    });
    return [...before, ...within].flatMap(({ value }) => value);
  }

  async reach(device: string, series: Series): Promise<TimeSpan | undefined> {
    const known = await this.state.get(REACHES, device);
    if (known === undefined) return this.#searched(device, series);
    const buckets = known[series];
    if (buckets === undefined) return undefined;
    const keys = [bucketKey(device, buckets.first), bucketKey(device, buckets.last)];
    const [first, last] = await this.state.getMany(BUCKETS, keys);
    const [from, to] = [samplesOf([first], series)[0]?.ts, samplesOf([last], series).at(-1)?.ts];
    // One that cannot be read is passed over.
    return from === undefined || to === undefined ? this.#searched(device, series) : { from, to };
  }

  /** Of a device whose buckets are older than what is kept of their ends. */
  async #searched(device: string, series: Series): Promise<TimeSpan | undefined> {
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
