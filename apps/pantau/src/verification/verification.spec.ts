import 'reflect-metadata';
import { replayUplinks } from '#apps/ingest';
import { verifyEntries } from '#libs/evidence';
import { DAY, HOUR, MINUTE } from '#libs/kernel';
import { QC_LIMITS_VERSION, qcLimitsSchema } from '#libs/quality-control';
import type { Observation, Uplink } from '#libs/telemetry';
import { describeWith, namespaceOf, startInfluxd } from '#libs/testing';
import { InfluxStore } from '#libs/engine-influx';
import { AIR, AT, CLOCK, DATE, Folder, recorded, ROWS } from './verification.fixture.js';

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

  it('does not call the store equal when the readings that said its rows are gone by retention', async () => {
    await using folder = await recorded();
    expect(await folder.verify()).toMatchObject({ result: 'equal', store: { result: 'equal' } });
    folder.now += DAY;
    await folder.journal.retain('readings', { maxAge: HOUR });
    expect(await folder.verify()).toMatchObject({
      result: 'not_verifiable',
      missing: { stream: 'readings' },
      store: {
        result: 'not_verifiable',
        reason: expect.stringMatching(/retention took .* said \d+ of its rows/),
      },
    });
  });

  it('says that other quality tests judged where flags alone differ, and names nothing as missing that is there', async () => {
    await using folder = await recorded();
    const span = { from: AT.ts, to: AT.ts + 1 };
    const { journal, options, registry } = folder;
    const { settings } = registry;
    const again = await replayUplinks(journal, { ...options, settings }, AIR.id, ({ ts }) => ts === AT.ts);
    const judgedOtherwise = again.readings.map(({ readings, ...of }) => ({
      ...of,
      readings: readings.map((reading) => ({ ...reading, flag: 3 as const, failed: ['spike'] })),
    }));
    expect(judgedOtherwise).toHaveLength(1);
    const testsChange = { decoder: 'quality', then: 1, now: 2 };
    const decoded = { ...again, readings: judgedOtherwise, testsChange };
    expect(await verifyEntries('readings', AIR.id, span, decoded, journal)).toEqual({
      result: 'not_verifiable',
      decoder: testsChange,
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
  const buckets = await state.list<number[]>(namespaceOf('evidence/device-hours'));
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
