import type { Codec, CodecInput, RejectionReason } from '#libs/telemetry';
import { message } from './codec.contract.js';
import { loadCodecs } from './index.js';

type Where = Partial<Omit<CodecInput, 'payload'>>;
type Case = readonly [
  maker: string,
  member: string,
  reason: RejectionReason,
  payload: unknown,
  where?: Where,
];

const push = (value_type: string, value: unknown): object => ({ sensordatavalues: [{ value_type, value }] });
const shelly = (params: object): object => ({ src: 'shelly-1', method: 'NotifyStatus', params });
const esphome = (parameter: string): Where => ({ parts: { parameter } });
const AVAILABILITY = { topic: 'zigbee2mqtt/x/availability' };

/** Every way to be refused, by the member that must be named. */
const CASES: readonly Case[] = [
  ['sensor-community', 'payload', 'schema_violation', []],
  ['sensor-community', 'sensordatavalues', 'schema_violation', {}],
  ['sensor-community', 'sensordatavalues.0', 'schema_violation', { sensordatavalues: [1] }],
  ['sensor-community', 'SDS_P1', 'not_finite', push('SDS_P1', 'nan')],
  ['sensor-community', 'SDS_P2', 'schema_violation', push('SDS_P2', '')],
  ['sensor-community', 'BME280_pressure', 'schema_violation', push('BME280_pressure', 'high')],
  [
    'sensor-community',
    'P1',
    'unknown_unit',
    {
      sensordatavalues: [
        { value_type: 'durP1', value: '1' },
        { value_type: 'P1', value: '1' },
      ],
    },
  ],
  ['airgradient', 'payload', 'schema_violation', null],
  ['airgradient', 'pm02', 'not_finite', { pm02: -1 }],
  ['airgradient', 'atmp', 'not_finite', { atmp: -1001 }],
  ['airgradient', 'pm10', 'number_as_text', { pm10: '41' }],
  ['airgradient', 'rhum', 'schema_violation', { rhum: null }],
  ['tasmota', 'payload', 'schema_violation', 1],
  ['tasmota', 'SDS0X1.PM2.5', 'schema_violation', { SDS0X1: { 'PM2.5': null } }],
  ['tasmota', 'SPS30.PM2_5', 'number_as_text', { SPS30: { PM2_5: '1' } }],
  ['tasmota', 'BME280.Temperature', 'unknown_unit', { BME280: { Temperature: 20 } }],
  ['tasmota', 'BME280.Pressure', 'unknown_unit', { BME280: { Pressure: 1000 }, PressureUnit: 'psi' }],
  ['tasmota', 'BME280.Pressure', 'number_as_text', { BME280: { Pressure: '1' }, PressureUnit: 'hPa' }],
  ['tasmota', 'Time', 'schema_violation', { Time: '2026-02-30T00:00:00', SDS0X1: { PM10: 1 } }],
  ['esphome', 'topic', 'unreadable', '1', { topic: 'x/debug' }],
  ['esphome', 'status', 'schema_violation', '1', { topic: 'x/status' }],
  ['esphome', 'attic', 'unknown_parameter', '1', esphome('attic')],
  ['esphome', 'pm_2_5', 'not_finite', 'nan', esphome('pm_2_5')],
  ['esphome', 'humidity', 'not_finite', 'None', esphome('humidity')],
  ['esphome', 'temperature', 'schema_violation', 'warm', esphome('temperature')],
  ['zigbee2mqtt', 'payload', 'schema_violation', 'true'],
  ['zigbee2mqtt', 'state', 'schema_violation', { state: 1 }, AVAILABILITY],
  ['zigbee2mqtt', 'pm25', 'number_as_text', { pm25: '8' }],
  ['zigbee2mqtt', 'pressure', 'schema_violation', { pressure: true }],
  ['zigbee2mqtt', 'last_seen', 'schema_violation', { pm25: 8, last_seen: '2026-02-30T00:00:00Z' }],
  ['zigbee2mqtt', 'last_seen', 'schema_violation', { pm25: 8, last_seen: 1e300 }],
  ['shelly', 'payload', 'schema_violation', 'true'],
  ['shelly', 'online', 'schema_violation', '1', { topic: 'x/online' }],
  ['shelly', 'method', 'schema_violation', {}],
  ['shelly', 'params', 'schema_violation', { method: 'NotifyStatus' }],
  ['shelly', 'src', 'schema_violation', { method: 'NotifyStatus', params: {} }],
  ['shelly', 'params.ts', 'number_as_text', shelly({ ts: '1' })],
  ['shelly', 'temperature:0', 'schema_violation', shelly({ 'temperature:0': 1 })],
  ['shelly', 'temperature:0.tC', 'schema_violation', shelly({ 'temperature:0': { tC: null } })],
  ['shelly', 'humidity:100.rh', 'number_as_text', shelly({ 'humidity:100': { rh: '1' } })],
  ['purpleair', 'payload', 'schema_violation', '"x"'],
  ['purpleair', 'sensor', 'schema_violation', {}],
  ['purpleair', 'sensor.last_seen', 'number_as_text', { sensor: { last_seen: '1' } }],
  ['purpleair', 'sensor.pm2.5_atm', 'number_as_text', { sensor: { 'pm2.5_atm': '1' } }],
  ['purpleair', 'DateTime', 'schema_violation', { SensorId: 'x', DateTime: '2026/02/30T00:00:00z' }],
  ['purpleair', 'current_temp_f', 'schema_violation', { SensorId: 'x', current_temp_f: [] }],
];

