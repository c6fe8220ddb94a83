import type { CodecResult } from '#libs/telemetry';
import { describeCodecContract, fixture, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

const TOPIC = 'application/app/device/a84041cdffe51234/event/';
const event = (name: string) => ({
  topic: TOPIC + name,
  parts: { application: 'app', device: 'a84041cdffe51234', event: name },
});
const TIME = '2026-01-02T10:04:05.123456789+07:00';
const TS = Date.UTC(2026, 0, 2, 3, 4, 5, 123);
const uplink = (object: unknown) => ({
  time: TIME,
  deviceInfo: { devEui: 'a84041cdffe51234' },
  fPort: 85,
  object,
});
const decode = (payload: unknown, name = 'up', more = {}): CodecResult =>
  codec.decode(message(payload, { ...event(name), ...more }));
const reference = (name: string) => fixture('chirpstack', name);
const parsed = (name: string) => JSON.parse(reference(name).toString()) as Record<string, string>;

describeCodecContract(codec, {
  inputs: ['up', 'status', 'join', 'log', 'ack', 'other']
    .map(event)
    .concat([{ topic: '', parts: {} as never }]),
  samples: [
    ...['v4_up.json', 'v4_status.json', 'v4_join.json', 'v4_log.json'].map(reference),
    Buffer.from(JSON.stringify(uplink({ pm2_5: 12, temperature: 30.8, no2_ppb: 7, pressure_hpa: 1009 }))),
  ],
  passedOver: /^(?:deviceInfo|rxInfo|txInfo|context)$/,
});

describe('chirpstack up', () => {
  it('gives the values of the decoder with their units', () => {
    const object = {
      pm2_5: 12,
      pm10: 20.5,
      temperature: 30.8,
      humidity: 50.5,
      battery: 92,
      pressure_hpa: 1009.2,
    };
    expect(decode(uplink(object))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: TS,
          values: [
            { parameter: 'pm25', value: 12, unit: 'ug/m3' },
            { parameter: 'pm10', value: 20.5, unit: 'ug/m3' },
            { parameter: 'temperature', value: 30.8, unit: 'degC' },
            { parameter: 'humidity', value: 50.5, unit: '%' },
          ],
          conditions: { pressureHpa: 1009.2 },
        },
      ],
      refusals: [],
    });
  });

  it.each([
    ['PM2.5', 'pm25', 'ug/m3'],
    ['pm25', 'pm25', 'ug/m3'],
    ['pm2p5_ugm3', 'pm25', 'ug/m3'],
    ['TempC_SHT', 'temperature', 'degC'],
    ['temperature_f', 'temperature', 'degF'],
    ['Hum_SHT', 'humidity', '%'],
    ['humidity_pct', 'humidity', '%'],
    ['no2_ppb', 'no2', 'ppb'],
    ['co_ppm', 'co', 'ppm'],
    ['co_mg_m3', 'co', 'mg/m3'],
    ['o3_ugm3', 'o3', 'ug/m3'],
  ])('reads %s as %s in %s', (name, parameter, unit) => {
    expect(decode(uplink({ [name]: 4.2 })).outputs).toMatchObject([
      { values: [{ parameter, value: 4.2, unit }] },
    ]);
  });

  it('refuses a gas without a unit and keeps the value beside it', () => {
    expect(decode(uplink({ co: 4, pm10: 20 }))).toEqual({
      outputs: [{ kind: 'telemetry', ts: TS, values: [{ parameter: 'pm10', value: 20, unit: 'ug/m3' }] }],
      refusals: [
        {
          reason: 'unknown_unit',
          detail:
            'object.co: no known unit of co; let the decoder at the server name it with its unit, such as no2_ppb or o3_ugm3',
        },
      ],
    });
  });

  it('reads a number as text, which some decoders write, and takes null for absent', () => {
    expect(decode(uplink({ pm10: '20', pm25: null }))).toMatchObject({
      outputs: [{ values: [{ parameter: 'pm10', value: 20 }] }],
      refusals: [],
    });
  });

  it('does not take absence for zero', () => {
    expect(decode(uplink({ battery: 92 }))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'object holds no name that Pantau measures',
    });
  });

  it('refuses no uplink about the device itself for what the server says beside it', () => {
    expect(decode({ ...uplink({ battery: 92 }), novelty: 7 })).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'object holds no name that Pantau measures',
      unread: ['novelty'],
    });
  });

  it('asks for a codec at the server where only bytes arrive', () => {
    const real = parsed('v4_up.json');
    expect(real['object']).toBeUndefined();
    expect(typeof real['data']).toBe('string');
    expect(decode(reference('v4_up.json'))).toEqual({
      outputs: [],
      refusals: [
        { reason: 'unreadable', detail: expect.stringContaining('payload codec in the device profile') },
      ],
    });
    expect(decode({ time: TIME, fPort: 0 })).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'an uplink without application data',
    });
  });

  it('reads nanoseconds and +00:00', () => {
    const time = parsed('v4_up.json')['time']!;
    expect(time).toMatch(/\.\d{9}\+00:00$/);
    expect(decode({ ...parsed('v4_up.json'), object: { pm10: 1 } }).outputs).toMatchObject([
      { ts: Date.parse(`${time.slice(0, 23)}Z`) },
    ]);
  });

  it('names the device by its EUI where the topic does not', () => {
    expect(decode(uplink({ pm10: 1 }), 'up', { parts: { event: 'up' } }).outputs).toMatchObject([
      { source: 'a84041cdffe51234' },
    ]);
  });

  it('refuses a date that does not exist', () => {
    expect(decode({ ...uplink({ pm10: 1 }), time: '2026-02-30T00:00:00Z' })).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'schema_violation' }],
    });
  });
});

