import 'reflect-metadata';
import { type Journal, lagOf } from '#libs/journal';
import { DAY, HOUR, SECOND, type UtcMillis } from '#libs/kernel';
import type { Observation, Parameter, Rollup } from '#libs/telemetry';
import { describeWith, startInfluxd, temporaryFolder, waitUntil, type InfluxFixture } from '#libs/testing';
import { DuckDbStore } from '#libs/engine-duckdb';
import { InfluxStore } from '#libs/engine-influx';
import type { TimeSeriesStore } from '#libs/timeseries';
import { join } from 'node:path';
import { openWriters } from './writer.fixture.js';

const T0 = Date.UTC(2026, 0, 1);
const DEVICES = Array.from({ length: 20 }, (_, i) => `udara-${String(i).padStart(2, '0')}`);
const PARAMETERS = ['pm25', 'pm10', 'no2', 'temperature', 'humidity'] as const satisfies readonly Parameter[];

/** Which value a series has at an instant; so that what is stored can be told from the key. */
function valueOf(device: number, parameter: number, instant: number): number {
  return device * 1_000 + parameter * 100 + (instant % 997) / 10;
}

function observation(device: number, instant: number): Observation {
  const ts = T0 + instant * SECOND;
  return {
    site: 'betung',
    device: DEVICES[device]!,
    ts,
    receivedAt: ts,
    uplink: { shard: 0, offset: 0 },
    readings: PARAMETERS.map((parameter, p) => ({ parameter, value: valueOf(device, p, instant), flag: 1 })),
  };
}

/** Appends the readings of all devices from one instant to another. */
async function load(journal: Journal, from: number, to: number): Promise<void> {
  const instants = 20;
  for (let first = from; first < to; first += instants) {
    const observations = Array.from({ length: Math.min(instants, to - first) }, (_, i) =>
      DEVICES.map((_device, device) => observation(device, first + i)),
    ).flat();
    await journal.append(
      'readings',
      observations.map((data) => ({ key: data.device, data })),
    );
  }
}

/** Every reading of the instants is stored, with its value, once by key; and nothing else. */
async function expectAll(store: TimeSeriesStore, instants: number): Promise<void> {
  expect(await store.count({})).toBe(instants * DEVICES.length * PARAMETERS.length);
  for (const [d, device] of DEVICES.entries()) {
    for (const [p, parameter] of PARAMETERS.entries()) {
      const points = await store.query({ device, parameter, limit: 10_000, order: 'asc' });
      expect(points.map(({ ts, value }) => [ts, value])).toEqual(
        Array.from({ length: instants }, (_, i) => [T0 + i * SECOND, valueOf(d, p, i)]),
      );
    }
  }
}

