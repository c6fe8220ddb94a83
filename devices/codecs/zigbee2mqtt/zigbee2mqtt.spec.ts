import { describeCodecContract, fixture, message } from '../codec.contract.js';
import { codec } from './index.js';

const SEN55 = fixture('zigbee2mqtt', 'sen55_air.json');
const AVAILABILITY = { topic: 'zigbee2mqtt/ZB_SEN55/availability', parts: { device: 'ZB_SEN55' } };
const BRIDGE = { topic: 'zigbee2mqtt/bridge/state', parts: { device: 'bridge' } };
const NOTHING = 'no value of the air in the message';

describeCodecContract(codec, {
  inputs: [{ topic: 'zigbee2mqtt/ZB_SEN55', parts: { device: 'ZB_SEN55' } }, AVAILABILITY, BRIDGE],
  samples: [
    SEN55,
    Buffer.from('{"temperature":21.5,"pressure":1009,"last_seen":"2026-01-02T10:04:00+07:00"}'),
    Buffer.from('{"humidity":60,"last_seen":1767323040000}'),
    Buffer.from('{"state":"online"}'),
  ],
});

describe('zigbee2mqtt', () => {
  it('reads a real SEN55', () => {
    const stated = JSON.parse(SEN55.toString()) as Record<string, number>;
    expect(codec.decode(message(SEN55))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          repeats: true,
          ts: undefined,
          values: [
            { parameter: 'pm25', value: stated['pm25'], unit: 'ug/m3' },
            { parameter: 'pm10', value: stated['pm10'], unit: 'ug/m3' },
            { parameter: 'temperature', value: stated['temperature'], unit: 'degC' },
            { parameter: 'humidity', value: stated['humidity'], unit: '%' },
          ],
        },
      ],
      refusals: [],
      unread: ['nox_index', 'pm1', 'pm4', 'voc_index'],
    });
  });

  it.each([
    ['ISO_8601', '2026-01-02T03:04:00.000Z'],
    ['ISO_8601_local', '2026-01-02T10:04:00+07:00'],
    ['epoch', 1767323040000],
  ])('takes last_seen (%s) for the instant: the keys may be repeated from before', (_form, last_seen) => {
    expect(codec.decode(message({ temperature: 27.3, pressure: 1009.5, last_seen }))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          repeats: true,
          ts: Date.UTC(2026, 0, 2, 3, 4),
          values: [{ parameter: 'temperature', value: 27.3, unit: 'degC' }],
          conditions: { pressureHpa: 1009.5 },
        },
      ],
      refusals: [],
    });
  });

  it.each(['2026-02-30T00:00:00Z', 'now', 1e300])('refuses a message last seen %p', (last_seen) => {
    expect(codec.decode(message({ temperature: 27.3, last_seen }))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'schema_violation', detail: expect.stringContaining('last_seen: expected') }],
    });
  });

  it('takes null, a value not yet reported, for absent', () => {
    expect(codec.decode(message({ temperature: null, humidity: 60, last_seen: null }))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          repeats: true,
          ts: undefined,
          values: [{ parameter: 'humidity', value: 60, unit: '%' }],
        },
      ],
      refusals: [],
    });
  });

  it('refuses what is no number and keeps the others', () => {
    expect(codec.decode(message({ pm25: 'unknown', pm10: '8', temperature: 21 }))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          repeats: true,
          ts: undefined,
          values: [{ parameter: 'temperature', value: 21, unit: 'degC' }],
        },
      ],
      refusals: [
        { reason: 'schema_violation', detail: 'pm25: expected a finite number, found the text "unknown"' },
        { reason: 'number_as_text', detail: 'pm10: expected a finite number, found the text "8"' },
      ],
    });
  });

  it('ignores a switch, and refuses gases by name, whose unit differs by device', () => {
    expect(codec.decode(message({ state: 'ON', linkquality: 98 })).ignored).toBe(NOTHING);
    expect(codec.decode(message({ co: 3, voc: 120, co2: 600 })).refusals).toMatchObject([
      { reason: 'unknown_parameter', detail: expect.stringMatching(/^co, voc, co2: /) },
    ]);
  });

  it('ignores the announcement of a device', () => {
    const payload = fixture('zigbee2mqtt', 'bridge_event_device_announce.json');
    expect(codec.decode(message(payload, { topic: 'zigbee2mqtt/bridge/event' })).ignored).toBe(NOTHING);
  });

  it.each([
    ['the bridge, as text', BRIDGE, fixture('zigbee2mqtt', 'bridge_state_offline.txt'), 'offline'],
    ['the bridge, as JSON', BRIDGE, '{"state":"online"}', 'online'],
    ['a device, as text', AVAILABILITY, 'online', 'online'],
    ['a device, as JSON', AVAILABILITY, '{"state":"offline"}', 'offline'],
  ])('reads the availability of %s', (_name, where, payload, state) => {
    expect(codec.decode(message(payload, where))).toEqual({
      outputs: [{ kind: 'status', ts: undefined, state }],
      refusals: [],
    });
  });

  it('keeps another word of availability, and refuses what is none', () => {
    expect(codec.decode(message({ state: 'error' }, AVAILABILITY)).outputs).toEqual([
      { kind: 'status', ts: undefined, state: 'unknown', stated: 'error' },
    ]);
    expect(codec.decode(message({ state: 1 }, AVAILABILITY)).refusals).toEqual([
      { reason: 'schema_violation', detail: 'state: expected one of online, offline, found 1' },
    ]);
  });
});

describe('a unit that Zigbee2MQTT states', () => {
  it.each([
    { temperature_unit: 'celsius' },
    { temperature_unit_convert: 'fahrenheit' },
    { display_unit: 'mgm3_fahrenheit' },
  ])('leaves the value in °C where it says so, or speaks of the display: %j', (more) => {
    expect(codec.decode(message({ temperature: 25.9, ...more })).outputs).toMatchObject([
      { values: [{ parameter: 'temperature', value: 25.9, unit: 'degC' }] },
    ]);
  });

  // The value follows it at a HOBEIAN ZG-IR01 (Koenkk/zigbee-herdsman-converters#13090: 78.6 °F as 78.6 °C), and does not at a
  // Sonoff SNZB-02D (nurikk/zigbee2mqtt-frontend#2750).
  it('refuses Fahrenheit, in which some devices state the value and others do not', () => {
    const { outputs, refusals } = codec.decode(
      message({ temperature: 78.6, humidity: 60, temperature_unit: 'fahrenheit' }),
    );
    expect(outputs).toMatchObject([{ values: [{ parameter: 'humidity' }] }]);
    expect(refusals).toEqual([
      {
        reason: 'unknown_unit',
        detail:
          'temperature: no known unit of temperature; found temperature_unit the text "fahrenheit"; set it to degC',
      },
    ]);
  });
});

it('hands on the -1 of a purifier that is switched off, which its range fails; what is null disturbs nothing', () => {
  expect(codec.decode(message(fixture('zigbee2mqtt', 'minus-one.json')))).toMatchObject({
    outputs: [{ values: [{ parameter: 'pm25', value: -1 }] }],
    refusals: [],
  });
});
