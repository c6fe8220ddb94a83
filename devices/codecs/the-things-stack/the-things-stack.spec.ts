import { describeCodecContract, fixture, message, unnamed } from '../codec.contract.js';
import { codec as named } from './index.js';

const codec = unnamed(named);

const IN = {
  topic: 'v3/app1@tenant1/devices/dev1/up',
  parts: { application: 'app1@tenant1', device: 'dev1', event: 'up' },
};
const TS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const uplink = (decoded: unknown, more = {}) => ({
  end_device_ids: { device_id: 'dev1' },
  received_at: '2026-01-02T03:04:06.000000001Z',
  uplink_message: {
    received_at: '2026-01-02T03:04:05.678999999Z',
    frm_payload: 'AQ==',
    decoded_payload: decoded,
    ...more,
  },
});
const decode = (payload: unknown, where: object = IN) => codec.decode(message(payload, where));

describeCodecContract(codec, {
  inputs: [IN, {}],
  samples: [
    fixture('the-things-stack', 'v3_uplink.json'),
    fixture('the-things-stack', 'v3_join.json'),
    Buffer.from(JSON.stringify(uplink({ pm2_5: 8, humidity: 50.5, so2_ppb: 3 }))),
  ],
  passedOver: /^(?:end_device_ids|rx_metadata|settings|locations|\w+_ids|attributes)$/,
});

describe('the-things-stack', () => {
  it('reads the documented uplink; luminosity is not measured', () => {
    expect(decode(fixture('the-things-stack', 'v3_uplink.json'))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: Date.UTC(2020, 1, 12, 15, 15, 45, 789),
          values: [{ parameter: 'temperature', value: 1, unit: 'degC' }],
        },
      ],
      refusals: [],
      unread: ['decoded_payload.luminosity'],
    });
  });

  it('reads what the decoder of a Milesight AM308 names', () => {
    expect(
      decode(uplink({ battery: 92, temperature: 30.8, humidity: 50.5, pm2_5: 8, pm10: 9 })).outputs,
    ).toEqual([
      {
        kind: 'telemetry',
        ts: TS,
        values: [
          { parameter: 'temperature', value: 30.8, unit: 'degC' },
          { parameter: 'humidity', value: 50.5, unit: '%' },
          { parameter: 'pm25', value: 8, unit: 'ug/m3' },
          { parameter: 'pm10', value: 9, unit: 'ug/m3' },
        ],
      },
    ]);
  });

  it('tells of a join', () => {
    expect(decode(fixture('the-things-stack', 'v3_join.json'))).toEqual({
      outputs: [{ kind: 'event', ts: Date.UTC(2020, 1, 17, 7, 49, 9, 736), name: 'join' }],
      refusals: [],
    });
  });

  it('takes the time of the application server when the network server states none', () => {
    expect(decode(uplink({ pm10: 1 }, { received_at: undefined })).outputs).toMatchObject([
      { ts: Date.UTC(2026, 0, 2, 3, 4, 6) },
    ]);
  });

  it('takes what the server leaves out for absent, not for zero', () => {
    expect(decode(uplink({}))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'decoded_payload holds no name that Pantau measures',
    });
    expect(decode(uplink(undefined, { frm_payload: undefined })).ignored).toBe(
      'an uplink without application data',
    );
  });

  it('refuses no uplink about the device itself for what the server says beside it', () => {
    // Since 3.33.1 the server repeats the last battery level that the device told it.
    const last_battery_percentage = { f_cnt: 14, value: 90.1, received_at: '2026-01-02T03:00:00Z' };
    const ignored = 'decoded_payload holds no name that Pantau measures';
    expect(decode(uplink({ battery: 90 }, { last_battery_percentage, last_a_f_cnt_down: 3 }))).toEqual({
      outputs: [],
      refusals: [],
      ignored,
    });
    // What it may say some day is listed.
    expect(decode(uplink({ battery: 90 }, { novelty: { value: 7 } }))).toEqual({
      outputs: [],
      refusals: [],
      ignored,
      unread: ['uplink_message.novelty.value'],
    });
    expect(decode(uplink({ soil: 7 }, { novelty: 7 }))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_parameter', detail: expect.stringContaining('decoded_payload.soil:') }],
    });
  });

  it('keeps a zero that the decoder states', () => {
    expect(decode(uplink({ pm10: 0 })).outputs).toMatchObject([{ values: [{ value: 0 }] }]);
  });

  it('asks for a formatter at the server where only bytes arrive', () => {
    expect(decode(uplink(undefined))).toEqual({
      outputs: [],
      refusals: [{ reason: 'unreadable', detail: expect.stringContaining('uplink payload formatter') }],
    });
  });

  it('refuses a gas without a unit', () => {
    expect(decode(uplink({ no2: 1 })).refusals).toMatchObject([{ reason: 'unknown_unit' }]);
  });

  it('ignores downlinks, and refuses what is not of The Things Stack', () => {
    expect(decode({ end_device_ids: { device_id: 'dev1' }, downlink_queued: {} }).ignored).toBe(
      'neither an uplink nor a join',
    );
    expect(decode({ temperature: 1 }).refusals).toMatchObject([{ reason: 'unreadable' }]);
  });

  it('names the device where the topic does not', () => {
    expect(decode(uplink({ pm10: 1 }), {}).outputs).toMatchObject([{ source: 'dev1' }]);
  });

  it("reads the names of The Things Stack's own CayenneLPP, which end with a channel", () => {
    expect(decode(fixture('the-things-stack', 'cayenne.json'))).toMatchObject({
      outputs: [
        {
          values: [
            { parameter: 'temperature', value: 30, unit: 'degC' },
            { parameter: 'humidity', value: 60, unit: '%' },
          ],
        },
      ],
      refusals: [],
    });
    expect(decode(uplink({ no2_ppb_3: 7, pm2_5_1: 12, temperature_1: 30, temperature_2: 4 }))).toMatchObject({
      outputs: [
        {
          values: [
            { parameter: 'no2', unit: 'ppb' },
            { parameter: 'pm25', value: 12 },
            { parameter: 'temperature', value: 30 },
          ],
          others: [{ refusal: { detail: expect.stringContaining('temperature_2') } }],
        },
      ],
      refusals: [],
    });
  });

  it('repeats what the decoder complains of: alone it is a refusal, beside values a doubt', () => {
    expect(decode(fixture('the-things-stack', 'decoder-warning.json'))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unreadable', detail: expect.stringContaining('Unsupported fPort') }],
    });
    expect(decode(uplink({ pm2_5: 3 }, { decoded_payload_warnings: ['too short'] })).outputs).toMatchObject([
      { values: [{ value: 3, suspect: 'the decoder: too short' }] },
    ]);
  });
});
