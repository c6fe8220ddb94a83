import { loadCodecs } from '#devices/codecs';
import { EvidenceModule } from '#apps/evidence';
import { fullCheck } from '#apps/gateway';
import { IngestModule, type IngestOptions } from '#apps/ingest';
import { WriterModule } from '#apps/writer';
import { BucketSource, EvidenceReader } from '#libs/evidence';
import { Registry, type Device } from '#libs/identity';
import { LmdbEnvironment, LmdbJournal, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage } from '#libs/journal-transport';
import { lagOf } from '#libs/journal';
import { DAY, HOUR, MINUTE, seededRandom } from '#libs/kernel';
import { QC_LIMITS_VERSION, type QcLimitsFile } from '#libs/quality-control';
import { STREAMS } from '#libs/streams';
import { TopicMappings, type Uplink } from '#libs/telemetry';
import { temporaryFolder, waitUntil, silentLogger } from '#libs/testing';
import { DuckDbStore } from '#libs/engine-duckdb';
import type { TimeSeriesStore } from '#libs/timeseries';
import { Packr } from 'msgpackr';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { replayOf } from './full-check.js';
import { verify, type Verification } from './verification.js';

const DATA = join(import.meta.dirname, '../../../../simulators/replay/data/beijing-smog-days.csv.gz');
export const DATE = '2013-03-07';
export const ROWS = gunzipSync(readFileSync(DATA))
  .toString()
  .split('\n')
  .filter((line) => line.startsWith('Dongsi,2013,3,'))
  .slice(0, 3 * 24)
  .map((line) => line.split(','))
  .map(([, year, month, day, hour, pm25]) => ({
    ts: Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour)) - 7 * HOUR,
    pm25: Number(pm25),
  }));
const START = ROWS[0]!.ts;
/** An hour of the day that is looked at, with a value of its own. */
export const AT = ROWS.find(
  ({ ts, pm25 }) => ts >= START + 30 * HOUR && ROWS.filter((row) => row.pm25 === pm25).length === 1,
)!;
export const AIR: Device = { id: 'udara-01', site: 'betung', kind: 'air', name: 'U', intervalMs: HOUR };
const QUALITY = { shipped: QC_LIMITS_VERSION, limits: null };
export const CLOCK = {
  maxFuture: 5 * MINUTE,
  oldest: '2000-01-01T00:00:00Z',
  maxAge: 30 * DAY,
  wrongClock: 'arrival' as const,
  gasConditions: 'reference' as const,
};

/** Ingest, evidence and the writer on a folder of their own, with a clock that is set. */
export class Folder implements AsyncDisposable {
  readonly #folder = temporaryFolder('verification');
  readonly #closers: (() => Promise<unknown>)[] = [];
  now = START - HOUR;
  state!: LmdbStateStore;
  journal!: LmdbJournal;
  registry!: Registry;
  options!: IngestOptions;
  store!: TimeSeriesStore;

  constructor(private readonly openStore?: () => TimeSeriesStore) {}

