import { union, type Spans } from '#libs/availability';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import { HOUR, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StateStore } from '#libs/state';
import type { Parameter } from '#libs/telemetry';
import { hourKey, samplesOf, type DeviceHour, type Series } from './device-hour.js';
import type { EvidenceSource } from './evidence-source.js';

/** The state of the evidence stage: what each device reported, by hour, and Pantau's own life. */
export const HOURS = 'evidence/device-hours';
export const LIVENESS = 'evidence/liveness';

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

  /** The samples of a series in its first or last hour; hours of the device without it are passed over. */
  async #outermost(device: string, series: Series, reverse: boolean): Promise<Sample[] | undefined> {
    for (let limit = 1; ; limit *= 8) {
      const hours = await this.state.list<DeviceHour>(HOURS, { prefix: `${device}/`, limit, reverse });
      for (const { value } of hours) {
        const samples = samplesOf(value, series);
        if (samples.length > 0) return samples;
      }
      if (hours.length < limit) return undefined;
    }
  }

  async #runs(): Promise<TimeSpan[][]> {
    return (await this.state.list<TimeSpan[]>(LIVENESS)).map(({ value }) => value);
  }

  async #between(device: string, series: Series, { from, to }: TimeSpan): Promise<Sample[]> {
    const hours = await this.state.list<DeviceHour>(HOURS, {
      prefix: `${device}/`,
      from: hourKey(device, from),
      to: hourKey(device, to + HOUR - 1),
    });
    return hours.flatMap(({ value }) => samplesOf(value, series)).filter(({ ts }) => ts >= from && ts < to);
  }
}

export function asHeartbeat({ ts, value, shard, offset }: Sample): HeartbeatInput {
  return { ts, state: value === 1 ? 'up' : 'down', shard, offset };
}
