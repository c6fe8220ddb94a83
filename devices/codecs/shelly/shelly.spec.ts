import { describeCodecContract, fixture, message } from '../codec.contract.js';
import { codec } from './index.js';

const FULL = fixture('shelly', 'gen2_NotifyFullStatus.json');
const SRC = 'shellyhtg3-0000000000aa';
const RPC = { topic: `${SRC}/events/rpc`, parts: { device: SRC } };
const ONLINE = { topic: `${SRC}/online`, parts: { device: SRC } };

const notify = (params: unknown, method = 'NotifyStatus'): object => ({
  src: SRC,
  dst: `${SRC}/events`,
  method,
  params,
});

const CLIMATE = {
  ts: 1767323045.25,
  'temperature:0': { id: 0, tC: 27.3, tF: 81.1 },
  'humidity:0': { id: 0, rh: 74.1 },
  'devicepower:0': { id: 0, battery: { V: 5.2, percent: 80 } },
};

describeCodecContract(codec, {
  inputs: [RPC, ONLINE, {}],
  samples: [
    FULL,
    Buffer.from(JSON.stringify(notify(CLIMATE))),
    Buffer.from(JSON.stringify(notify({ ts: 1, 'temperature:100': { id: 100, tC: 20 } }))),
    Buffer.from('true'),
  ],
  passedOver: /^(?:ble|cloud|devicepower:0|mqtt|switch:0|sys|wifi|ws)$/,
});

describe('shelly', () => {
  it.each(['NotifyStatus', 'NotifyFullStatus'])('reads temperature and humidity of a %s', (method) => {
    expect(codec.decode(message(notify(CLIMATE, method), RPC))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: 1767323045250,
          values: [
            { parameter: 'temperature', value: 27.3, unit: 'degC' },
            { parameter: 'humidity', value: 74.1, unit: '%' },
          ],
        },
      ],
      refusals: [],
    });
  });

  it('ignores a real relay: the temperature of its switch is not that of the air', () => {
    expect(codec.decode(message(FULL, RPC))).toEqual({
      outputs: [],
      refusals: [],
      ignored: 'no sensor of the air in the message',
    });
  });

  it('lists a sensor of another maker that speaks BTHome: what it measures is not stated', () => {
    const sensor = { id: 200, value: 612, last_updated_ts: 1767323040 };
    const params = { ts: 1767323045, bthome: { errors: [] }, 'bthomesensor:200': sensor };
    expect(codec.decode(message(notify({ ...CLIMATE, ...params }), RPC)).unread).toEqual([
      'bthomesensor:200.value',
    ]);
    expect(codec.decode(message(notify(params), RPC))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_parameter', detail: expect.stringMatching(/^bthomesensor:200\.value:/) }],
    });
    const isOpen = { ...params, 'bthomesensor:200': { ...sensor, value: true } };
    expect(codec.decode(message(notify(isOpen), RPC)).ignored).toBe('no sensor of the air in the message');
  });

  it('names the sensors of an add-on, each with what belongs together', () => {
    expect(
      codec.decode(
        message(
          notify({
            ts: 1767323045,
            'temperature:100': { id: 100, tC: 20.5, tF: 68.9 },
            'humidity:100': { id: 100, rh: 61 },
            'temperature:101': { id: 101, tC: -4.5, tF: 23.9 },
          }),
          RPC,
        ),
      ).outputs,
    ).toEqual([
      {
        kind: 'telemetry',
        ts: 1767323045000,
        source: `${SRC}:100`,
        values: [
          { parameter: 'temperature', value: 20.5, unit: 'degC' },
          { parameter: 'humidity', value: 61, unit: '%' },
        ],
      },
      {
        kind: 'telemetry',
        ts: 1767323045000,
        source: `${SRC}:101`,
        values: [{ parameter: 'temperature', value: -4.5, unit: 'degC' }],
      },
    ]);
  });

  it('refuses null, a sensor that cannot be read, and keeps the others', () => {
    const params = { ...CLIMATE, 'temperature:0': { id: 0, tC: null, tF: null, errors: ['read'] } };
    expect(codec.decode(message(notify(params), RPC))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: 1767323045250,
          values: [{ parameter: 'humidity', value: 74.1, unit: '%' }],
        },
      ],
      refusals: [
        {
          reason: 'not_finite',
          detail:
            'temperature:0.tC: expected a measured value, found null, and the device states errors read; check the sensor',
        },
      ],
    });
  });

  it('takes a status without a time at its arrival', () => {
    expect(codec.decode(message(notify({ ...CLIMATE, ts: undefined }), RPC)).outputs).toMatchObject([
      { ts: undefined },
    ]);
  });

  it.each([
    [notify({ ...CLIMATE, ts: 1e300 }), 'params.ts: expected seconds since 1970, found 1e+300'],
    [notify({ 'temperature:0': 21 }), 'temperature:0: expected an object, found 21'],
    [notify([]), 'params: expected an object, found a list'],
    [{ src: SRC, params: {} }, 'method: expected the text NotifyStatus or NotifyFullStatus, found nothing'],
    [{ method: 'NotifyStatus', params: {} }, "src: expected the device's id, found nothing"],
  ])('refuses %j', (payload, detail) => {
    expect(codec.decode(message(payload, RPC))).toEqual({
      outputs: [],
      refusals: [{ reason: 'schema_violation', detail }],
    });
  });

  it('ignores an event', () => {
    expect(codec.decode(message(notify({ ts: 1, events: [] }, 'NotifyEvent'), RPC)).ignored).toBe(
      'NotifyEvent is no status',
    );
  });

  it.each([
    [fixture('shelly', 'gen2_online.txt'), 'online'],
    ['false', 'offline'],
  ])('reads %s on the topic online', (payload, state) => {
    expect(codec.decode(message(payload, ONLINE))).toEqual({
      outputs: [{ kind: 'status', ts: undefined, state }],
      refusals: [],
    });
  });

  it('refuses another word there', () => {
    expect(codec.decode(message('"yes"', ONLINE)).refusals).toEqual([
      { reason: 'schema_violation', detail: 'online: expected true or false, found the text "yes"' },
    ]);
  });
});
