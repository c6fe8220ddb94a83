import {
  addRow,
  bucketKey,
  byBucket,
  changeOf,
  connectionsKey,
  countGrowth,
  downSample,
  EMPTY_BUCKET,
  intervalsOf,
  mergeBucket,
  NOTHING_REACHED,
  seriesOf,
  STATE_NUMBERS,
  TouchedHours,
  withBucket,
  withChange,
  type ComparisonLimits,
  type SeriesValue,
} from '#libs/evidence';
import { extendRun } from '#libs/availability';
import { BUCKETS, CONNECTIONS, LIVENESS, REACHES } from '#namespaces/evidence';
import { settingAt, type Registry } from '#libs/identity';
import {
  FromStream,
  Tally,
  type Batch,
  type BatchContext,
  InPieces,
  type Pieces,
} from '#libs/journal-transport';
import type { NewEntry } from '#libs/journal';
import { HOUR, KeyedRows, type Millis, type UtcMillis } from '#libs/kernel';
import {
  LIVENESS_KEY,
  type HeartbeatState,
  type HourlyMean,
  type Liveness,
  type Observation,
  type PresenceSignal,
  type QualityFlag,
  type Rollup,
  type Signal,
} from '#libs/telemetry';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';

export const LIVENESS_BEAT_MS = Symbol('LivenessBeatMs');
export const EVIDENCE_REGISTRY = Symbol('Registry');
export const COMPARISON_LIMITS = Symbol('ComparisonLimits');

/** For a device that is not registered any more: no promise of an interval to go by. */
const UNKNOWN_INTERVAL = [{ from: 0, intervalMs: HOUR }];

/**
 * `readings`, `signals` and `liveness` → buckets, from which indicators are computed; `rollups`, the hours and days
 * that are over; and `neighbourhoods`, the means of those hours for a comparison between devices.
 */
@Controller()
export class EvidenceController {
  /** Devices with buckets of before their ends were kept. */
  readonly #older = new Set<string>();

  constructor(
    @Inject(LIVENESS_BEAT_MS) private readonly beatMs: Millis,
    @Inject(EVIDENCE_REGISTRY) private readonly registry: Registry,
    @Inject(COMPARISON_LIMITS) private readonly limits: ComparisonLimits,
  ) {}

  @InPieces('readings')
  readings(@Ctx() context: BatchContext): Pieces<Observation> {
    // Small beside the readings themselves.
    const arrived = new Arrived();
    const touched = new TouchedHours();
    return {
      async add(piece) {
        for (const { shard, offset, data } of piece)
          arrived.add(data.device, data.ts, shard, offset, data.readings);
        await touched.add(piece, context.state);
      },
      end: () => this.#store(arrived, touched, context),
    };
  }

  async #store(arrived: Arrived, touched: TouchedHours, context: BatchContext): Promise<void> {
    const tally = await Tally.begin(context);
    tally.pass(arrived.last);
    // What replaces a value of the same instant takes that one's place in the account too, so reading again changes nothing.
    for (const [flag, count] of await arrived.store(context, this.#older)) tally.add(`flag ${flag}`, count);
    await tally.end();
    const rollups = await downSample(
      touched,
      context.state,
      async (device) => (await intervalsOf(device, this.registry)) ?? UNKNOWN_INTERVAL,
    );
    context.append(
      'rollups',
      rollups.map((data) => ({ key: data.device, data })),
    );
    context.append('neighbourhoods', this.#means(rollups));
  }

  @FromStream('signals')
  async signals(@Payload() batch: Batch<Signal>, @Ctx() context: BatchContext): Promise<void> {
    const arrived = new Arrived();
    const changes: PresenceSignal[] = [];
    for (const { shard, offset, data } of batch) {
      if (data.type === 'heartbeat')
        arrived.add(data.device, data.ts, shard, offset, heartbeatOf(data.state));
      else if (data.type === 'presence') changes.push(data);
    }
    await arrived.store(context, this.#older);
    for (const change of changes) {
      const key = connectionsKey(change.device, change.ts);
      const known = (await context.state.get(CONNECTIONS, key)) ?? [];
      const after = withChange(known, changeOf(change));
      if (after !== known) context.state.put(CONNECTIONS, key, after);
    }
  }

  @FromStream('liveness')
  async liveness(@Payload() batch: Batch<Liveness>, @Ctx() context: BatchContext): Promise<void> {
    const beats = await this.registry.settings.history<Millis>('liveness');
    for (const { key, data } of batch) {
      if (key !== LIVENESS_KEY || data.partial === true) continue;
      const beatMs = settingAt(beats, data.at)?.value ?? this.beatMs;
      const spans = (await context.state.get(LIVENESS, data.run)) ?? [];
      context.state.put(LIVENESS, data.run, extendRun(spans, data, beatMs));
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

function heartbeatOf(state: HeartbeatState): readonly SeriesValue[] {
  return [{ parameter: 'heartbeat', value: STATE_NUMBERS[state], flag: 1 }];
}

/** Few enough that what is read for them is gone before the garbage collector comes by. */
const DEVICES_AT_ONCE = 64;

/** What a batch brings, by device. */
class Arrived {
  readonly #rows = new KeyedRows();
  /** Offset of the newest entry. */
  last = -1;

  add(device: string, ts: UtcMillis, shard: number, offset: number, values: readonly SeriesValue[]): void {
    const row: number[] = [];
    addRow(row, ts, shard, offset, values);
    this.#rows.add(device, row);
    this.last = offset;
  }

  /** @returns by how much the number of values of each flag grew */
  async store({ state }: BatchContext, older: Set<string>): Promise<ReadonlyMap<QualityFlag, number>> {
    const grown = new Map<QualityFlag, number>();
    const all = this.#rows.keys();
    for (let i = 0; i < all.length; i += DEVICES_AT_ONCE) {
      const devices = all.slice(i, i + DEVICES_AT_ONCE);
      const parted = devices.map((device) => byBucket(this.#rows.of(device)));
      await storeReaches(state, devices, parted, older);
      const buckets = devices.flatMap((device, n) =>
        (parted[n] ?? []).map(({ from, rows }) => ({ key: bucketKey(device, from), rows })),
      );
      const known = await state.getMany(
        BUCKETS,
        buckets.map(({ key }) => key),
      );
      for (const [n, { key, rows }] of buckets.entries()) {
        const before = known[n] ?? EMPTY_BUCKET;
        const after = mergeBucket(before, rows);
        state.put(BUCKETS, key, after);
        countGrowth(before, rows, after, grown);
      }
    }
    return grown;
  }
}

/** Keeps the first and the last bucket of each series. @param older - devices of which they are not kept */
async function storeReaches(
  state: BatchContext['state'],
  devices: readonly string[],
  parted: readonly ReturnType<typeof byBucket>[],
  older: Set<string>,
): Promise<void> {
  const known = await state.getMany(REACHES, devices);
  for (const [n, device] of devices.entries()) {
    if (older.has(device)) continue;
    if (known[n] === undefined && (await state.hadAny(BUCKETS, { prefix: `${device}/` }))) {
      older.add(device);
      continue;
    }
    const before = known[n] ?? NOTHING_REACHED;
    let after = before;
    for (const { from, rows } of parted[n] ?? []) after = withBucket(after, from, seriesOf(rows));
    if (after !== before) state.put(REACHES, device, after);
  }
}
