import 'reflect-metadata';
import { loadCodecs } from '#devices/codecs';
import { EvidenceModule } from '#apps/evidence';
import { IngestModule, type IngestOptions } from '#apps/ingest';
import { WriterModule } from '#apps/writer';
import { BucketSource, EvidenceReader } from '#libs/evidence';
import { Registry, type Device } from '#libs/identity';
import { PM25_DAILY_MEAN } from '#libs/indicators';
import { LmdbJournal } from '#libs/journal';
import { createStage, lagOf } from '#libs/journal-transport';
import { DAY, HOUR, MINUTE, seededRandom } from '#libs/kernel';
import { QC_LIMITS_VERSION, qcLimitsSchema, type QcLimitsFile } from '#libs/quality-control';
import { LmdbEnvironment, LmdbStateStore } from '#libs/state';
import { STREAMS } from '#libs/streams';
import { TopicMappings, type Observation, type Uplink } from '#libs/telemetry';
import { describeWith, startInfluxd, temporaryFolder, waitUntil } from '#libs/testing';
import { DuckDbStore, InfluxStore, type TimeSeriesStore } from '#libs/timeseries';
import { Packr } from 'msgpackr';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { verify, type Verification } from './verification.js';

const DATA = join(import.meta.dirname, '../../../simulators/replay/data/beijing-smog-days.csv.gz');
const DATE = '2013-03-07';
const ROWS = gunzipSync(readFileSync(DATA))
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
const AT = ROWS.find(
  ({ ts, pm25 }) => ts >= START + 30 * HOUR && ROWS.filter((row) => row.pm25 === pm25).length === 1,
)!;
const AIR: Device = { id: 'udara-01', site: 'betung', kind: 'air', name: 'U', intervalMs: HOUR };
const QUALITY = { shipped: QC_LIMITS_VERSION, limits: null };
const CLOCK = {
  maxFuture: 5 * MINUTE,
  oldest: '2000-01-01T00:00:00Z',
  maxAge: 30 * DAY,
  wrongClock: 'arrival' as const,
  gasConditions: 'reference' as const,
};
const silent = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** Ingest, evidence and the writer on a folder of their own, with a clock that is set. */
class Folder implements AsyncDisposable {
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
    const base = { journal, state, clock, random: seededRandom(1), backoffMs: 5, logger: silent };
    for (const [stage, module] of [
      ['ingest', IngestModule.register(options)],
      ['evidence', EvidenceModule.register(MINUTE, registry)],
      ['writer', WriterModule.register(store, registry, clock)],
    ] as const) {
      const app = await createStage(module, { ...base, stage });
      await app.listen();
      this.#closers.push(() => app.close());
    }
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

