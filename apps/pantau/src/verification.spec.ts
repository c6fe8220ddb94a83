import 'reflect-metadata';
import { loadCodecs } from '#devices/codecs';
import { EvidenceModule } from '#apps/evidence';
import { fullCheck } from '#apps/gateway';
import { IngestModule, type IngestOptions } from '#apps/ingest';
import { WriterModule } from '#apps/writer';
import { BucketSource, EvidenceReader } from '#libs/evidence';
import { Registry, type Device } from '#libs/identity';
import { PM25_DAILY_MEAN } from '#libs/indicators';
import { LmdbJournal, LmdbEnvironment, LmdbStateStore } from '#libs/engine-lmdb';
import { createStage, lagOf } from '#libs/journal-transport';
import { DAY, HOUR, MINUTE, seededRandom } from '#libs/kernel';
import { QC_LIMITS_VERSION, qcLimitsSchema, type QcLimitsFile } from '#libs/quality-control';
import { STREAMS } from '#libs/streams';
import { TopicMappings, type Observation, type Uplink } from '#libs/telemetry';
import { describeWith, startInfluxd, temporaryFolder, waitUntil } from '#libs/testing';
import { DuckDbStore } from '#libs/engine-duckdb';
import { InfluxStore } from '#libs/engine-influx';
import type { TimeSeriesStore } from '#libs/timeseries';
import { Packr } from 'msgpackr';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { replayOf } from './full-check.js';
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

  verify(): Promise<Verification> {
    const { journal, state, registry, options: ingest, store } = this;
    const evidence = new EvidenceReader(registry, new BucketSource(state));
    const engines = { evidence, journal, registry, state };
    return verify(
      { engines, ingest, livenessBeat: MINUTE, store, now: this.now + HOUR, keptFrom: 0 },
      ...([PM25_DAILY_MEAN.key, AIR.id, DATE] as const),
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
    expect(await folder.check()).toMatchObject(NOTHING_DIFFERS);
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
    expect(await folder.check()).toMatchObject(NOTHING_DIFFERS);
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
    expect(await folder.check()).toMatchObject(ENTRY_DIFFERS);
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
    const { differences, ...check } = await folder.check();
    expect(check).toMatchObject({ bytes: { different: 1 }, values: { different: 1 }, balanced: false });
    expect(differences.map(({ part, device, day }) => [part, device, day])).toEqual([
      ['entries', AIR.id, DATE],
      ['store', AIR.id, DATE],
    ]);
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
    expect(await folder.check()).toMatchObject({
      ...NOTHING_DIFFERS,
      bytes: { different: 0, withFlags: false },
    });
  });

  it('is no tampering in a full check when part of the messages or of the readings went by retention', async () => {
    for (const stream of ['uplink', 'readings'] as const) {
      await using folder = await recorded();
      folder.now += DAY;
      const late = ROWS.map(({ ts, pm25 }) => ({ ts: ts + ROWS.length * HOUR, pm25 }));
      await folder.send(late);
      await folder.caughtUp();
      folder.now += MINUTE;
      await folder.journal.retain(stream, { maxAge: 30 * HOUR });
      const check = await folder.check();
      const withFlags = stream === 'readings';
      expect(check).toMatchObject({
        ...NOTHING_DIFFERS,
        bytes: { different: 0, notVerifiable: 0, withFlags },
      });
      const { messages, observations } = check.takenByRetention;
      expect(messages + observations).toBeGreaterThan(0);
      expect(check.values.notVerifiable).toBe(observations);
    }
  });

  it('notices a reading that no message said', async () => {
    await using folder = await recorded();
    const [entry] = await folder.journal.read('readings', 0, 0, 1);
    const [other] = await folder.journal.read('readings', 1, 0, 1);
    const { data } = (entry ?? other)!;
    const uplink = { ...data.uplink, offset: 9_999 };
    await folder.journal.append('readings', [{ key: AIR.id, data: { ...data, ts: AT.ts + 1, uplink } }]);
    expect(await folder.check()).toMatchObject({
      bytes: { different: 1 },
      differences: [{ part: 'entries', device: AIR.id, day: DATE, uplink }],
      balanced: false,
    });
  });
});

const NOTHING_DIFFERS = {
  bytes: { different: 0, notVerifiable: 0, withFlags: true },
  values: { different: 0, missing: 0, unsaid: 0 },
  differences: [],
  balanced: true,
};
const ENTRY_DIFFERS = {
  bytes: { different: 1, notVerifiable: 0 },
  values: { different: 0 },
  differences: [{ part: 'entries', device: AIR.id, day: DATE, uplink: { offset: ROWS.indexOf(AT) } }],
  balanced: false,
};

describeWith(['influxd'], 'with a real InfluxDB', () => {
  it('is equal, and a changed row is noticed', async () => {
    await using influx = await startInfluxd();
    const settings = { url: influx.url, version: 1, database: 'verification', timeoutMs: 10_000 } as const;
    await using folder = await recorded(() => new InfluxStore(settings));
    const { result, store } = await folder.verify();
    await using beside = await recorded();
    const { journal, store: inDuckDb } = (await beside.verify()).store;
    expect({ result, store }).toEqual({
      result: 'equal',
      store: { result: 'equal', journal, store: inDuckDb },
    });
    expect(await folder.check()).toMatchObject(NOTHING_DIFFERS);
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
  const { differences, values } = await folder.check();
  expect(values).toMatchObject({ different: 1, missing: 0, unsaid: 0 });
  const one = differences.map(({ part, device, day }) => [part, device, day]);
  expect(one).toEqual([['store', AIR.id, DATE]]);
}
