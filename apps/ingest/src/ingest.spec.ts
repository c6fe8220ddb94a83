import { eachEntry } from '#libs/journal';
import type { Rejection, Uplink } from '#libs/telemetry';
import { NOW, openIngest, type IngestFixture } from './ingest.fixture.js';

/** What a device behind The Things Stack posts. */
function message(decoded: object): Uplink {
  const body = {
    end_device_ids: {},
    uplink_message: { received_at: new Date(NOW).toISOString(), decoded_payload: decoded },
  };
  return {
    ...{ site: 'betung', device: 'udara-02', kind: 'foreign', topic: '', codec: 'the-things-stack' },
    payload: Buffer.from(JSON.stringify(body)),
    ...{ receivedAt: NOW, qos: 1, messageId: undefined, dup: false, session: 'http', will: false },
  };
}

async function valueOf({ journal }: IngestFixture, wanted: string): Promise<number | undefined> {
  let found: number | undefined;
  await eachEntry(journal, 'readings', ({ data: { readings } }) => {
    found ??= readings.find(({ parameter }) => parameter === wanted)?.value;
  });
  return found;
}

describe('a gas in ppb', () => {
  const air = message({ no2_ppb: 10, temperature_f: 95, pressure_hpa: 1000 });

  it('becomes mass at 25 degC and 1 atm, whatever was measured beside it', async () => {
    await using ingest = await openIngest();
    await ingest.take([air]);
    expect(await valueOf(ingest, 'no2')).toBeCloseTo((10 * 46.01) / 24.45, 9);
    expect(await valueOf(ingest, 'temperature')).toBeCloseTo(35, 9);
  });

  it('becomes mass in the air that was measured beside it, where the configuration says so', async () => {
    await using ingest = await openIngest({ gasConditions: 'measured' });
    await ingest.take([air]);
    const litres = 24.45 * ((35 + 273.15) / 298.15) * (1013.25 / 1000);
    expect(await valueOf(ingest, 'no2')).toBeCloseTo((10 * 46.01) / litres, 9);
  });
});

describe('a number that leaves the range of numbers when its unit is converted', () => {
  it('is refused, and takes no other value down', async () => {
    await using ingest = await openIngest();
    await ingest.take([message({ co_mgm3: 1.7e308, pm10: 20 })]);
    expect(await valueOf(ingest, 'co')).toBeUndefined();
    expect(await valueOf(ingest, 'pm10')).toBe(20);
    const refused: Rejection[] = [];
    await eachEntry(ingest.journal, 'rejected', ({ data }) => refused.push(data));
    expect(refused).toEqual([
      expect.objectContaining({
        reason: 'not_finite',
        detail: 'co: expected a measured value, found 1.7e+308 mg/m3',
      }),
    ]);
  });
});

describe('messages of one batch', () => {
  it('are taken in their order, whether something has to be waited for or not', async () => {
    await using ingest = await openIngest();
    const minute = (i: number): number => NOW - (20 - i) * 60_000;
    const native = (i: number, qos: 1 | 2, ts = minute(i)): Uplink => ({
      ...message({}),
      ...{ kind: 'telemetry', topic: 'pantau/v1/betung/udara-02/telemetry', qos, messageId: i + 1 },
      payload: Buffer.from(`{"ts":${ts},"values":{"pm25":${10 + i}}}`),
    });
    // What waits: QoS 2, another maker's message, a clock that is wrong.
    const uplinks = Array.from({ length: 20 }, (_, i) =>
      i % 5 === 1
        ? native(i, 2)
        : i % 5 === 2
          ? message({ pm25: 10 + i })
          : native(i, 1, i % 5 === 3 ? 1 : minute(i)),
    );
    await ingest.take(uplinks);
    const taken: [number, number | undefined][] = [];
    await eachEntry(ingest.journal, 'readings', ({ data: { uplink, readings } }) => {
      taken.push([uplink.offset, readings[0]?.value]);
    });
    expect(taken).toEqual(uplinks.map((_, i) => [i, 10 + i]));
  });
});

describe('messages of a true and of a wrong clock', () => {
  it('never meet at one instant, where they would replace each other in the store', async () => {
    await using ingest = await openIngest();
    const stating = (messageId: number, ts: number): Uplink => ({
      ...message({}),
      ...{ kind: 'telemetry', topic: 'pantau/v1/betung/udara-02/telemetry', messageId },
      payload: Buffer.from(`{"ts":${ts},"values":{"pm25":12}}`),
    });
    // More than fit into the second until the next whole one: the moments that are given run ahead of the arrival.
    const SENT = 1_100;
    const flood = Array.from({ length: SENT }, (_, i) => stating(i + 2, 1));
    await ingest.take([stating(1, NOW), ...flood, stating(SENT + 2, NOW + 1000)]);
    const instants: number[] = [];
    await eachEntry(ingest.journal, 'readings', ({ data: { ts, readings } }) => {
      if (readings.some(({ parameter }) => parameter === 'pm25')) instants.push(ts);
    });
    expect(instants).toHaveLength(SENT + 2);
    expect(new Set(instants).size).toBe(SENT + 2);
  });
});

describe('a message that is sent again', () => {
  const sent = (messageId: number, minute: number, dup = false): Uplink => ({
    ...{
      site: 'betung',
      device: 'udara-02',
      kind: 'telemetry',
      topic: 'pantau/v1/betung/udara-02/telemetry',
    },
    payload: Buffer.from(`{"ts":${NOW - minute * 60_000},"values":{"pm25":12}}`),
    ...{ receivedAt: NOW, qos: 2, messageId, dup, session: 's', will: false },
  });
  const refusedOf = async ({ journal }: IngestFixture): Promise<string[]> => {
    const refused: string[] = [];
    await eachEntry(journal, 'rejected', ({ data }) => refused.push(data.reason));
    return refused;
  };

  it('is known as long as the device may have it in flight, with others in between and in a batch of its own', async () => {
    await using ingest = await openIngest();
    await ingest.take(Array.from({ length: 64 }, (_, i) => sent(i + 1, 100 - i)));
    await ingest.take([sent(1, 100, true), sent(64, 37, true)]);
    expect(await refusedOf(ingest)).toEqual(['repeated', 'repeated']);
  });

  it('is another one with another content, without DUP, or after its identifier was used anew', async () => {
    await using ingest = await openIngest();
    await ingest.take([sent(1, 9), sent(1, 8, true), sent(1, 9, true), sent(2, 7), sent(2, 7)]);
    expect(await refusedOf(ingest)).toEqual([]);
    await ingest.take([sent(2, 7, true)]);
    expect(await refusedOf(ingest)).toEqual(['repeated']);
  });
});

describe("a device's own doubt", () => {
  it('makes its value suspect, beside values that pass, also where units are converted', async () => {
    await using ingest = await openIngest();
    const body = {
      SensorId: 'x',
      DateTime: new Date(NOW).toISOString(),
      ...{ pm2_5_atm: 0, pm2_5_atm_b: 88.4, current_temp_f: 84 },
    };
    await ingest.take([{ ...message({}), codec: 'purpleair', payload: Buffer.from(JSON.stringify(body)) }]);
    const stored: unknown[] = [];
    await eachEntry(ingest.journal, 'readings', ({ data }) => stored.push(...data.readings));
    expect(stored).toEqual([
      {
        ...{ parameter: 'pm25', value: 0, flag: 3, failed: ['device'] },
        doubt: 'the lasers contradict each other: pm2_5_atm 0, pm2_5_atm_b 88.4',
      },
      expect.objectContaining({ parameter: 'temperature', flag: 1 }),
    ]);
  });
});
