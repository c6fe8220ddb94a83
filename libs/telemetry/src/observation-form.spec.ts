import { decodeEntries, EntryBlock } from '#libs/engine-lmdb';
import fc from 'fast-check';
import { OBSERVATION_FORM } from './observation-form.js';
import { PARAMETER_CODES, type Parameter } from './parameters.js';
import type { Observation } from './streams.js';

const OBSERVATION: Observation = {
  site: 'betung',
  device: 'udara-01',
  ts: 1_790_000_000_000,
  receivedAt: 1_790_000_000_500,
  uplink: { shard: 3, offset: 70_000 },
  readings: [
    { parameter: 'pm25', value: 18.5, flag: 1 },
    { parameter: 'pm25_corrected', value: 900, flag: 3, failed: ['spike'] },
  ],
};

// MessagePack has no negative zero among its integers.
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const count = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme' });

const observation = fc.record(
  {
    site: text,
    device: text,
    ts: fc.oneof(fc.maxSafeInteger(), finite),
    receivedAt: count,
    clock: fc.constantFrom('none' as const, 'wrong' as const),
    amendment: fc.constant(true as const),
    seq: count,
    uplink: fc.record({ shard: fc.nat(255), offset: count }, { noNullPrototype: true }),
    readings: fc.array(
      fc.record(
        {
          parameter: fc.constantFrom(...PARAMETER_CODES),
          value: fc.oneof(finite, fc.maxSafeInteger()),
          flag: fc.constantFrom(1, 2, 3, 4, 9),
          failed: fc.array(text, { maxLength: 3 }),
        },
        { requiredKeys: ['parameter', 'value', 'flag'], noNullPrototype: true },
      ),
    ),
  },
  { requiredKeys: ['site', 'device', 'ts', 'receivedAt', 'uplink', 'readings'], noNullPrototype: true },
);

function blockOf(data: unknown, form?: typeof OBSERVATION_FORM): EntryBlock {
  const block = new EntryBlock(0, form);
  block.add({ key: 'k', data });
  return block;
}

describe('OBSERVATION_FORM', () => {
  it('gives back exactly what was stored; what is absent stays absent', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 5 }), (observations) => {
        const block = new EntryBlock(0, OBSERVATION_FORM);
        for (const data of observations) block.add({ key: data.device, data });
        expect(decodeEntries(block, OBSERVATION_FORM)).toStrictEqual(
          observations.map((data) => ({ key: data.device, data })),
        );
      }),
    );
  });

  it('leaves an undefined member out, as if it were absent', () => {
    const data = { ...OBSERVATION, clock: undefined, amendment: undefined, seq: undefined };
    expect(decodeEntries(blockOf(data, OBSERVATION_FORM), OBSERVATION_FORM)).toStrictEqual([
      { key: 'k', data: OBSERVATION },
    ]);
  });

  it('reads what was stored as a map, before there was a form', () => {
    const data = { ...OBSERVATION, seq: 7, amendment: true };
    expect(decodeEntries(blockOf(data), OBSERVATION_FORM)).toStrictEqual([{ key: 'k', data }]);
  });

  it('stores these bytes', () => {
    const float = (value: number): Uint8Array => {
      const bytes = Buffer.alloc(9, 0xcb);
      bytes.writeDoubleBE(value, 1);
      return bytes;
    };
    const NIL = 0xc0;
    const fixstr = (text: string): number[] => [0xa0 | text.length, ...Buffer.from(text)];
    const expected = [
      ...[0x92, ...fixstr('k')],
      ...[0xdc, 0, 17, ...fixstr('betung'), ...fixstr('udara-01')],
      ...[...float(OBSERVATION.ts), ...float(OBSERVATION.receivedAt)],
      ...[NIL, NIL, NIL, 3, 0xce, 0, 1, 0x11, 0x70],
      ...[0, ...float(18.5), 1, NIL],
      ...[9, 0xcd, 0x03, 0x84, 3, 0x91, ...fixstr('spike')],
    ];
    expect([...blockOf(OBSERVATION, OBSERVATION_FORM).bytes]).toEqual(expected);
  });

  it.each([{ failed: ['device'], doubt: 'lasers apart' }, { doubt: 'x' }, { failed: ['spike', 'device'] }])(
    'keeps why a device doubts a value: %j',
    (judgement) => {
      const readings = [{ parameter: 'pm25', value: 1, flag: 3, ...judgement } as const];
      const packed = OBSERVATION_FORM.pack({ ...OBSERVATION, readings });
      expect(OBSERVATION_FORM.unpack(packed).readings).toEqual(readings);
    },
  );

  it('refuses a parameter that it does not know, before it is stored and after', () => {
    const odd = {
      ...OBSERVATION,
      readings: [{ parameter: 'radon' as Parameter, value: 1, flag: 1 as const }],
    };
    expect(() => OBSERVATION_FORM.pack(odd)).toThrow('radon');
    const [...stored] = OBSERVATION_FORM.pack(OBSERVATION);
    stored[9] = PARAMETER_CODES.length;
    expect(() => OBSERVATION_FORM.unpack(stored)).toThrow(RangeError);
  });
});
