import fc from 'fast-check';
import { readFields } from './protobuf.js';
import { bytes, double, int } from './sparkplug.fixture.js';

describe('readFields', () => {
  it('reads back what an encoder writes', () => {
    const field = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ wire: 0 as const, value })),
      fc.uint8Array({ maxLength: 200 }).map((value) => ({ wire: 2 as const, value })),
      fc.double().map((value) => ({ wire: 1 as const, value })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 27 }), field)), (fields) => {
        const encoded = fields.map(([number, { wire, value }]) =>
          wire === 0 ? int(number, value) : wire === 2 ? bytes(number, value) : double(number, value),
        );
        const read = readFields(Buffer.concat(encoded))!;
        expect(read.map(({ number, wire }) => ({ number, wire }))).toEqual(
          fields.map(([number, { wire }]) => ({ number, wire })),
        );
        for (const [i, each] of read.entries()) {
          const { wire, value } = fields[i]![1];
          if (each.wire === 0) expect(each.value).toBe(value);
          else if (wire === 2) expect([...each.bytes]).toEqual([...value]);
          else expect(Buffer.from((each as { bytes: Uint8Array }).bytes).readDoubleLE()).toBe(value);
        }
      }),
    );
  });

  it.each([
    ['a varint that does not end', [0x08, 0x80]],
    ['a varint of eleven bytes', [0x08, ...Array<number>(10).fill(0x80), 1]],
    ['field number 0', [0x00, 1]],
    ['a group', [0x0b]],
    ['a length beyond the end', [0x0a, 5, 1]],
    ['a huge length', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ['four bytes that are three', [0x0d, 1, 2, 3]],
  ])('takes %s for no message', (_, octets) => {
    expect(readFields(Uint8Array.from(octets))).toBeUndefined();
  });
});
