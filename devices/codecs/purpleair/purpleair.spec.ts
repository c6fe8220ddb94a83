import { describeCodecContract, fixture, message } from '../codec.contract.js';
import { codec } from './index.js';

const API = fixture('purpleair', 'api_v1_sensor.json');

/** Of our own making, in the documented shape of the sensor's own `/json`. */
const LOCAL = {
  SensorId: '0:0:0:0:0:1',
  DateTime: '2026/01/02T03:04:05z',
  place: 'outside',
  current_temp_f: 81,
  current_humidity: 61,
  current_dewpoint_f: 66,
  pressure: 1009.14,
  current_temp_f_680: 80,
  'pm2.5_aqi': 63,
  pm1_0_atm: 9.1,
  pm2_5_atm: 18.4,
  pm10_0_atm: 31.2,
  pm2_5_cf_1: 19.9,
  pm2_5_atm_b: 17.2,
  pm10_0_atm_b: 30.1,
};

describeCodecContract(codec, {
  inputs: [{}],
  samples: [API, Buffer.from(JSON.stringify(LOCAL))],
  passedOver: /^stats/,
});

describe('purpleair', () => {
  it('lists what the API says beside the sensor, and refuses nothing for it', () => {
    const answer = { novelty: 7, sensor: { last_seen: 1767323045 } };
    expect(codec.decode(message(answer))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no value of the air in the message',
      unread: ['novelty'],
    });
  });

  it('reads a real answer of the API: outdoor mass, degrees Fahrenheit, and when the sensor was last seen', () => {
    expect(codec.decode(message(API))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: 1667666162000,
          values: [
            { parameter: 'pm25', value: 0, unit: 'ug/m3' },
            { parameter: 'pm10', value: 0, unit: 'ug/m3' },
            { parameter: 'temperature', value: 69, unit: 'degF' },
            { parameter: 'humidity', value: 33, unit: '%' },
          ],
          conditions: { pressureHpa: 1001.66 },
        },
      ],
      refusals: [],
      unread: expect.arrayContaining(['sensor.pm2.5', 'sensor.pm2.5_alt', 'sensor.pm1.0']),
    });
  });

  it('takes the member for outdoor air, not the others whose name is near', () => {
    const sensor = {
      last_seen: 1,
      'pm2.5': 1,
      'pm2.5_alt': 2,
      'pm2.5_cf_1': 3,
      'pm2.5_atm': 4,
      'pm2.5_atm_b': 5,
    };
    expect(codec.decode(message({ sensor })).outputs).toEqual([
      { kind: 'telemetry', ts: 1000, values: [{ parameter: 'pm25', value: 4, unit: 'ug/m3' }] },
    ]);
  });

  it('reads channel A at the sensor itself', () => {
    expect(codec.decode(message(LOCAL))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: Date.UTC(2026, 0, 2, 3, 4, 5),
          values: [
            { parameter: 'pm25', value: 18.4, unit: 'ug/m3' },
            { parameter: 'pm10', value: 31.2, unit: 'ug/m3' },
            { parameter: 'temperature', value: 81, unit: 'degF' },
            { parameter: 'humidity', value: 61, unit: '%' },
          ],
          conditions: { pressureHpa: 1009.14 },
        },
      ],
      refusals: [],
      unread: ['pm2.5_aqi', 'pm1_0_atm', 'pm2_5_cf_1'],
    });
  });

  it('takes null, a sensor that the device does not have, for absent', () => {
    const sensor = { last_seen: 1, 'pm2.5_atm': 4, humidity: null, temperature: null, pressure: null };
    expect(codec.decode(message({ sensor })).outputs).toEqual([
      { kind: 'telemetry', ts: 1000, values: [{ parameter: 'pm25', value: 4, unit: 'ug/m3' }] },
    ]);
  });

  it('ignores an answer whose fields hold nothing of the air', () => {
    expect(codec.decode(message({ sensor: { last_seen: 1, rssi: -67, pressure: 1000 } }))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no value of the air in the message',
    });
  });

  it.each([
    [
      { sensor: { last_seen: '1667666162', humidity: 33 } },
      'number_as_text',
      'sensor.last_seen: expected a finite number, found the text "1667666162"',
    ],
    [
      { ...LOCAL, DateTime: '2026/02/30T03:04:05z' },
      'schema_violation',
      'DateTime: expected an existing date and time such as 2026-01-31T23:59:59+07:00, found the text "2026/02/30T03:04:05z"',
    ],
    [
      { sensor: { humidity: '33' } },
      'number_as_text',
      'sensor.humidity: expected a finite number, found the text "33"',
    ],
    [
      { fields: ['pm2.5'], data: [[1, 2]] },
      'schema_violation',
      "sensor: expected the answer of /v1/sensors/{index} or of the sensor's /json, found nothing and no SensorId",
    ],
  ])('refuses %j', (payload, reason, detail) => {
    expect(codec.decode(message(payload))).toEqual({ outputs: [], refusals: [{ reason, detail }] });
  });

  it('doubts all particles where the two lasers contradict each other, and nothing else', () => {
    const { outputs, refusals } = codec.decode(message(fixture('purpleair', 'lasers-disagree.json')));
    const suspect = 'the lasers contradict each other: pm2_5_atm 0, pm2_5_atm_b 88.4';
    expect(refusals).toEqual([]);
    expect(outputs).toMatchObject([
      {
        values: [
          { parameter: 'pm25', value: 0, suspect },
          { parameter: 'pm10', value: 0, suspect },
          { parameter: 'temperature', value: 84 },
          { parameter: 'humidity', value: 70 },
        ],
      },
    ]);
    expect(JSON.stringify(outputs).match(/suspect/g)).toHaveLength(2);
  });

  it.each([
    [{ 'pm2.5_atm_a': 0, 'pm2.5_atm_b': 40 }, /contradict/],
    [{ 'pm2.5_atm_a': 30, 'pm2.5_atm_b': 40 }, undefined],
    [{ 'pm2.5_atm_a': 1, 'pm2.5_atm_b': 5.9 }, undefined],
    [{ channel_flags: 0, channel_state: 3 }, undefined],
    [{ channel_flags: 1 }, /channel A/],
    [{ channel_flags: 2 }, /channel B/],
    [{ channel_flags: 9 }, /channel_flags 9/],
  ])('of the API with %j doubts the particles: %p', (members, why) => {
    const { outputs } = codec.decode(
      message({ sensor: { last_seen: 1, 'pm2.5_atm': 20, humidity: 33, ...members } }),
    );
    const [output] = outputs;
    const [pm25, humidity] = output?.kind === 'telemetry' ? output.values : [];
    expect(humidity).toEqual({ parameter: 'humidity', value: 33, unit: '%' });
    if (why === undefined) expect(pm25).toEqual({ parameter: 'pm25', value: 20, unit: 'ug/m3' });
    else expect(pm25?.suspect).toMatch(why);
  });

  it.each([{ channel_flags: 3 }, { channel_state: 0 }])('refuses the particles with %j', (members) => {
    const sensor = { last_seen: 1, 'pm2.5_atm': 20, humidity: 33, ...members };
    expect(codec.decode(message({ sensor }))).toMatchObject({
      outputs: [{ values: [{ parameter: 'humidity' }] }],
      refusals: [{ reason: 'not_finite', detail: expect.stringContaining('sensor.pm2.5_atm') }],
    });
  });
});