describeWith(['influxd'], 'the writer on a real InfluxDB', () => {
  let influx: InfluxFixture;
  let databases = 0;
  beforeAll(async () => {
    influx = await startInfluxd();
  });
  afterAll(() => influx[Symbol.asyncDispose]());

  async function openInflux(raw = Infinity): Promise<InfluxStore> {
    const retention = { raw, hour: raw, day: Infinity };
    const database = `writer-${databases++}`;
    const store = new InfluxStore({ url: influx.url, version: 1, database, timeoutMs: 10_000, retention });
    await store.setUp();
    return store;
  }

  it('stores all 300,000 readings once, though InfluxDB is killed again and again and stays away for long', async () => {
    const store = await openInflux();
    await using stage = await openWriters(store, DEVICES);
    const { journal } = stage;
    let loaded = 0;
    const stored = async (): Promise<number> =>
      loaded * DEVICES.length - (await lagOf(journal, 'writer', 'readings'));
    for (let kill = 0; kill < 6; kill++) {
      const before = await stored();
      const loading = load(journal, loaded, loaded + 300);
      loaded += 300;
      // In the middle of the work: something of this round is stored, and more is to come.
      await waitUntil('the writer is at work', async () => {
        const { next } = await journal.extent('readings', 0);
        return next > 0 && (await stored()) > before;
      });
      await influx.stop('SIGKILL');
      await loading;
      await influx.start();
    }
    await stage.caughtUp(60_000);
    // From here on the pauses are short again, so that the long absence takes many tries and little time.
    await influx.stop('SIGKILL');
    const waits = stage.waits();
    await load(journal, loaded, 3_000);
    await waitUntil('the writer has tried in vain for a while', () => stage.waits() >= waits + 4 * 6);
    expect(await lagOf(journal, 'writer', 'readings')).toBeGreaterThanOrEqual(
      (3_000 - loaded) * DEVICES.length,
    );
    await influx.start();
    await stage.caughtUp(60_000);
    await expectAll(store, 3_000);
    expect(await stage.rejected()).toEqual([]);
  }, 120_000);

  it('sets aside what InfluxDB refuses, with its words, and goes on', async () => {
    const now = Math.floor(Date.now() / HOUR) * HOUR;
    const store = await openInflux(30 * DAY);
    // Somebody else made the field an integer in a shard of last week.
    const database = `writer-${databases - 1}`;
    const conflict = now - 8 * DAY;
    const body = `reading,device=x,site=y pm25=1i ${conflict}`;
    await fetch(`${influx.url}/write?db=${database}&precision=ms`, { method: 'POST', body });
    await using stage = await openWriters(store, DEVICES);
    const at = (ts: UtcMillis): Observation => ({ ...observation(0, 0), ts, receivedAt: now });
    const good = Array.from({ length: 500 }, (_, i) => at(now - i * SECOND));
    const batch = [
      ...good.slice(0, 100),
      at(conflict),
      ...good.slice(100, 300),
      at(now - 40 * DAY),
      ...good.slice(300),
    ];
    const rollup = (from: UtcMillis): Rollup => ({
      ...{ site: 'betung', device: DEVICES[0]!, parameter: 'pm25', tier: 'hour', from, to: from + HOUR },
      ...{ expected: 1, received: 1, valid: 1, mean: 1, min: 1, max: 1 },
    });
    const entries = <T extends Observation | Rollup>(data: readonly T[]): { key: string; data: T }[] =>
      data.map((entry) => ({ key: entry.device, data: entry }));
    await stage.journal.append('readings', entries(batch));
    await stage.journal.append('rollups', entries([rollup(now - HOUR), rollup(now - 40 * DAY)]));
    await stage.caughtUp();
    // Of the message in conflict all but the one value.
    expect(await store.count({ site: 'betung' })).toBe(501 * PARAMETERS.length - 1);
    expect(await store.countRollups({ tier: 'hour' })).toBe(1);
    const rejected = await stage.rejected();
    const details = rejected.map(({ detail }) => detail);
    expect(details.filter((detail) => /field type conflict/.test(detail))).toEqual([
      expect.stringMatching(/^pm25 at /),
    ]);
    expect(details.filter((detail) => /beyond retention policy/.test(detail))).toHaveLength(
      PARAMETERS.length + 1,
    );
    expect(rejected).toHaveLength(PARAMETERS.length + 2);
    expect(new Set(rejected.map(({ reason }) => reason))).toEqual(new Set(['store_refused']));
    expect(stage.waits()).toBe(0);
  });

  it('makes no series for a device or parameter that is not known', async () => {
    const store = await openInflux();
    await expectNoStrangeSeries(store);
    const shown = async (what: string): Promise<string[]> => {
      const answer = await fetch(
        `${influx.url}/query?db=writer-${databases - 1}&q=SHOW+${what.replaceAll(' ', '+')}`,
      );
      const { results } = (await answer.json()) as { results: [{ series: [{ values: [string][] }] }] };
      return results[0].series[0].values.map(([name]) => name).sort();
    };
    expect(await shown('FIELD KEYS FROM reading')).toEqual([
      'pm25',
      'pm25_corrected',
      // In a later message of the same instant.
      'pm25_corrected_flag',
      'receivedAt',
    ]);
    expect(await shown('SERIES')).toEqual([
      'reading,device=udara-00,site=betung',
      'rollup_hour,device=udara-00,site=betung',
    ]);
  });
});

describe('the writer on DuckDB', () => {
  it('makes no series for a device or parameter that is not known', async () => {
    using folder = temporaryFolder('writer');
    const store = await DuckDbStore.open(join(folder.path, 'readings.duckdb'));
    await expectNoStrangeSeries(store);
    await store.close();
  });
});

/** Hands readings and roll-ups of a thousand made-up series to the writer, one of a measured and one of a derived one. */
async function expectNoStrangeSeries(store: TimeSeriesStore): Promise<void> {
  await using stage = await openWriters(store, DEVICES);
  const series = Array.from({ length: 1_000 }, (_, i) =>
    i % 2 === 0 ? { device: `unknown-${i}` } : { parameter: `unknown-${i}` as Parameter },
  );
  const observations = [{}, { parameter: 'pm25_corrected' as const }, ...series].map(
    (strange): Observation => {
      const { device, parameter } = { device: DEVICES[0]!, parameter: 'pm25' as const, ...strange };
      return { ...observation(0, 0), device, readings: [{ parameter, value: 1, flag: 1 }] };
    },
  );
  const rollups = observations.map(({ site, device, readings: [reading] }): Rollup => ({
    ...{ site, device, parameter: reading!.parameter, tier: 'hour', from: T0, to: T0 + HOUR },
    ...{ expected: 1, received: 1, valid: 1, mean: 1, min: 1, max: 1 },
  }));
  const keyed = <T extends Observation | Rollup>(data: T): { key: string; data: T } => ({
    key: data.device,
    data,
  });
  await stage.journal.append('readings', observations.map(keyed));
  await stage.journal.append('rollups', rollups.map(keyed));
  await stage.caughtUp();
  expect(await store.count({})).toBe(2);
  expect(await store.countRollups({ tier: 'hour' })).toBe(2);
  const reasons = (await stage.rejected()).map(({ reason }) => reason);
  for (const reason of ['unknown_device', 'unknown_parameter'])
    expect(reasons.filter((found) => found === reason)).toHaveLength(1_000);
}
