import { eachEntry } from '#libs/journal';
import type { Observation, Uplink } from '#libs/telemetry';
import { describeWith, startInfluxd, temporaryFolder } from '#libs/testing';
import { DuckDbStore } from '#libs/engine-duckdb';
import { InfluxStore } from '#libs/engine-influx';
import type { Point, TimeSeriesStore } from '#libs/timeseries';
import { join } from 'node:path';
import { NOW, openIngest } from '../ingest.fixture.js';

const MINUTE = 60_000;

/** What a device reports of a minute. */
function said(minute: number, values: Readonly<Record<string, number>>): Uplink {
  return {
    ...{
      site: 'betung',
      device: 'udara-01',
      kind: 'telemetry',
      topic: 'pantau/v1/betung/udara-01/telemetry',
    },
    payload: Buffer.from(JSON.stringify({ ts: NOW - (60 - minute) * MINUTE, values })),
    ...{ receivedAt: NOW, qos: 1, messageId: undefined, dup: false, session: 's', will: false },
  };
}

/** What both engines hold in the end, by parameter: minute, value, flag. */
async function storedOf(
  uplinks: readonly Uplink[],
  parameters: readonly Point['parameter'][],
): Promise<Record<string, unknown>[]> {
  await using ingest = await openIngest();
  await ingest.take(uplinks);
  const observations: Observation[] = [];
  await eachEntry(ingest.journal, 'readings', ({ data }) => observations.push(data));
  using folder = temporaryFolder('corrections');
  await using influx = await startInfluxd();
  const stores: TimeSeriesStore[] = [
    await DuckDbStore.open(join(folder.path, 'readings.duckdb')),
    new InfluxStore({ url: influx.url, version: 1, database: 'pantau', timeoutMs: 10_000 }),
  ];
  const all: Record<string, unknown>[] = [];
  for (const store of stores) {
    await store.setUp();
    // One at a time: what is written later must win, in whatever way the batches fall.
    for (const observation of observations) await store.write([observation]);
    const points = await store.query({ device: 'udara-01', limit: 1_000, order: 'asc' });
    const byParameter: Record<string, unknown> = {};
    for (const parameter of parameters)
      byParameter[parameter] = points
        .filter((point) => point.parameter === parameter)
        .map(({ ts, value, flag }) => [60 - (NOW - ts) / MINUTE, Math.round(value * 10) / 10, flag]);
    all.push(byParameter);
    await store.close();
  }
  return all;
}

describeWith(['influxd'], 'a correction, from the message to both stores', () => {
  it('is what is stored, and no amendment brings back the value that it replaced', async () => {
    const values = [
      [0, 20],
      [1, 300],
      [1, 22],
      [2, 21],
    ] as const;
    const stored = await storedOf(
      values.map(([minute, pm25]) => said(minute, { pm25 })),
      ['pm25'],
    );
    const expected = { pm25: [0, 1, 2].map((minute, i) => [minute, [20, 22, 21][i], 1]) };
    expect(stored).toEqual([expected, expected]);
  });

  it('withdraws the amendment that only the replaced value had caused', async () => {
    const values = [
      [0, 20],
      [1, 160],
      [2, 21],
      [2, 165],
    ] as const;
    const stored = await storedOf(
      values.map(([minute, pm25]) => said(minute, { pm25 })),
      ['pm25'],
    );
    const expected = { pm25: [0, 1, 2].map((minute, i) => [minute, [20, 160, 165][i], 1]) };
    expect(stored).toEqual([expected, expected]);
  });

  it('takes pm25_corrected along: with the flag of an amended value, and with the value of a corrected one', async () => {
    const stored = await storedOf(
      [
        said(0, { pm25: 20, humidity: 70 }),
        said(1, { pm25: 300, humidity: 70 }),
        said(2, { pm25: 21, humidity: 70 }),
        said(3, { pm25: 250, humidity: 70 }),
        said(3, { pm25: 20 }),
        said(4, { pm25: 22, humidity: 70 }),
      ],
      ['pm25', 'pm25_corrected'],
    );
    const pm25 = [20, 300, 21, 20, 22].map((value, minute) => [minute, value, minute === 1 ? 4 : 1]);
    for (const { pm25: raw, pm25_corrected: corrected } of stored) {
      expect(raw).toEqual(pm25);
      const series = corrected as [number, number, number][];
      expect(series.map(([minute, , flag]) => [minute, flag])).toEqual(pm25.map(([m, , flag]) => [m, flag]));
      expect(series[3]?.[1]).toBe(series[0]?.[1]);
    }
    expect(stored).toHaveLength(2);
  });
});
