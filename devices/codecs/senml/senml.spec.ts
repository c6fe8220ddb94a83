import type { CodecResult } from '#libs/telemetry';
import {
  describeCodecContract,
  fixture,
  message,
  numbersOfJson,
  RECEIVED_AT,
  unnamed,
} from '../codec.contract.js';
import { codec as named } from './index.js';
import { resolve, type ResolvedPack } from './resolve.js';

const codec = unnamed(named);

const decode = (pack: unknown): CodecResult => codec.decode(message(pack));
const PACK = [
  { bn: 'urn:dev:mac:0024befffe804ff1/', bt: 1767323045.5, bu: 'ug/m3', bv: 1 },
  { n: 'pm2.5', v: 12 },
  { n: 'temperature', u: 'Cel', v: 29.5, t: -60 },
];

/** A base value is added to a value: the sums are in the payload too. */
function numbersWithBase(payload: Uint8Array): ReadonlySet<number> {
  const numbers = [...numbersOfJson(payload)];
  return new Set([...numbers, ...numbers.flatMap((a) => numbers.map((b) => a + b))]);
}

describeCodecContract(codec, {
  inputs: [{}],
  samples: [
    ...[1, 2, 3, 5].map((n) => fixture('senml', `rfc8428_ex${n}.json`)),
    Buffer.from(JSON.stringify(PACK)),
  ],
  numbersOf: numbersWithBase,
  stating: (unit) => [
    message([{ n: 'pm10', u: unit, v: 1 }]),
    message([{ n: 'temperature', bu: unit, v: 1 }]),
  ],
});

describe('resolve', () => {
  it.each([1, 2, 3, 5])('resolves example %i of RFC 8428', (n) => {
    const pack = JSON.parse(fixture('senml', `rfc8428_ex${n}.json`).toString());
    const wanted = JSON.parse(fixture('senml', `rfc8428_ex${n}.resolved.json`).toString());
    // The instant at which the examples were resolved.
    const { records, refusals } = resolve(pack, 1498780179000) as ResolvedPack;
    expect(refusals).toEqual([]);
    expect(records.map(({ n, u, t, v }) => ({ n, u, t: Number(t.toFixed(6)), v }))).toEqual(wanted);
  });

  it('lets base fields hold from the record that states them', () => {
    const pack = [
      { n: 'a', v: 1 },
      { bn: 'dev:', bu: 'Cel', bv: 100, n: 'b', v: 1 },
      { n: 'c', u: 'K', v: 2 },
      { bn: 'other:', n: 'd', v: 3 },
    ];
    expect(resolve(pack, 0)).toEqual({
      records: [
        { n: 'a', t: 0, v: 1, where: '[0]' },
        { n: 'dev:b', u: 'Cel', t: 0, v: 101, where: '[1]' },
        { n: 'dev:c', u: 'K', t: 0, v: 102, where: '[2]' },
        { n: 'other:d', u: 'Cel', t: 0, v: 103, where: '[3]' },
      ],
      refusals: [],
    });
  });

  it.each([
    ['a later version', { bver: 11 }],
    ['a version that is no number', { bver: '10' }],
    ['a field that must be understood', { secret_: 1 }],
    ['a base time that is text', { bt: '1276020076' }],
    ['a base name that is no text', { bn: 7 }],
  ])('reads nothing of a pack with %s', (_, field) => {
    expect(
      resolve(
        [
          { n: 'pm10', v: 1 },
          { ...field, n: 'pm10', v: 2 },
        ],
        0,
      ),
    ).toHaveProperty('refusal');
  });

  it('takes version 26, which is that of RFC 8428 with secondary units', () => {
    expect(resolve([{ bver: 26, n: 'pm10', v: 1 }], 0)).toHaveProperty('records.length', 1);
  });
});

