import { BUCKETS, bucketKey, extendRun, LIVENESS, mergeBucket, type BucketSample } from '#libs/evidence';
import type { Batch, BatchContext } from '#libs/journal-transport';
import type { Millis, TimeSpan } from '#libs/kernel';
import type { Liveness, Observation, Signal } from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';

export const LIVENESS_BEAT_MS = Symbol('LivenessBeatMs');

/** `readings`, `signals` and `liveness` → hourly buckets, from which indicators are computed. */
@Controller()
export class EvidenceController {
  constructor(@Inject(LIVENESS_BEAT_MS) private readonly beatMs: Millis) {}

  @EventPattern<string>('readings')
  async readings(@Payload() batch: Batch<Observation>, @Ctx() context: BatchContext): Promise<void> {
    const arrived = new Map<string, BucketSample[]>();
    for (const { shard, offset, data } of batch) {
      for (const { parameter, value, flag } of data.readings) {
        add(arrived, bucketKey(data.device, parameter, data.ts), { ts: data.ts, value, flag, shard, offset });
      }
    }
    await store(arrived, context);
  }

  @EventPattern<string>('signals')
  async signals(@Payload() batch: Batch<Signal>, @Ctx() context: BatchContext): Promise<void> {
    const arrived = new Map<string, BucketSample[]>();
    for (const { shard, offset, data } of batch) {
      if (data.type !== 'heartbeat') continue;
      const value = data.state === 'up' ? 1 : 0;
      add(arrived, bucketKey(data.device, 'heartbeat', data.ts), {
        ts: data.ts,
        value,
        flag: 1,
        shard,
        offset,
      });
    }
    await store(arrived, context);
  }

  @EventPattern<string>('liveness')
  async liveness(@Payload() batch: Batch<Liveness>, @Ctx() context: BatchContext): Promise<void> {
    for (const { data } of batch) {
      const spans = (await context.state.get<TimeSpan[]>(LIVENESS, data.run)) ?? [];
      context.state.put(LIVENESS, data.run, extendRun(spans, data.at, this.beatMs));
    }
  }
}

function add(arrived: Map<string, BucketSample[]>, key: string, sample: BucketSample): void {
  const samples = arrived.get(key);
  if (samples === undefined) arrived.set(key, [sample]);
  else samples.push(sample);
}

async function store(
  arrived: ReadonlyMap<string, readonly BucketSample[]>,
  { state }: BatchContext,
): Promise<void> {
  const keys = [...arrived.keys()];
  const buckets = await state.getMany<BucketSample[]>(BUCKETS, keys);
  keys.forEach((key, i) => state.put(BUCKETS, key, mergeBucket(buckets[i] ?? [], arrived.get(key) ?? [])));
}
