import { describeCodecContract, fixture, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

interface Push {
  readonly sensordatavalues: readonly { readonly value_type: string; readonly value: string }[];
}

const FULL = fixture('sensor-community', 'airrohr_sds011_bme280.json');
const FROST = fixture('sensor-community', 'airrohr_frost_bme280.json');
const SDS_ONLY = fixture('sensor-community', 'airrohr_sds011_only.json');

const push = (values: Readonly<Record<string, unknown>>): object => ({
  esp8266id: '10000001',
  software_version: 'NRZ-2024-135',
  sensordatavalues: Object.entries(values).map(([value_type, value]) => ({ value_type, value })),
});

describeCodecContract(codec, { inputs: [{}], samples: [FULL, FROST, SDS_ONLY] });

describe('sensor-community', () => {
  it.each([
    ['an SDS011 with a BME280', FULL],
    ['a device in frost whose id is a number', FROST],
  ])('reads what %s pushed, every number as its text says', (_name, payload) => {
    const { sensordatavalues } = JSON.parse(payload.toString()) as Push;
    const stated = (type: string): number =>
      Number(sensordatavalues.find(({ value_type }) => value_type === type)?.value);
    const { outputs, refusals } = codec.decode(message(payload));
    expect(refusals).toEqual([]);
    expect(outputs).toHaveLength(1);
    expect(outputs[0]).toMatchObject({ kind: 'telemetry', ts: undefined });
    const [telemetry] = outputs;
    if (telemetry?.kind !== 'telemetry') throw new Error('no telemetry');
    expect(new Set(telemetry.values)).toEqual(
      new Set([
        { parameter: 'pm10', value: stated('SDS_P1'), unit: 'ug/m3' },
        { parameter: 'pm25', value: stated('SDS_P2'), unit: 'ug/m3' },
        { parameter: 'temperature', value: stated('BME280_temperature'), unit: 'degC' },
        { parameter: 'humidity', value: stated('BME280_humidity'), unit: '%' },
      ]),
    );
    expect(telemetry.conditions?.pressureHpa).toBeCloseTo(stated('BME280_pressure') / 100, 9);
  });

  it('reads the names without a prefix of a push for one sensor', () => {
    const [p1, p2] = (JSON.parse(SDS_ONLY.toString()) as Push).sensordatavalues;
    expect(codec.decode(message(SDS_ONLY))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: undefined,
          values: [
            { parameter: 'pm10', value: Number(p1?.value), unit: 'ug/m3' },
            { parameter: 'pm25', value: Number(p2?.value), unit: 'ug/m3' },
          ],
        },
      ],
      refusals: [],
    });
  });

  it('takes P1 for PM10 and P2 for PM2.5, and pressure in pascals', () => {
    expect(
      codec.decode(
        message(
          push({
            SDS_P1: '31.20',
            SDS_P2: '18.45',
            BME280_temperature: '-0.50',
            BME280_pressure: '101300',
            BME280_pressure_at_sealevel: '102500',
            BME280_humidity: '74.06',
            samples: '4000123',
            signal: '-71',
          }),
        ),
      ),
    ).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: undefined,
          values: [
            { parameter: 'pm10', value: 31.2, unit: 'ug/m3' },
            { parameter: 'pm25', value: 18.45, unit: 'ug/m3' },
            { parameter: 'temperature', value: -0.5, unit: 'degC' },
            { parameter: 'humidity', value: 74.06, unit: '%' },
          ],
          conditions: { pressureHpa: 1013 },
        },
      ],
      refusals: [],
    });
  });

  it.each([
    ['PMS_P0', 'PMS_P1', 'PMS_P2'],
    ['NPM_P0', 'NPM_P1', 'NPM_P2'],
    ['SPS30_P0', 'SPS30_P1', 'SPS30_P2'],
  ])('reads %s, %s and %s, and PM1 is no parameter', (p0, p1, p2) => {
    expect(codec.decode(message(push({ [p0]: '1', [p1]: '3', [p2]: '2' }))).outputs).toEqual([
      {
        kind: 'telemetry',
        ts: undefined,
        values: [
          { parameter: 'pm10', value: 3, unit: 'ug/m3' },
          { parameter: 'pm25', value: 2, unit: 'ug/m3' },
        ],
      },
    ]);
  });

  it.each(['', 'HTU21D_', 'HTU21_', 'SHT3X_', 'BMP_', 'BMP280_'])('reads %stemperature', (prefix) => {
    expect(codec.decode(message(push({ [`${prefix}temperature`]: '21.3' }))).outputs).toMatchObject([
      { values: [{ parameter: 'temperature', value: 21.3, unit: 'degC' }] },
    ]);
  });

  it.each([
    ['only counters of the device', push({ samples: '1', min_micro: '2', signal: '-60' })],
    ['no value yet', push({})],
    ['only a pressure, which is no parameter', push({ BMP_pressure: '100000' })],
  ])('ignores a message with %s', (_name, payload) => {
    expect(codec.decode(message(payload))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no value of the air in the message',
    });
  });

  it('refuses the particle counts of a PPD42NS and keeps what stands beside them', () => {
    const result = codec.decode(
      message(
        push({ durP1: '1', ratioP1: '2', P1: '800', durP2: '1', ratioP2: '2', P2: '400', humidity: '60' }),
      ),
    );
    expect(result.outputs).toMatchObject([{ values: [{ parameter: 'humidity', value: 60, unit: '%' }] }]);
    expect(result.refusals.map(({ reason }) => reason)).toEqual(['unknown_unit', 'unknown_unit']);
  });

  it.each([
    ['nan', { P2: 'nan', P1: '5' }, 'not_finite', 'P2: expected a finite number, found the text "nan"'],
    ['no number', { P2: '', P1: '5' }, 'schema_violation', 'P2: expected a finite number, found the text ""'],
    ['null', { P2: null, P1: '5' }, 'schema_violation', 'P2: expected a finite number, found null'],
  ])('refuses a value that is %s and keeps the others', (_name, values, reason, detail) => {
    expect(codec.decode(message(push(values)))).toEqual({
      outputs: [
        { kind: 'telemetry', ts: undefined, values: [{ parameter: 'pm10', value: 5, unit: 'ug/m3' }] },
      ],
      refusals: [{ reason, detail }],
    });
  });

  it('keeps the first of two sensors for one parameter and says what to do', () => {
    const result = codec.decode(message(push({ BME280_temperature: '27.1', SHT3X_temperature: '26.4' })));
    expect(result.refusals).toEqual([]);
    expect(result.outputs).toMatchObject([
      {
        values: [{ value: 27.1 }],
        others: [
          {
            measured: { value: 26.4, sensor: 'SHT3X' },
            refusal: {
              reason: 'other_sensor',
              detail:
                'SHT3X_temperature: expected one temperature, that of BME280_temperature; map this sensor to a device of its own (aliases), or let it count: pantau device sensors',
            },
          },
        ],
      },
    ]);
  });

  it.each([
    [{ esp8266id: '1' }, 'sensordatavalues: expected a list, found nothing'],
    [{ sensordatavalues: { P1: '1' } }, 'sensordatavalues: expected a list, found an object'],
    [{ sensordatavalues: ['P1'] }, 'sensordatavalues.0: expected an object with value_type and value'],
    [
      { sensordatavalues: [{ value_type: 'P1' }] },
      'sensordatavalues.0: expected an object with value_type and value',
    ],
    [[], 'payload: expected a JSON object, found a list'],
  ])('refuses %j', (payload, detail) => {
    expect(codec.decode(message(payload))).toEqual({
      outputs: [],
      refusals: [{ reason: 'schema_violation', detail }],
    });
  });

  it('reads a sensor whose name it has never heard of, by its quantities', () => {
    expect(codec.decode(message(fixture('sensor-community', 'ips7100.json')))).toMatchObject({
      outputs: [
        {
          values: [
            { parameter: 'pm10', value: 12.4 },
            { parameter: 'pm25', value: 8.7 },
            { parameter: 'temperature', value: 27.31 },
            { parameter: 'humidity', value: 81.2 },
          ],
        },
      ],
      refusals: [],
    });
  });

  it('sets a probe that may be anywhere aside, alone too, by its name', () => {
    expect(codec.decode(message(push({ DS18B20_temperature: '12' })))).toMatchObject({
      outputs: [
        {
          values: [],
          others: [
            {
              measured: { value: 12, sensor: 'DS18B20' },
              refusal: { reason: 'other_sensor', detail: expect.stringMatching(/^DS18B20_temperature: /) },
            },
          ],
        },
      ],
      refusals: [],
    });
  });
});