describe('senml', () => {
  it('lists what is not read without its position in the pack', () => {
    const co2 = { n: 'co2', u: 'ppm', v: 600, x: 1 };
    expect(
      codec.decode(message([{ n: 'temperature', u: 'Cel', v: 27 }, co2, { ...co2, t: 5 }])).unread,
    ).toEqual(['*.x', 'co2']);
  });

  it('gives one telemetry for each device and instant', () => {
    expect(decode(PACK)).toEqual({
      outputs: [
        {
          kind: 'telemetry',
          ts: 1767323045500,
          source: 'urn:dev:mac:0024befffe804ff1',
          values: [{ parameter: 'pm25', value: 13, unit: 'ug/m3' }],
        },
        {
          kind: 'telemetry',
          ts: 1767322985500,
          source: 'urn:dev:mac:0024befffe804ff1',
          values: [{ parameter: 'temperature', value: 30.5, unit: 'degC' }],
        },
      ],
      refusals: [],
    });
  });

  it('names each device of a pack with several', () => {
    const pack = [
      { bn: 'udara-1:', n: 'pm10', u: 'ug/m3', v: 1 },
      { bn: 'udara-2:', n: 'pm10', u: 'ug/m3', v: 2 },
    ];
    expect(decode(pack).outputs).toMatchObject([{ source: 'udara-1' }, { source: 'udara-2' }]);
  });

  it('takes a bare name for the device that sent it', () => {
    const { outputs } = decode([{ n: 'rh', u: '%RH', v: 61 }]);
    expect(outputs).toEqual([
      { kind: 'telemetry', ts: RECEIVED_AT, values: [{ parameter: 'humidity', value: 61, unit: '%' }] },
    ]);
  });

  it('takes times below 2^28 for relative to the arrival, and later ones for absolute', () => {
    const at = (t: number) => decode([{ n: 'pm10', u: 'ug/m3', v: 1, t }]).outputs[0]?.ts;
    expect(at(-90)).toBe(RECEIVED_AT - 90_000);
    expect(at(0)).toBe(RECEIVED_AT);
    expect(at(2 ** 28 - 1)).toBe(RECEIVED_AT + (2 ** 28 - 1) * 1000);
    expect(at(2 ** 28)).toBe(2 ** 28 * 1000);
  });

  it.each([
    ['temperature', 'Cel', 'degC'],
    ['temperature', 'K', 'K'],
    ['humidity', '%RH', '%'],
    ['humidity', '/', 'fraction'],
    ['humidity', '/100', '%'],
    ['no2', 'ug/m3', 'ug/m3'],
    ['co', 'ppm', 'ppm'],
  ])('reads %s in %s', (n, u, unit) => {
    expect(decode([{ n, u, v: 2.5 }]).outputs).toMatchObject([{ values: [{ value: 2.5, unit }] }]);
  });

  it.each([
    ['pm10', undefined],
    ['pm10', 'kg/m3'],
    ['humidity', '%'],
    ['no2', 'ppb'],
    ['pm10', 'ppm'],
  ])('refuses %s in %s', (n, u) => {
    expect(decode([{ n, u, v: 2.5 }])).toMatchObject({ outputs: [], refusals: [{ reason: 'unknown_unit' }] });
  });

  it('refuses a number as text and keeps the record beside it', () => {
    const { outputs, refusals } = decode([
      { bu: 'ug/m3', n: 'pm10', v: '20' },
      { n: 'pm25', vs: '12' },
      { n: 'o3', v: 40 },
    ]);
    expect(outputs).toMatchObject([{ values: [{ parameter: 'o3', value: 40 }] }]);
    expect(refusals).toEqual([
      { reason: 'number_as_text', detail: '[0].v: expected a finite number, found the text "20"' },
      { reason: 'number_as_text', detail: '[1]: expected a finite number, found the text "12"' },
    ]);
  });

  it.each([1, 2, 3, 5])('reads nothing of example %i, whose names are no parameters, and says so', (n) => {
    expect(decode(fixture('senml', `rfc8428_ex${n}.json`))).toMatchObject({
      outputs: [],
      refusals: [{ reason: 'unknown_parameter', detail: expect.stringMatching(/^urn:dev:ow:10e2073a01/) }],
    });
  });

  it('takes air pressure in hPa along with what is measured', () => {
    const pack = [
      { bn: 'a:', n: 'o3', u: 'ppm', v: 0.02 },
      { n: 'pressure', u: 'hPa', v: 1009 },
    ];
    expect(decode(pack).outputs).toMatchObject([{ conditions: { pressureHpa: 1009 } }]);
  });

  it('refuses an instant that no date can hold, and what is no pack', () => {
    expect(decode([{ n: 'pm10', u: 'ug/m3', v: 1, t: 1e300 }]).refusals).toMatchObject([
      { reason: 'schema_violation' },
    ]);
    expect(decode({ n: 'pm10' }).refusals).toMatchObject([{ reason: 'schema_violation' }]);
    expect(decode([7]).refusals).toMatchObject([{ reason: 'schema_violation' }]);
  });
});
