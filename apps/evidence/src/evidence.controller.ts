import {
  downSample,
  extendRun,
  hourKey,
  HOURS,
  LIVENESS,
  mergeHour,
  type BucketSample,
  type ComparisonLimits,
  type DeviceHour,
  type Series,
  type TouchedSeries,
} from '#libs/evidence';
import type { Registry } from '#libs/identity';
import type { Batch, BatchContext } from '#libs/journal-transport';
import type { NewEntry } from '#libs/journal';
import { HOUR, hourOf, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { HourlyMean, Liveness, Observation, Parameter, Rollup, Signal } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';

export const LIVENESS_BEAT_MS = Symbol('LivenessBeatMs');
export const REGISTRY = Symbol('Registry');
export const COMPARISON_LIMITS = Symbol('ComparisonLimits');

/** For a device that is not registered any more: no promise of an interval to go by. */
const UNKNOWN_INTERVAL_MS = HOUR;

/**
 * `readings`, `signals` and `liveness` → hourly buckets, from which indicators are computed; `rollups`, the hours and days
 * that are over; and `neighbourhoods`, the means of those hours for a comparison between devices.
 */
@Controller()
export class EvidenceController {
  constructor(
    @Inject(LIVENESS_BEAT_MS) private readonly beatMs: Millis,
    @Inject(REGISTRY) private readonly registry: Registry,
    @Inject(COMPARISON_LIMITS) private readonly limits: ComparisonLimits,
  ) {}

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    const arrived = new Arrived();
    const touched = new Touched();
    for (const { shard, offset, data } of batch) {
      for (const { parameter, value, flag } of data.readings) {
        if (arrived.add(data.device, parameter, { ts: data.ts, value, flag, shard, offset }))
          touched.add(data.device, parameter, hourOf(data.ts), data.site);
      }
    }
    await arrived.store(context);
    const rollups = await downSample(
      touched.series(),
      context.state,
      async (device) => (await this.registry.device(device))?.intervalMs ?? UNKNOWN_INTERVAL_MS,
    );
    context.append(
      'rollups',
      rollups.map((data) => ({ key: data.device, data })),
    );
    context.append('neighbourhoods', this.#means(rollups));
  }

  @EventPattern<string>('signals')
  async signals(@Payload() batch: Batch<Signal>, @Ctx() context: BatchContext): Promise<void> {
    const arrived = new Arrived();
    for (const { shard, offset, data } of batch) {
      if (data.type !== 'heartbeat') continue;
      const value = data.state === 'up' ? 1 : 0;
      arrived.add(data.device, 'heartbeat', { ts: data.ts, value, flag: 1, shard, offset });
    }
    await arrived.store(context);
  }

  @EventPattern<string>('liveness')
  async liveness(@Payload() batch: Batch<Liveness>, @Ctx() context: BatchContext): Promise<void> {
    for (const { data } of batch) {
      const spans = (await context.state.get<TimeSpan[]>(LIVENESS, data.run)) ?? [];
      context.state.put(LIVENESS, data.run, extendRun(spans, data.at, this.beatMs));
    }
  }

  /** An hour without a mean too: it had one before a flag changed, perhaps. */
  #means(rollups: readonly Rollup[]): NewEntry<HourlyMean>[] {
    return rollups.flatMap(({ tier, device, parameter, from: hour, mean }) =>
      tier === 'hour' && this.limits.compares(parameter)
        ? [{ key: parameter, data: { device, parameter, hour, mean } }]
        : [],
    );
  }
}

/** The hours that a batch touches, by series. */
class Touched {
  readonly #series = new Map<
    string,
    { device: string; parameter: Parameter; hours: { hour: UtcMillis; site: string }[] }
  >();

  add(device: string, parameter: Parameter, hour: UtcMillis, site: string): void {
    const key = `${device}/${parameter}`;
    const series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, { device, parameter, hours: [{ hour, site }] });
    else series.hours.push({ hour, site });
  }

  series(): TouchedSeries[] {
    return [...this.#series.values()];
  }
}

/** The samples of a batch, by the hour of their device. */
class Arrived {
  readonly #hours = new Map<string, Map<Series, BucketSample[]>>();

  /** @returns whether it is the first of its series and hour */
  add(device: string, series: Series, sample: BucketSample): boolean {
    const key = hourKey(device, sample.ts);
    let hour = this.#hours.get(key);
    if (hour === undefined) this.#hours.set(key, (hour = new Map<Series, BucketSample[]>()));
    const samples = hour.get(series);
    samples?.push(sample);
    if (samples === undefined) hour.set(series, [sample]);
    return samples === undefined;
  }

  async store({ state }: BatchContext): Promise<void> {
    const keys = [...this.#hours.keys()];
    const known = await state.getMany<DeviceHour>(HOURS, keys);
    for (const [i, [key, arrived]] of [...this.#hours].entries())
      state.put(HOURS, key, mergeHour(known[i] ?? {}, arrived));
  }
}
