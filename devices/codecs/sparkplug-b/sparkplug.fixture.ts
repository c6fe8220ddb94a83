import { readFields } from './protobuf.js';

// A small encoder, independent of the reader: what it writes is what sparkplug_b.proto says.

function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
export const int = (field: number, value: bigint | number): Buffer =>
  Buffer.concat([varint(field << 3), varint(value)]);
export const bytes = (field: number, value: Uint8Array | string): Buffer =>
  Buffer.concat([varint((field << 3) | 2), varint(Buffer.from(value).length), Buffer.from(value)]);
export function float(field: number, value: number): Buffer {
  const fixed = Buffer.alloc(4);
  fixed.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), fixed]);
}
export function double(field: number, value: number): Buffer {
  const fixed = Buffer.alloc(8);
  fixed.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), fixed]);
}

export interface MetricOf {
  name?: string;
  alias?: number;
  timestamp?: number | bigint;
  datatype?: number;
  unit?: string;
  quality?: number | string;
  /** The encoded value. */
  value?: Buffer;
  isNull?: boolean;
}
export const FLOAT = 9;
export const DOUBLE = 10;

function metric({ name, alias, timestamp, datatype, unit, quality, value, isNull }: MetricOf): Buffer {
  const units =
    unit === undefined
      ? []
      : [
          bytes(1, 'description'),
          bytes(1, 'engUnit'),
          bytes(2, Buffer.concat([int(1, 12), bytes(8, 'of the mast')])),
          bytes(2, Buffer.concat([int(1, 12), bytes(8, unit)])),
        ];
  const qualities =
    quality === undefined
      ? []
      : [
          bytes(1, 'Quality'),
          bytes(
            2,
            typeof quality === 'string'
              ? Buffer.concat([int(1, 12), bytes(8, quality)])
              : Buffer.concat([int(1, 3), int(3, quality)]),
          ),
        ];
  const properties = [...units, ...qualities];
  return Buffer.concat([
    ...(name === undefined ? [] : [bytes(1, name)]),
    ...(alias === undefined ? [] : [int(2, alias)]),
    ...(timestamp === undefined ? [] : [int(3, timestamp)]),
    ...(datatype === undefined ? [] : [int(4, datatype)]),
    ...(isNull === true ? [int(7, 1)] : []),
    ...(properties.length === 0 ? [] : [bytes(9, Buffer.concat(properties))]),
    ...(value === undefined ? [] : [value]),
  ]);
}
export const TS = 1767323045000;
export const payload = (metrics: MetricOf[], timestamp: number | bigint | null = TS): Buffer =>
  Buffer.concat([
    ...(timestamp === null ? [] : [int(1, timestamp)]),
    ...metrics.map((each) => bytes(2, metric(each))),
    int(3, 7),
  ]);

/** Every number that the bytes can stand for, whatever the field: an own reading of the wire format. */
export function numbersOfProtobuf(body: Uint8Array): ReadonlySet<number> {
  const numbers = new Set<number>();
  const walk = (part: Uint8Array): void => {
    for (const field of readFields(part) ?? []) {
      if (field.wire === 0) {
        for (const bits of [8, 16, 32, 64])
          numbers
            .add(Number(BigInt.asIntN(bits, field.value)))
            .add(Number(BigInt.asUintN(bits, field.value)));
      } else if (field.wire === 5) numbers.add(Buffer.from(field.bytes).readFloatLE());
      else if (field.wire === 1) numbers.add(Buffer.from(field.bytes).readDoubleLE());
      else walk(field.bytes);
    }
  };
  walk(body);
  return numbers;
}
