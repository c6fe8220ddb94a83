import fc from 'fast-check';
import { describeCodecContract, message, numbersOfJson } from '../codec.contract.js';
import { looksLikeCbor, readCbor } from './cbor.js';
import { codec } from './index.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
/** The example of RFC 8428, section 6, to its first two values. */
const RFC_EXAMPLE = hex(`
  82
  a7 21 78 1b 75726e3a6465763a6f773a313065323037336130313038303036 3a
     22 fb 41d303a15b000000 23 61 41 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666
  a3 00 67 63757272656e74 06 24 02 fb 3ff3333333333333`);
/** `[{"bn": "urn:dev:mac:a/", "n": "temperature", "u": "Cel", "v": 27.5}, {"n": "humidity", "u": "%RH", "v": 71}]` */
const AIR = hex(`
  82
  a4 21 6e 75726e3a6465763a6d61633a612f 00 6b 74656d7065726174757265 01 63 43656c 02 f9 4ee0
  a3 00 68 68756d6964697479 01 63 255248 02 18 47`);

/** Every number that some bytes of it can stand for. */
function numbersOf(payload: Uint8Array): ReadonlySet<number> {
  const bytes = Buffer.concat([payload, Buffer.alloc(8)]);
  const found = [0, ...numbersOfJson(payload)];
  for (let at = 0; at < payload.length; at++) {
    const whole = [bytes[at]! & 0x1f, bytes.readUInt8(at), bytes.readUInt16BE(at), bytes.readUInt32BE(at)];
    whole.push(Number(bytes.readBigUInt64BE(at)));
    found.push(
      ...whole,
      ...whole.map((n) => -1 - n),
      bytes.readFloatBE(at),
      bytes.readDoubleBE(at),
      halfAt(bytes, at),
    );
  }
  // A base value is added to a value.
  return new Set(found.length > 400 ? found : [...found, ...found.flatMap((a) => found.map((b) => a + b))]);
}

/** Another way than that of the reader: by a table of powers. */
function halfAt(bytes: Buffer, at: number): number {
  const bits = bytes.readUInt16BE(at);
  const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, (bits & 1023) / 1024];
  const magnitude =
    exponent === 0 ? fraction * Math.pow(2, -14) : (1 + fraction) * Math.pow(2, exponent - 15);
  return sign === 0 ? magnitude : -magnitude;
}

describeCodecContract(
  { name: 'senml in CBOR', decode: (input) => codec.decode(input) },
  {
    inputs: [{}],
    samples: [AIR],
    numbersOf,
    holding: [[message(RFC_EXAMPLE), ':current']],
    stating: (unit) => [
      message(Buffer.from(AIR.toString('latin1').replaceAll(/Cel|%RH/g, unit.slice(0, 3)), 'latin1')),
    ],
  },
);

describe('readCbor', () => {
  it('gives the pack of RFC 8428 the names that it has in JSON', () => {
    expect(readCbor(RFC_EXAMPLE)).toEqual({
      value: [
        {
          bn: 'urn:dev:ow:10e2073a0108006:',
          bt: 1276020076,
          bu: 'A',
          bver: 5,
          n: 'voltage',
          u: 'V',
          v: 120.1,
        },
        { n: 'current', t: -5, v: 1.2 },
      ],
    });
  });

  it.each([
    ['f93c00', 1],
    ['f97bff', 65504],
    ['f90001', 5.960464477539063e-8],
    ['f9c400', -4],
    ['f97c00', Infinity],
    ['3903e7', -1000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['f5', true],
    ['f6', null],
    ['9f018202039fff ff', [1, [2, 3], []]],
    ['bf0001ff', { n: 1 }],
    ['c11a514b67b0', null],
  ])('reads %s', (text, value) => expect(readCbor(hex(text))).toEqual({ value }));

  it.each([
    '',
    '82',
    '8101ff',
    '1c',
    '1f',
    '7f6161ff',
    '62c328',
    'a1ff01',
    `${'81'.repeat(20)}01`,
    '9f',
    '5b7fffffffffffffff',
  ])('reads nothing of %j', (text) => expect(readCbor(hex(text))).toBeUndefined());

  it('takes no bytes for CBOR that could be JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => !looksLikeCbor(Buffer.from(text))));
    expect(looksLikeCbor(AIR)).toBe(true);
  });
});

describe('senml', () => {
  it('reads a pack in CBOR as it reads one in JSON', () => {
    const pack = [
      { bn: 'urn:dev:mac:a/', n: 'temperature', u: 'Cel', v: 27.5 },
      { n: 'humidity', u: '%RH', v: 71 },
    ];
    expect(codec.decode(message(AIR))).toEqual(codec.decode(message(pack)));
    expect(codec.decode(message(AIR)).outputs).toHaveLength(1);
  });

  it('says what is wrong with a pack that is cut off', () => {
    expect(codec.decode(message(AIR.subarray(0, -1))).refusals).toMatchObject([
      { reason: 'unreadable', detail: expect.stringContaining('payload: expected a SenML pack in CBOR') },
    ]);
  });
});
