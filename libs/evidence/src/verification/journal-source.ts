import { extendRun, union, type ConnectionChange, type Spans } from '#libs/availability';
import { settingAt, type SettingsHistory } from '#libs/identity';
import type { HeartbeatInput, Sample } from '#libs/indicators';
import { pagesOf, type Entry, type Journal } from '#libs/journal';
import { judgementOf, markOf } from '#libs/quality-control';
import { shardOf, type Millis, type TimeSpan, type UtcMillis } from '#libs/kernel';
import type { StreamName, StreamTypes } from '#libs/streams';
import { LIVENESS_KEY, type Liveness, type Parameter } from '#libs/telemetry';
import { asHeartbeat } from '../buckets/buckets.js';
import { STATE_NUMBERS } from '../buckets/device-bucket-form.js';
import { changeOf } from '../connections/connections.js';
import type { EvidenceSource } from '../evidence-source.js';

const PAGE = 1_000;

/** Evidence from the journal, read from its beginning: slow, and independent of the evidence stage's state. */
export class JournalSource implements EvidenceSource {
  constructor(
    private readonly journal: Journal,
    private readonly livenessBeatMs: Millis,
    /** Says what the beat was before. */
    private readonly settings?: SettingsHistory,
  ) {}

  async samples(device: string, parameter: Parameter, span: TimeSpan): Promise<Sample[]> {
    return (await this.#readings(device, parameter)).filter(({ ts }) => ts >= span.from && ts < span.to);
  }

  async heartbeats(device: string, span: TimeSpan): Promise<HeartbeatInput[]> {
    return (await this.#heartbeats(device))
      .filter(({ ts }) => ts >= span.from && ts < span.to)
      .map(asHeartbeat);
  }

  async observed(): Promise<Spans> {
    return union([...(await this.runs()).values()].flat());
  }

  async runs(): Promise<ReadonlyMap<string, Spans>> {
    const beats = (await this.settings?.history<Millis>('liveness')) ?? [];
    const runs = new Map<string, TimeSpan[]>();
    for (const record of await this.#liveness()) {
      if (record.partial === true) continue;
      const { run, at } = record;
      const beatMs = settingAt(beats, at)?.value ?? this.livenessBeatMs;
      runs.set(run, extendRun(runs.get(run) ?? [], record, beatMs));
    }
    return runs;
  }

  async connections(device: string): Promise<readonly ConnectionChange[]> {
    const changes: ConnectionChange[] = [];
    for await (const { key, data } of entriesOfKey(this.journal, 'signals', device))
      if (key === device && data.type === 'presence') changes.push(changeOf(data));
    return changes;
  }

  async awakeUntil(): Promise<UtcMillis> {
    return (await this.#liveness())
      .filter(({ partial }) => partial !== true)
      .reduce((latest, { at }) => Math.max(latest, at), 0);
  }

  async reach(device: string, series: Parameter | 'heartbeat'): Promise<TimeSpan | undefined> {
    const samples =
      series === 'heartbeat' ? await this.#heartbeats(device) : await this.#readings(device, series);
    const [from, to] = [samples[0]?.ts, samples.at(-1)?.ts];
    return from === undefined || to === undefined ? undefined : { from, to };
  }

  async hasReported(device: string): Promise<boolean> {
    for await (const { key } of entriesOfKey(this.journal, 'readings', device))
      if (key === device) return true;
    return (await this.#heartbeats(device)).length > 0;
  }

  async #readings(device: string, parameter: Parameter): Promise<Sample[]> {
    const samples: Sample[] = [];
    for await (const { shard, offset, key, data } of entriesOfKey(this.journal, 'readings', device)) {
      const reading =
        key === device ? data.readings.find((candidate) => candidate.parameter === parameter) : undefined;
      if (reading !== undefined)
        samples.push({ ts: data.ts, ...judgementOf(markOf(reading)), value: reading.value, shard, offset });
    }
    return inOrder(samples);
  }

  async #heartbeats(device: string): Promise<Sample[]> {
    const samples: Sample[] = [];
    for await (const { shard, offset, key, data } of entriesOfKey(this.journal, 'signals', device)) {
      if (key === device && data.type === 'heartbeat') {
        samples.push({ ts: data.ts, value: STATE_NUMBERS[data.state], ...judgementOf(1), shard, offset });
      }
    }
    return inOrder(samples);
  }

  async #liveness(): Promise<Liveness[]> {
    const samples: Liveness[] = [];
    for await (const { key, data } of entriesOfKey(this.journal, 'liveness', LIVENESS_KEY))
      if (key === LIVENESS_KEY) samples.push(data);
    return samples;
  }
}

/** All entries of the shard that holds the key. What cannot be read, the stages have set aside as well. */
export async function* entriesOfKey<S extends StreamName>(
  journal: Pick<Journal, 'extent' | 'read' | 'shards'>,
  stream: S,
  key: string,
): AsyncGenerator<Entry<StreamTypes[S]>> {
  const shard = shardOf(key, journal.shards);
  for await (const entries of pagesOf(journal, stream, shard, () => undefined, { page: PAGE }))
    yield* entries;
}

/** By time; of one instant the last sample. */
function inOrder(samples: readonly Sample[]): Sample[] {
  const byTime = new Map(samples.map((sample) => [sample.ts, sample]));
  return [...byTime.values()].sort((a, b) => a.ts - b.ts);
}
