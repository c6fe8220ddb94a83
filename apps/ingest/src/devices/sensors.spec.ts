import { DEVICE_MEMORY, DEVICE_SENSORS } from '#namespaces/ingest-state';
import { eachEntry } from '#libs/journal';
import type { StoredMemory } from '#libs/quality-control';
import { MEASURED_CODES, TopicMappings, type TopicMapping, type Uplink } from '#libs/telemetry';
import fc from 'fast-check';
import { SENSOR_FORMS, type Published, type SensorForm } from '../../../../devices/codecs/sensors.fixture.js';
import { NOW, openIngest, type IngestFixture } from '../ingest.fixture.js';

const FORMS = Object.entries(SENSOR_FORMS).flatMap(([codec, form]) =>
  typeof form === 'string' ? [] : [{ codec, form }],
);
const MINUTE = 60_000;

function uplink({ topic, payload }: Published, more: Partial<Uplink> = {}): Uplink {
  return {
    ...{ site: 'betung', device: 'gw-01', kind: 'foreign', topic, payload, receivedAt: NOW, qos: 0 },
    ...{ messageId: undefined, dup: false, session: 's', will: false },
    ...more,
  };
}

/** The values of each series, by device and parameter. */
async function seriesOf({ journal }: IngestFixture): Promise<Record<string, number[]>> {
  const series: Record<string, number[]> = {};
  await eachEntry(journal, 'readings', ({ data }) => {
    if (data.amendment === true) return;
    for (const { parameter, value } of data.readings)
      (series[`${data.device} ${parameter}`] ??= []).push(value);
  });
  return series;
}

async function refusedOf({ journal }: IngestFixture): Promise<string[]> {
  const refused: string[] = [];
  await eachEntry(journal, 'rejected', ({ data }) => refused.push(`${data.reason} ${data.detail}`));
  return refused;
}

/** A message of a Tasmota gateway whose blocks have no address. */
function blocks(values: Readonly<Record<string, number>>, minute: number): Uplink {
  const form = SENSOR_FORMS['tasmota'] as SensorForm;
  const [message] = form.say(new Map(Object.entries(values)), NOW - (60 - minute) * MINUTE);
  return uplink(message!);
}
const mapped = (aliases?: TopicMapping['aliases']): { mappings: TopicMappings } => ({
  mappings: new TopicMappings([{ pattern: 'tele/{device}/SENSOR', codec: 'tasmota', aliases }]),
});

