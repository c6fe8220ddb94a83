import type { Codec, CodecResult, Measured } from '#libs/telemetry';
import { message } from './codec.contract.js';
import { loadCodecs } from './index.js';

type Expected = { readonly bad: RegExp } | { readonly suspect: RegExp } | 'good';
type Case = readonly [what: string, payload: object, Expected, of?: readonly string[]];

const purple = (more: object): object => ({
  SensorId: '0:0:0:0:0:1',
  DateTime: '2026/01/02T03:04:05z',
  hardwarediscovered: '2.0+BME280+PMSX003-B+PMSX003-A',
  ...{ pm2_5_atm: 18.4, pm2_5_atm_b: 17.2 },
  ...more,
});
const api = (more: object): object => ({ sensor: { last_seen: 1767323045, 'pm2.5_atm': 12, ...more } });
const shelly = (component: object): object => ({
  ...{ src: 'shellyhtg3-1', method: 'NotifyStatus' },
  params: { ts: 1767323045, 'temperature:0': { id: 0, tC: 21, ...component } },
});
const airGradient = (one: object, two: object): object => ({
  ...{ pm02: 20, pm10: 25, atmp: 27 },
  channels: { '1': one, '2': two },
});

/** What devices say of their own values, in the form of their makers. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  // PurpleAir, "Sensor JSON documentation" and "API fields descriptions" (community.purpleair.com/t/6917, /t/4652).
  purpleair: [
    ['both lasers agree', purple({}), 'good'],
    [
      'laser B is there and gives nothing',
      purple({ pm2_5_atm_b: undefined }),
      { suspect: /one of two lasers.*pm2_5_atm_b/ },
    ],
    ['laser B gives null', purple({ pm2_5_atm_b: null }), { suspect: /pm2_5_atm_b/ }],
    [
      'one laser is all it has',
      purple({ hardwarediscovered: '2.0+BME280+PMSX003-A', pm2_5_atm_b: undefined }),
      'good',
    ],
    ['confidence is high', api({ confidence: 100 }), 'good'],
    ['confidence is low', api({ confidence: 30 }), { suspect: /confidence 30 %/ }],
    ['confidence is null, as indoors', api({ confidence: null }), 'good'],
    ['confidence is no number', api({ confidence: 'low' }), { suspect: /confidence the text "low"/ }],
    ['one channel is null', api({ 'pm2.5_atm_a': 12, 'pm2.5_atm_b': null }), { suspect: /pm2.5_atm_b/ }],
  ],
  // Open-Air-Foundation/firmware-one-openair: an Open Air O-1PP has two PMS5003T, whose values stand in `channels`.
  airgradient: [
    ['both channels agree', airGradient({ pm02: 19, pm10: 24 }, { pm02: 21, pm10: 26 }), 'good'],
    [
      'the channels contradict each other',
      airGradient({ pm02: 0 }, { pm02: 40 }),
      { suspect: /channels.1.pm02 0, channels.2.pm02 40/ },
      ['pm25', 'pm10'],
    ],
    [
      'a channel is dead',
      airGradient({ pm02: 20 }, { pm02: -1 }),
      { suspect: /channels.2.pm02/ },
      ['pm25', 'pm10'],
    ],
    [
      'a channel gives nothing',
      airGradient({ pm02: 20 }, {}),
      { suspect: /channels.2.pm02/ },
      ['pm25', 'pm10'],
    ],
  ],
  // Shelly API documentation, "Temperature", status: `errors`, "shown only if at least one error is present".
  shelly: [
    ['no error', shelly({ errors: [] }), 'good'],
    ['the sensor cannot be read', shelly({ errors: ['read'] }), { bad: /errors read/ }],
    ['it is out of range', shelly({ errors: ['out_of_range'] }), { bad: /errors out_of_range/ }],
    ['an error that nobody knows', shelly({ errors: ['drift'] }), { suspect: /errors drift/ }],
    ['errors is no list', shelly({ errors: 'read' }), { bad: /errors read/ }],
    ['a DS18B20 on an add-on has not measured since it was powered', shelly({ tC: 85 }), { bad: /power/ }],
  ],
  // Koenkk/zigbee2mqtt#14997 (Develco: reliability, fault).
  zigbee2mqtt: [
    ['no fault', { temperature: 21, fault: false, reliability: 'no_fault_detected' }, 'good'],
    ['nothing is known of faults', { temperature: 21, fault: null, reliability: null }, 'good'],
    ['the device has a fault', { temperature: 21, fault: true }, { suspect: /fault true/ }],
    ['the sensor has a fault', { temperature: 21, sensor_fault: true }, { bad: /sensor_fault true/ }],
    [
      'it is not reliable',
      { temperature: 21, reliability: 'process_error' },
      { suspect: /reliability process_error/ },
    ],
    ['the fault of another sensor', { temperature: 21, humidity_sensor_fault: true }, 'good'],
    [
      'its own fault',
      { temperature: 21, temperature_sensor_fault: true },
      { bad: /temperature_sensor_fault/ },
    ],
  ],
  // smart-data-models/dataModel.Environment, AirQualityObserved: reliability, "expressed in parts per one".
  fiware: [
    ['reliable', { type: 'AirQualityObserved', temperature: 21, reliability: 0.9 }, 'good'],
    [
      'hardly reliable',
      { type: 'AirQualityObserved', temperature: 21, reliability: 0.2 },
      { suspect: /reliability 0.2/ },
    ],
  ],
  'shelly-blu': [['a DS18B20 that was just powered', { temperature: 85 }, { bad: /power/ }]],
  'sensor-community': [
    [
      'a 16-bit field of ones',
      { sensordatavalues: [{ value_type: 'SDS_P2', value: '6553.5' }] },
      { bad: /does not answer/ },
    ],
  ],
  // dragino/dragino-end-node-decoder#2: -327.67 of a channel without a probe; 327.67 is its twin.
  'the-things-stack': [
    [
      'no probe',
      { end_device_ids: {}, uplink_message: { decoded_payload: { TempC_SHT: 327.67 } } },
      { bad: /does not answer/ },
    ],
  ],
};

describe("the device's own word on validity", () => {
  let codecs: ReadonlyMap<string, Codec>;
  beforeAll(async () => {
    codecs = await loadCodecs();
  });

  it.each(
    Object.entries(CASES).flatMap(([maker, cases]) =>
      cases.map(([what, payload, expected, of]) => ({ maker, what, payload, expected, of })),
    ),
  )('is read by $maker: $what', ({ maker, payload, expected, of }) => {
    const result: CodecResult = codecs.get(maker)!.decode(message(payload));
    const values = result.outputs.flatMap((output): readonly Measured[] =>
      output.kind === 'telemetry' ? output.values : [],
    );
    const judged = of === undefined ? values : values.filter(({ parameter }) => of.includes(parameter));
    if (expected === 'good') {
      expect(result.refusals).toEqual([]);
      expect(values.length).toBeGreaterThan(0);
      expect(values.filter(({ suspect }) => suspect !== undefined)).toEqual([]);
    } else if ('bad' in expected) {
      expect(values).toEqual([]);
      expect(result.refusals).toMatchObject([
        { reason: 'not_finite', detail: expect.stringMatching(expected.bad) },
      ]);
    } else {
      expect(judged.length).toBeGreaterThan(0);
      for (const { suspect } of judged) expect(suspect).toMatch(expected.suspect);
      expect(values.filter((value) => !judged.includes(value) && value.suspect !== undefined)).toEqual([]);
    }
  });
});
