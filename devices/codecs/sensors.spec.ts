import { TopicMappings, type Codec, type CodecTelemetry } from '#libs/telemetry';
import fc from 'fast-check';
import { message, RECEIVED_AT } from './codec.contract.js';
import { loadCodecs } from './index.js';
import { SENSOR_FORMS, type SensorForm } from './sensors.fixture.js';

const FORMS = Object.entries(SENSOR_FORMS).flatMap(([name, form]) =>
  typeof form === 'string' ? [] : [{ name, form }],
);
/** Each sensor measures values of its own, so that a value tells its sensor. */
const valueOf = (sensor: number, step: number): number => 10 * sensor + 1 + step / 4;
const sensorOf = (value: number): number => Math.floor(value / 10);

/** Sequences of messages, each with some of the sensors. */
function sequences({ names }: SensorForm): fc.Arbitrary<readonly (readonly string[])[]> {
  return fc.array(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), {
    minLength: 1,
    maxLength: 8,
  });
}

function telemetryOf(codec: Codec, form: SensorForm, said: readonly (readonly string[])[]): CodecTelemetry[] {
  const mappings = new TopicMappings([{ pattern: form.pattern, codec: codec.name }]);
  let memory: unknown;
  return said.flatMap((sensors, step) => {
    const values = new Map(sensors.map((name) => [name, valueOf(form.names.indexOf(name), step)]));
    return form.say(values, RECEIVED_AT + step * 60_000).flatMap(({ topic, payload }) => {
      const { parts = {} } = mappings.match(topic) ?? {};
      const result = codec.decode(message(payload, { topic, parts, memory }));
      memory = result.memory ?? memory;
      return result.outputs.filter((output) => output.kind === 'telemetry');
    });
  });
}

describe('the sensors inside messages', () => {
  let codecs: ReadonlyMap<string, Codec>;
  beforeAll(async () => {
    codecs = await loadCodecs();
  });

  it('are known of every codec', () => {
    expect(Object.keys(SENSOR_FORMS).sort()).toEqual([...codecs.keys()].sort());
  });

  it.each(FORMS)(
    'of $name keep their names in every message, so that none can enter the series of another',
    ({ name, form }) => {
      fc.assert(
        fc.property(sequences(form), (said) => {
          const bySeries = new Map<string, Set<number>>();
          let kept = 0;
          for (const { source, values, others = [] } of telemetryOf(codecs.get(name)!, form, said)) {
            expect(new Set(values.map(({ parameter }) => parameter)).size).toBe(values.length);
            for (const { parameter, sensor, value } of [
              ...values,
              ...others.map(({ measured }) => measured),
            ]) {
              kept++;
              const series = JSON.stringify([source, sensor, parameter]);
              bySeries.set(series, (bySeries.get(series) ?? new Set()).add(sensorOf(value)));
            }
          }
          for (const sensors of bySeries.values()) expect([...sensors]).toHaveLength(1);
          // None is dropped on the way: what does not count can be mapped or chosen.
          expect(kept).toBe(said.flat().length);
        }),
      );
    },
  );
});

describe('of several sensors in one housing', () => {
  const CASES: readonly (readonly [codec: string, counts: string, ...others: string[]])[] = [
    ['tasmota', 'SHT3X-44', 'Dapur', 'DS18B20-1', 'ANALOG'],
    ['tasmota', 'BME280', 'DS18B20-1'],
    ['tasmota', 'Dapur', 'DS18B20-1', 'ANALOG'],
    ['tasmota', 'DS18B20-1', 'ANALOG'],
    ['the-things-stack', 'tempc_sht', 'tempc_ds', 'temperature'],
    ['chirpstack', 'air_temperature', 'temperature_1', 'temperature'],
    ['sensor-community', 'BME280_temperature', 'temperature', 'DS18B20_temperature'],
    ['zigbee2mqtt', 'temperature', 'temperature_probe'],
  ];
  it.each(CASES)('%s lets %s count, in any order', async (name, counts, ...others) => {
    const codec = (await loadCodecs()).get(name)!;
    const form = SENSOR_FORMS[name] as SensorForm;
    for (const sensors of [
      [counts, ...others],
      [...others, counts],
    ]) {
      const [output] = telemetryOf(codec, form, [sensors]);
      expect(output?.values.map(({ value }) => form.names[sensorOf(value)])).toEqual([counts]);
      expect(output?.others?.map(({ measured: { value } }) => form.names[sensorOf(value)]).sort()).toEqual(
        [...others].sort(),
      );
      for (const { refusal } of output?.others ?? [])
        expect(refusal).toEqual({
          reason: 'other_sensor',
          detail: expect.stringMatching(/: expected one temperature, that of .*; map this sensor/),
        });
    }
  });
});