describe('a refusal', () => {
  let codecs: ReadonlyMap<string, Codec>;
  beforeAll(async () => {
    codecs = await loadCodecs();
  });

  it.each(
    CASES.map(([maker, member, reason, payload, where]) => ({ maker, member, reason, payload, where })),
  )('of $maker names $member ($reason) and says what was expected', (row) => {
    const { maker, member, reason, payload, where } = row;
    const { outputs, refusals } = codecs.get(maker)!.decode(message(payload, where));
    expect(outputs).toEqual([]);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]?.reason).toBe(reason);
    const [named, expectation] = refusals[0]!.detail.split(/: (?=expected )/);
    expect(named).toBe(member);
    // What was expected, then what was found or what to do about it.
    expect(expectation).toMatch(/^expected .{5,}/);
  });

  it.each(['sensor-community', 'airgradient', 'tasmota', 'zigbee2mqtt', 'shelly', 'purpleair'])(
    'of %s tells a text that is no JSON from a number that JSON does not have',
    (maker) => {
      const reasonFor = (text: string): unknown => codecs.get(maker)!.decode(message(text)).refusals[0];
      expect(reasonFor('{"pm25":')).toMatchObject({
        reason: 'not_json',
        detail: expect.stringMatching(/^expected JSON: /),
      });
      expect(reasonFor('{"pm25":nan}')).toEqual({
        reason: 'not_finite',
        detail: 'expected finite numbers, found nan; leave a missing value out',
      });
      expect(reasonFor('['.repeat(9))).toMatchObject({ reason: 'json_too_deep' });
    },
  );

  it.each([
    ['zigbee2mqtt', { temperature: -273.2 }],
    ['zigbee2mqtt', { temperature: -127 }],
    ['zigbee2mqtt', { pm25: -1000.4 }],
    ['zigbee2mqtt', { humidity: -999 }],
    ['zigbee2mqtt', { pm10: -9999 }],
    ['shelly-blu', { temperature: -998.6 }],
    ['airgradient', { pm02: -0.4 }],
    ['airgradient', { rhum: -3 }],
    ['airgradient', { atmp: -1001.2 }],
    ['tasmota', { DS18B20: { Temperature: -196.6 }, TempUnit: 'F', Time: '2026-01-02T03:04:05Z' }],
    ['purpleair', { SensorId: 'x', current_temp_f: -460 }],
    ['sensor-community', push('BME280_temperature', '-999.9')],
  ])('of %s is the answer to what stands for a dead sensor: %j', (maker, payload) => {
    expect(codecs.get(maker)!.decode(message(payload))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'not_finite' }],
    });
  });

  it('is not for what is merely beyond the range: flag 4 says that', () => {
    for (const body of [{ pm25: -1 }, { temperature: -90 }, { temperature: -1 }, { pm10: -990 }])
      expect(codecs.get('zigbee2mqtt')!.decode(message(body)).outputs).toHaveLength(1);
  });

  const UNREAD: readonly (readonly [string, unknown, string, Where?])[] = [
    [
      'the-things-stack',
      { end_device_ids: {}, uplink_message: { decoded_payload: { soil: 12, bat: 3 } } },
      'decoded_payload.soil',
    ],
    [
      'chirpstack',
      { object: { co2: 600 }, time: '2026-01-02T03:00:00Z' },
      'object.co2',
      { parts: { event: 'up' } },
    ],
    [
      'chirpstack',
      { object: { history: [{ timestamp: 1795869000, co2: 1 }] } },
      'object.history.*.co2',
      { parts: { event: 'up' } },
    ],
    ['sensor-community', push('XYZ_N05', '12'), 'XYZ_N05'],
    ['zigbee2mqtt', { co2: 600, linkquality: 12 }, 'co2'],
    ['airgradient', { rco2: 600, wifi: -50 }, 'rco2'],
    ['shelly-blu', { illuminance: 100, battery: 3 }, 'illuminance'],
    ['purpleair', { sensor: { 'pm2.5': 12, rssi: 4 } }, 'sensor.pm2.5'],
    ['senml', [{ n: 'urn:dev:x:soil', u: 'Cel', v: 12 }], 'urn:dev:x:soil'],
    ['fiware', { type: 'AirQualityObserved', co2: { value: 12, type: 'Number' } }, 'co2'],
    ['tasmota', { Time: '2026-01-02T03:00:00', MHZ19B: { CarbonDioxide: 600 } }, 'MHZ19B.CarbonDioxide'],
  ];
  it.each(UNREAD.map(([maker, payload, member, where = {}]) => ({ maker, payload, member, where })))(
    'of $maker names the numbers of which none was read: $member',
    ({ maker, payload, member, where }) => {
      expect(codecs.get(maker)!.decode(message(payload, where))).toMatchObject({
        outputs: [],
        refusals: [
          { reason: 'unknown_parameter', detail: expect.stringContaining(`${member}: expected a value`) },
        ],
      });
    },
  );

  it.each([
    ['zigbee2mqtt', { state: 'ON', linkquality: 98, battery: 12 }],
    ['shelly-blu', { pid: 1, rssi: -3, battery: 3, window: 1 }],
    ['tasmota', { Time: 'x', Uptime: '0T', Heap: 28, Wifi: { RSSI: 3 } }],
    ['airgradient', { wifi: -52, bootCount: 0 }],
  ])('is not for a healthy %s that only says how it is: %j', (maker, payload) => {
    expect(codecs.get(maker)!.decode(message(payload)).ignored).toMatch(/^no /);
  });
});
