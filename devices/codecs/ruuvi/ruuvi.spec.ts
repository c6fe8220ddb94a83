import { describeCodecContract, message } from '../codec.contract.js';
import { codec } from './index.js';

const TOPIC = 'ruuvi/C8:25:2D:8E:9C:2C/F4:1F:0C:28:CB:D6';
/** The example of Ruuvi's page on its MQTT messages. */
const RAWV2 = '0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6';
/** From a report of the sensor's owner (f.ruuvi.com, "Ruuvi air ble protocol"). */
const FORMAT_6 = '17FF9904061083' + '3BA0C086001B0232' + '0500FFFFDDD08FBABE';
const E1 = `2BFF9904E1170C5668C79E0065007004BD11CA${'00'.repeat(25)}`;
const sent = (data: string, more = {}): object => ({
  ...{
    gw_mac: 'C8:25:2D:8E:9C:2C',
    rssi: -26,
    aoa: [],
    gwts: '1795785573',
    ts: '1795785572',
    data,
    coords: '',
  },
  ...more,
});
const decode = (payload: unknown, more = {}): ReturnType<typeof codec.decode> =>
  codec.decode(message(payload, { topic: TOPIC, parts: { device: 'F4:1F:0C:28:CB:D6' }, ...more }));

/** Every pair of bytes that hexadecimal text holds, in every scale of the formats. */
function numbersOf(payload: Uint8Array): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const [text] of Buffer.from(payload)
    .toString('latin1')
    .matchAll(/[0-9a-f]{4,}/gi)) {
    for (let i = 0; i + 4 <= text.length; i++) {
      const unsigned = parseInt(text.slice(i, i + 4), 16);
      numbers.add((unsigned >= 0x8000 ? unsigned - 0x10000 : unsigned) / 200);
      numbers.add(unsigned / 400).add(unsigned / 10);
    }
  }
  return numbers;
}

describeCodecContract(codec, {
  inputs: [{ topic: TOPIC, parts: { device: 'x' } }, { topic: TOPIC }, { topic: 'ruuvi/g/gw_status' }, {}],
  samples: [RAWV2, FORMAT_6, E1].map((data) => Buffer.from(JSON.stringify(sent(data)))),
  numbersOf,
  holding: [FORMAT_6, E1].map((data) => [message(sent(data), { topic: TOPIC }), 'co2']),
  stating: (unit) => [RAWV2, E1].map((data) => message(sent(data, { unit }), { topic: TOPIC })),
});

describe('ruuvi', () => {
  it('reads temperature, humidity and pressure of a RuuviTag, at the time of the gateway', () => {
    expect(decode(sent(RAWV2))).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: 1_795_785_572_000,
          values: [
            { parameter: 'temperature', value: 27.75, unit: 'degC' },
            { parameter: 'humidity', value: 48.9125, unit: '%' },
          ],
          conditions: { pressureHpa: 1009.03 },
        },
      ],
      refusals: [],
    });
  });

  it('reads the particles of a Ruuvi Air in both of its formats, and one of them alone once it sends both', () => {
    expect(decode(sent(FORMAT_6)).outputs).toMatchObject([
      { values: [{ value: 21.135 }, { value: 38.16 }, { parameter: 'pm25', value: 2.7 }] },
    ]);
    const extended = decode(sent(E1));
    expect(extended.outputs).toMatchObject([
      {
        values: [
          { value: 29.5 },
          { value: 55.3 },
          { parameter: 'pm25', value: 11.2 },
          { parameter: 'pm10', value: 455.4 },
        ],
      },
    ]);
    expect(decode(sent(FORMAT_6), { memory: extended.memory }).ignored).toContain('E1');
  });

  it('takes what is not available for absent', () => {
    const without = RAWV2.replace('15AE4C6D', '15AEFFFF');
    expect(decode(sent(without)).outputs).toMatchObject([{ values: [{ parameter: 'temperature' }] }]);
    expect(decode(sent(RAWV2.replace('15AE4C6DC6D7', '8000FFFFFFFF'))).ignored).toBe(
      'the sensor has no value yet',
    );
  });

  it('lists what else a Ruuvi Air measures where it has a value of it', () => {
    expect(decode(sent(FORMAT_6)).unread).toEqual(['co2', 'voc', 'nox']);
    expect(decode(sent(FORMAT_6.replace('0232', 'FFFF'))).unread).toEqual(['voc', 'nox']);
    expect(decode(sent(E1)).unread).toEqual(['pm1_0', 'pm4_0', 'co2', 'voc', 'nox']);
    const starting = { outputs: [], refusals: [], ignored: 'the sensor has no value yet' };
    const ones = (bytes: number): string => 'FF'.repeat(bytes);
    const six = `17FF9904068000${ones(17)}`;
    const e1 = `2BFF9904E18000${ones(37)}`;
    for (const frame of [six, e1]) {
      expect(decode(sent(frame))).toMatchObject(starting);
      expect(decode(sent(frame)).unread).toBeUndefined();
    }
    expect(decode(sent(e1, { novelty: 7 }))).toMatchObject({ ...starting, unread: ['novelty'] });
    // The index alone has a value.
    expect(decode(sent(`17FF9904068000${ones(8)}1B${ones(8)}`))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_parameter', detail: expect.stringMatching(/^voc:/) }],
    });
  });

  it('names the sensor where the pattern does not, and takes the arrival where the gateway states no time', () => {
    const [output] = decode(sent(RAWV2, { ts: undefined }), { parts: {} }).outputs;
    expect(output).toMatchObject({ ts: undefined, source: 'F4:1F:0C:28:CB:D6' });
  });

  it.each(
    [
      [sent('zz'), 'data: expected an advertisement in hexadecimal'],
      [sent(RAWV2.replace('990405', '990403')), 'data: expected data format 5, 6 or E1, found 3'],
      [sent(RAWV2, { ts: 'yesterday' }), 'ts: expected a finite number'],
    ].slice(1),
  )('refuses %j', (payload, detail) => {
    const { outputs, refusals } = decode(payload);
    expect(outputs).toEqual([]);
    expect(refusals).toEqual([
      expect.objectContaining({ detail: expect.stringContaining(detail as string) }),
    ]);
  });

  it('passes over the advertisements of others, and keeps the status of the gateway', () => {
    expect(decode(sent('02010603FF4C00')).ignored).toBe('an advertisement of no Ruuvi sensor');
    expect(decode({ state: 'online' }, { topic: 'ruuvi/x/gw_status', parts: {} }).outputs).toMatchObject([
      { kind: 'status', state: 'online' },
    ]);
  });
});