  verify(): Promise<Verification> {
    const { journal, state, registry, options: ingest, store } = this;
    const evidence = new EvidenceReader(registry, new BucketSource(state));
    const engines = { evidence, journal, registry, state };
    return verify(
      { engines, ingest, livenessBeat: MINUTE, store, keptFrom: 0 },
      ...([PM25_DAILY_MEAN.key, AIR.id, DATE] as const),
    );
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

async function recorded(openStore?: () => TimeSeriesStore): Promise<Folder> {
  const folder = await new Folder(openStore).open();
  await folder.registry.putDevice(AIR);
  await folder.send(ROWS);
  await folder.listen();
  return folder;
}

const forgedReading = (data: Observation): Observation =>
  data.ts === AT.ts ? { ...data, readings: data.readings.map((r) => ({ ...r, value: r.value + 1 })) } : data;

describe('a figure computed again from the bytes', () => {
  it('is equal where nobody touched anything, across a restart and changed settings', async () => {
    await using folder = await recorded();
    expect(await folder.verify()).toMatchObject({ result: 'equal', store: { result: 'equal' } });
    const { value } = (await folder.verify()).record;
    expect(value).toBeGreaterThan(200);
    await folder.close();
    folder.now += DAY;
    await folder.open({ shipped: QC_LIMITS_VERSION, limits: NARROW });
    await folder.registry.putDevice({ ...AIR, intervalMs: MINUTE, humidityCorrection: 'epa-2021' });
    await folder.listen();
    expect(await folder.verify()).toMatchObject({ result: 'equal', store: { result: 'equal' } });
    expect((await folder.verify()).record.value).toBe(value);
  });

  it('is judged with the settings of the arrival when a backlog is read after they changed', async () => {
    await using folder = await new Folder().open();
    await folder.registry.putDevice(AIR);
    await folder.send(ROWS);
    folder.now += DAY;
    await folder.registry.settings.declare('clock', { ...CLOCK, oldest: '2014-01-01T00:00:00Z' });
    await folder.listen();
    const outcome = await folder.verify();
    expect(outcome).toMatchObject({ result: 'equal', store: { result: 'equal' } });
    expect(outcome.record.value).toBeGreaterThan(200);
  });

  it('notices the changed bytes of a message', async () => {
    await using folder = await recorded();
    await folder.close();
    await folder.open();
    await folder.forge<Uplink>('uplink', (data) => {
      const text = Buffer.from(data.payload).toString();
      return text.includes(`"ts":${AT.ts},`)
        ? { ...data, payload: Buffer.from(text.replace(`:${AT.pm25}}`, `:${AT.pm25 + 1}}`)) }
        : data;
    });
    await restart(folder);
    const offset = ROWS.indexOf(AT);
    expect(await folder.verify()).toMatchObject({
      result: 'different',
      difference: { part: 'entries', stream: 'readings', offset, uplink: { offset } },
    });
  });

  it('notices a changed entry of the readings, also together with the state', async () => {
    await using folder = await recorded();
    await folder.forge<Observation>('readings', forgedReading);
    await forgeState(folder);
    await restart(folder);
    expect(await folder.verify()).toMatchObject({
      result: 'different',
      difference: { part: 'entries', stream: 'readings', offset: ROWS.indexOf(AT) },
    });
  });

  it('notices a changed record of the state', async () => {
    await using folder = await recorded();
    await forgeState(folder);
    await restart(folder);
    expect(await folder.verify()).toMatchObject({
      result: 'different',
      difference: { part: 'state', stream: 'readings', offset: ROWS.indexOf(AT) },
    });
  });

  it('notices a changed row of DuckDB', async () => {
    await using folder = await recorded();
    await noticesRow(folder);
  });

  it('cannot be verified when the messages are gone by retention, and says which', async () => {
    await using folder = await recorded();
    folder.now += DAY;
    await folder.journal.retain('uplink', { maxAge: HOUR });
    expect(await folder.verify()).toMatchObject({
      result: 'not_verifiable',
      missing: { stream: 'uplink', removedOn: new Date(folder.now).toISOString().slice(0, 10) },
    });
  });
});

describeWith(['influxd'], 'with a real InfluxDB', () => {
  it('is equal, and a changed row is noticed', async () => {
    await using influx = await startInfluxd();
    const settings = { url: influx.url, version: 1, database: 'verification', timeoutMs: 10_000 } as const;
    await using folder = await recorded(() => new InfluxStore(settings));
    expect(await folder.verify()).toMatchObject({ result: 'equal', store: { result: 'equal' } });
    await noticesRow(folder);
  });
});

const NARROW = qcLimitsSchema.parse({
  version: 'none',
  parameters: { pm25: { range: { fail: [0, 100], suspect: [0, 50] } } },
});

async function restart(folder: Folder): Promise<void> {
  await folder.close();
  await folder.open();
  await folder.listen();
}

async function forgeState({ state }: Folder): Promise<void> {
  const buckets = await state.list<number[]>('evidence/device-hours');
  const forged = buckets.map(({ key, value }) => ({
    ...{ namespace: 'evidence/device-hours', key },
    value: value.map((number) => (number === AT.pm25 ? number + 1 : number)),
  }));
  expect(forged.map(({ value }) => value)).not.toEqual(buckets.map(({ value }) => value));
  await state.write(forged);
}

async function noticesRow(folder: Folder): Promise<void> {
  await folder.store.write([
    {
      ...{ site: 'betung', device: AIR.id, ts: AT.ts, receivedAt: AT.ts + 5 },
      readings: [{ parameter: 'pm25', value: AT.pm25, flag: 3 }],
    },
  ]);
  const { result, difference, store } = await folder.verify();
  expect({ result, difference }).toMatchObject({
    result: 'different',
    difference: {
      ...{ part: 'store', stream: 'readings', offset: ROWS.indexOf(AT) },
      row: `${new Date(AT.ts).toISOString()} pm25`,
    },
  });
  expect(store.journal).not.toBe(store.store);
}