describe('a series', () => {
  it.each(FORMS)(
    'is of one sensor, whatever $codec sends in turn, and after a restart',
    async ({ codec, form }) => {
      const { names } = form;
      // By themselves and together, in orders that were drawn once.
      const drawn = fc.sample(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), {
        seed: 7,
        numRuns: 12,
      });
      const said = [...names.map((name) => [name]), ...drawn];
      const messages = said.flatMap((sensors, step) => {
        const values = new Map(sensors.map((name) => [name, 10 * names.indexOf(name) + 1 + step / 8]));
        return form.say(values, NOW - (60 - step) * MINUTE).map((published) => uplink(published));
      });
      await using ingest = await openIngest({
        mappings: new TopicMappings([{ pattern: form.pattern, codec }]),
      });
      const half = messages.length >> 1;
      await ingest.take(messages.slice(0, half));
      await ingest.restart();
      await ingest.take(messages.slice(half));
      const series = Object.values(await seriesOf(ingest));
      for (const values of series)
        expect(new Set(values.map((value) => Math.floor(value / 10))).size).toBe(1);
      // Each value is in a series, or refused by name.
      const refused = await refusedOf(ingest);
      for (const text of refused) expect(text).toMatch(/^(?:other_sensor|unknown_device|nothing_to_keep) /);
      const listed = await ingest.state.get(DEVICE_SENSORS, 'gw-01');
      const counts = listed?.refused.map(({ count }) => count) ?? [];
      expect(series.flat().length + counts.reduce((sum, count) => sum + count, 0)).toBe(said.flat().length);
    },
  );

  it('of a gateway whose blocks have no address is that of the first; the others are refused by name and listed', async () => {
    await using ingest = await openIngest(mapped());
    await ingest.take([blocks({ Dapur: 27 }, 1), blocks({ Kulkas: 4 }, 2)]);
    await ingest.restart();
    await ingest.take([
      blocks({ Kulkas: 4.1 }, 3),
      blocks({ Dapur: 27.2 }, 4),
      blocks({ Kulkas: 4, Dapur: 27.3 }, 5),
    ]);
    expect(await seriesOf(ingest)).toEqual({ 'gw-01 temperature': [27, 27.2, 27.3] });
    expect(await refusedOf(ingest)).toEqual([
      'other_sensor Kulkas: expected the temperature of Dapur, whose series it is; map this sensor to a device of its own (aliases), or let it count: pantau device sensors gw-01',
      expect.stringMatching(/^other_sensor Kulkas: /),
      expect.stringMatching(/^other_sensor Kulkas: /),
    ]);
    expect(await ingest.state.get(DEVICE_SENSORS, 'gw-01')).toEqual({
      counted: { temperature: 'Dapur' },
      refused: [
        {
          ...{ name: 'Kulkas', parameter: 'temperature', isDevice: false, count: 3, value: 4, unit: 'degC' },
          ...{ firstAt: NOW, lastAt: NOW },
        },
      ],
      more: 0,
    });
  });

  it('of its own has a sensor that is mapped to a device, whatever stands beside it', async () => {
    await using ingest = await openIngest(mapped({ dapur: 'udara-01', 'gw-01/kulkas': 'udara-02' }));
    await ingest.take([
      blocks({ Dapur: 27, BME280: 29 }, 1),
      blocks({ Kulkas: 4 }, 2),
      blocks({ Dapur: 28 }, 3),
    ]);
    expect(await seriesOf(ingest)).toEqual({
      'gw-01 temperature': [29],
      'udara-01 temperature': [27, 28],
      'udara-02 temperature': [4],
    });
    expect(await refusedOf(ingest)).toEqual([]);
  });

  it('is not that of a sensor mapped to a device that its gateway does not speak for', async () => {
    await using ingest = await openIngest(mapped({ dapur: 'udara-03' }));
    await ingest.take([blocks({ Dapur: 27 }, 1)]);
    expect(await seriesOf(ingest)).toEqual({});
    expect(await refusedOf(ingest)).toEqual(['unknown_device "udara-03" is no device that gw-01 speaks for']);
  });

  it('is of the sensor that the operator chose, and of no other from then on', async () => {
    await using ingest = await openIngest(mapped());
    await ingest.take([blocks({ 'DS18B20-1': 30 }, 1), blocks({ 'DS18B20-1': 30, BME280: 27 }, 2)]);
    expect(await seriesOf(ingest)).toEqual({ 'gw-01 temperature': [30, 30] });
    const gateway = await ingest.registry.device('gw-01');
    await ingest.registry.putDevice({ ...gateway!, sensors: { temperature: 'BME280' } });
    await ingest.take([blocks({ 'DS18B20-1': 30, BME280: 27 }, 3), blocks({ 'DS18B20-1': 30 }, 4)]);
    expect(await seriesOf(ingest)).toEqual({ 'gw-01 temperature': [30, 30, 27] });
    expect(await ingest.state.get(DEVICE_SENSORS, 'gw-01')).toMatchObject({
      counted: { temperature: 'BME280' },
    });
  });

  it('takes no value without a name where a sensor with a name counts, nor the other way round', async () => {
    await using ingest = await openIngest(mapped());
    const native = (minute: number): Uplink => ({
      ...uplink({
        topic: 'pantau/v1/betung/gw-01/telemetry',
        payload: Buffer.from(
          JSON.stringify({ ts: NOW - (60 - minute) * MINUTE, values: { temperature: 12 } }),
        ),
      }),
      kind: 'telemetry',
    });
    const other = { device: 'udara-02' };
    await ingest.take([blocks({ Dapur: 27 }, 1), native(2), { ...native(1), ...other }]);
    await ingest.restart();
    await ingest.take([native(3), { ...blocks({ Dapur: 27 }, 2), ...other }, { ...native(4), ...other }]);
    expect(await seriesOf(ingest)).toEqual({
      'gw-01 temperature': [27],
      'udara-02 temperature': [12, 12],
    });
  });

  it('from before sensors had names goes on with the first that names itself', async () => {
    await using ingest = await openIngest(mapped());
    // As an earlier version stored it: ten numbers of the device, then place and state of the temperature.
    const series = [
      MEASURED_CODES.indexOf('temperature'),
      NOW - 120 * MINUTE,
      27,
      1,
      ...new Array<number>(11).fill(0),
    ];
    const value = [...new Array<number>(10).fill(0), ...series] as unknown as StoredMemory;
    await ingest.state.write([DEVICE_MEMORY.put('gw-01', value)]);
    await ingest.take([blocks({ Dapur: 27 }, 1), blocks({ Kulkas: 4 }, 2)]);
    expect(await seriesOf(ingest)).toEqual({ 'gw-01 temperature': [27] });
  });
});