  async open(quality: { shipped: number; limits: QcLimitsFile | null } = QUALITY): Promise<this> {
    const clock = { now: () => this.now };
    const state = (this.state = LmdbStateStore.open(this.#folder.path));
    const journal = await LmdbJournal.open({ state, clock, shards: 2 });
    const registry = new Registry(state, { journal, clock });
    const store = this.openStore?.() ?? (await DuckDbStore.open(join(this.#folder.path, 'r.duckdb')));
    Object.assign(this, { journal, registry, store });
    this.#closers.push(
      () => state.close(),
      () => journal.close(),
      () => store.close(),
    );
    await store.setUp();
    await registry.putSite({ id: 'betung', name: 'Betung' });
    await registry.settings.declare('quality', quality);
    await registry.settings.declare('clock', CLOCK);
    this.options = {
      registry,
      codecs: await loadCodecs(),
      mappings: new TopicMappings([]),
      timePolicy: { maxFutureMs: MINUTE, oldest: 0, maxAgeMs: DAY, wrongClock: 'arrival' },
      qcLimits: quality.limits ?? undefined,
      gasConditions: 'reference',
    };
    return this;
  }

  async listen(): Promise<void> {
    const { journal, state, registry, store, options } = this;
    const clock = { now: () => this.now };
    const base = { journal, state, clock, random: seededRandom(1), backoffMs: 5, logger: silentLogger };
    for (const [stage, module] of [
      ['ingest', IngestModule.register(options)],
      ['evidence', EvidenceModule.register(MINUTE, registry)],
      ['writer', WriterModule.register(store, registry, clock)],
    ] as const) {
      const app = await createStage(module, { ...base, stage });
      await app.listen();
      this.#closers.push(() => app.close());
    }
    await this.caughtUp();
  }

  async caughtUp(): Promise<void> {
    const { journal } = this;
    const waiting = async (): Promise<number> =>
      (await lagOf(journal, 'ingest', 'uplink')) +
      (await lagOf(journal, 'evidence', 'readings')) +
      (await lagOf(journal, 'writer', 'readings'));
    await waitUntil('all is read', async () => (await waiting()) === 0, 50_000);
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }

  async send(rows: readonly (typeof ROWS)[number][], device = AIR.id): Promise<void> {
    const uplink = ({ ts, pm25 }: (typeof ROWS)[number], i: number): Uplink => ({
      ...{ site: 'betung', device, kind: 'telemetry', topic: `pantau/v1/betung/${device}/telemetry` },
      payload: Buffer.from(JSON.stringify({ ts, values: { pm25 } })),
      ...{ receivedAt: ts + 5, qos: 1, messageId: i + 1, dup: false, session: 's', will: false },
    });
    for (const [i, row] of rows.entries()) {
      this.now = row.ts + 5;
      await this.journal.append('uplink', [{ key: device, data: uplink(row, i) }]);
    }
  }

  /** A message of another maker, an hour after the one before. */
  async sendForeign(payload: Uint8Array | object, of: Partial<Uplink> = {}): Promise<void> {
    this.now += HOUR;
    const bytes = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
    const data: Uplink = {
      ...{ site: 'betung', device: AIR.id, kind: 'foreign', topic: '', payload: bytes, receivedAt: this.now },
      ...{ qos: 1, messageId: 1, dup: false, session: 's', will: false, ...of },
    };
    await this.journal.append('uplink', [{ key: AIR.id, data }]);
  }

  verify(): Promise<Verification> {
    const { journal, state, registry, options: ingest, store } = this;
    const evidence = new EvidenceReader(registry, new BucketSource(state));
    const engines = { evidence, journal, registry, state };
    return verify(
      { engines, ingest, livenessBeat: MINUTE, store, now: this.now + HOUR, keptFrom: 0 },
      ...(['env.aq.pm25_daily_mean', AIR.id, DATE] as const),
    );
  }

  async check(): ReturnType<typeof fullCheck> {
    const { journal, store } = this;
    const replay = await replayOf(journal, this.options, undefined);
    const { signal } = new AbortController();
    return fullCheck({ journal, store, replay, signal, now: this.now + HOUR, storeKeepsFrom: 0 });
  }

  /** Changes entries on the disk, as somebody with the file could: nothing else is changed. */
  async forge<T>(stream: 'uplink' | 'readings', change: (data: T) => T): Promise<void> {
    const form = STREAMS[stream].form as unknown as {
      pack(data: T): readonly unknown[];
      unpack(stored: readonly unknown[]): T;
    };
    const own = stream === 'uplink' ? LmdbEnvironment.open(join(this.#folder.path, 'intake')) : undefined;
    const environment = own ?? this.state.environment;
    const chunks = environment.database<Buffer, [string, number, number]>('journal', 'binary');
    const packr = new Packr({ useRecords: false });
    await environment.transact(() => {
      for (const { key, value } of [...chunks.getRange()]) {
        if (key[0] !== stream) continue;
        const pairs = packr.unpackMultiple(Buffer.from(value.subarray(12))) as unknown as [
          string,
          unknown[],
        ][];
        const forged = pairs.map(([of, stored]) => packr.pack([of, form.pack(change(form.unpack(stored)))]));
        chunks.putSync(key, Buffer.concat([Buffer.from(value.subarray(0, 12)), ...forged]));
      }
    });
    await own?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    this.#folder[Symbol.dispose]();
  }
}

export async function recorded(openStore?: () => TimeSeriesStore): Promise<Folder> {
  const folder = await new Folder(openStore).open();
  await folder.registry.putDevice(AIR);
  await folder.send(ROWS);
  await folder.listen();
  return folder;
}