describe('chirpstack events', () => {
  it('tells of a join', () => {
    const { time } = parsed('v4_join.json');
    expect(decode(reference('v4_join.json'), 'join')).toEqual({
      outputs: [{ kind: 'event', ts: Date.parse(time!), name: 'join' }],
      refusals: [],
    });
  });

  it('tells of battery level and margin', () => {
    const { time, margin, batteryLevel } = parsed('v4_status.json');
    expect(decode(reference('v4_status.json'), 'status')).toEqual({
      outputs: [
        { kind: 'event', ts: Date.parse(time!), name: 'device-status', data: { batteryLevel, margin } },
      ],
      refusals: [],
    });
    expect(decode({ time: TIME }, 'status').ignored).toBe('a status without battery level or margin');
  });

  it('tells of errors in the log and ignores information', () => {
    const { time, level, code, description } = parsed('v4_log.json');
    expect(decode(reference('v4_log.json'), 'log')).toEqual({
      outputs: [
        { kind: 'event', ts: Date.parse(time!), name: 'network-log', data: { level, code, description } },
      ],
      refusals: [
        {
          reason: 'unreadable',
          detail:
            'UPLINK_CODEC: expected an uplink that ChirpStack can use, it says: decoder threw an error; see the device at ChirpStack',
        },
      ],
    });
    const downlink = { time: TIME, level: 'ERROR', code: 'DOWNLINK_CODEC', description: 'x' };
    expect(decode(downlink, 'log')).toMatchObject({ outputs: [{ name: 'network-log' }], refusals: [] });
    expect(decode({ time: TIME, level: 'INFO', code: 'OTAA' }, 'log').ignored).toBe(
      'a log entry of level INFO',
    );
  });

  it.each(['ack', 'txack', 'location', 'integration'])('ignores %s', (name) => {
    expect(decode({ time: TIME }, name)).toEqual({
      outputs: [],
      refusals: [],
      ignored: `event ${name} is not kept`,
    });
  });

  it('lists nothing of what the server says of a downlink or of the place, and refuses no status for a number beside it', () => {
    const sent = {
      downlinkId: 4_211_842_345,
      queueItemId: '17',
      gatewayId: '1234567890123456',
      fCntDown: 10,
    };
    expect(
      decode({ time: TIME, ...sent, txInfo: { frequency: 923_200_000 } }, 'txack').unread,
    ).toBeUndefined();
    expect(decode({ time: TIME, ...sent, acknowledged: true }, 'ack').unread).toBeUndefined();
    expect(
      decode({ time: TIME, location: { latitude: -2.9, accuracy: 12 } }, 'location').unread,
    ).toBeUndefined();
    expect(decode({ time: TIME, novelty: 7 }, 'status')).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'a status without battery level or margin',
      unread: ['novelty'],
    });
  });

  it('takes the event from the topic when the pattern does not name it, and refuses what is none', () => {
    expect(codec.decode(message(uplink({ pm10: 1 }), { topic: `${TOPIC}up` })).outputs).toHaveLength(1);
    expect(decode(uplink({ pm10: 1 }), 'command').refusals).toMatchObject([{ reason: 'unreadable' }]);
    expect(codec.decode(message(uplink({ pm10: 1 }))).refusals).toMatchObject([{ reason: 'unreadable' }]);
  });

  it('gives the entries of a history at their own times', () => {
    const body = fixture('chirpstack', 'milesight-history.json');
    const at = (minute: number, ...values: number[]): object => ({
      ts: Date.UTC(2026, 10, 28, 12, minute),
      values: values.map((value) => ({ value })),
    });
    expect(decode(body)).toMatchObject({
      outputs: [at(30, 27.1, 80, 12, 15), at(40, 27.2, 81, 13, 16)],
      refusals: [],
    });
  });

  it.each([undefined, null, 'today', '2026-01-02T03:04:05', 1e300])(
    'refuses an entry of a history whose time is %p: the arrival never stands in',
    (timestamp) => {
      expect(decode(uplink({ history: [{ timestamp, pm2_5: 3 }] }))).toMatchObject({
        outputs: [],
        refusals: [{ reason: 'schema_violation', detail: expect.stringContaining('object.history[0]') }],
      });
    },
  );
});
