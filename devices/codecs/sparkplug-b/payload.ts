import { readFields, type Field } from './protobuf.js';

/** A metric as it is on the wire. Numbers of type uint64 that are names, such as the alias, are decimal texts. */
export interface Metric {
  readonly name?: string;
  readonly alias?: string;
  readonly timestamp?: bigint;
  readonly datatype?: number;
  readonly isNull: boolean;
  /** Property `engUnit`. */
  readonly unit?: string;
  /** Property `Quality`; NaN where it is stated and no integer. */
  readonly quality?: number;
  readonly value: WireValue | undefined;
}

export type WireValue =
  | { readonly kind: 'integer'; readonly bits: bigint }
  | { readonly kind: 'real'; readonly number: number }
  | { readonly kind: 'text'; readonly text: string }
  /** A data set or a template, which hold values of their own. */
  | { readonly kind: 'compound' }
  | { readonly kind: 'other' };

export interface Payload {
  readonly timestamp?: bigint;
  readonly metrics: readonly Metric[];
  /** Names the compression when `body` holds the payload proper. */
  readonly uuid?: string;
}

/**
 * Reads a payload by `sparkplug_b.proto` of Eclipse Tahu. Fields that Pantau has no use for are passed over.
 *
 * @returns undefined when the bytes are no such message
 */
export function readPayload(bytes: Uint8Array): Payload | undefined {
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  const metrics: Metric[] = [];
  for (const inner of bytesOf(fields, 2)) {
    const metric = readMetric(inner);
    if (metric === undefined) return undefined;
    metrics.push(metric);
  }
  const timestamp = varintOf(fields, 1);
  const uuid = textOf(fields, 4);
  return {
    metrics,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(uuid === undefined ? {} : { uuid }),
  };
}

function readMetric(bytes: Uint8Array): Metric | undefined {
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  const name = textOf(fields, 1);
  const alias = varintOf(fields, 2);
  const timestamp = varintOf(fields, 3);
  const datatype = varintOf(fields, 4);
  const properties = bytesOf(fields, 9).at(-1);
  const unit = propertyOf(properties, 'engUnit', (value) => textOf(value, 8));
  const quality = propertyOf(properties, 'Quality', integerOf);
  return {
    ...(name === undefined ? {} : { name }),
    ...(alias === undefined ? {} : { alias: String(alias) }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(datatype === undefined ? {} : { datatype: Number(datatype) }),
    ...(unit === undefined ? {} : { unit }),
    ...(quality === undefined ? {} : { quality }),
    isNull: (varintOf(fields, 7) ?? 0n) !== 0n,
    value: valueOf(fields),
  };
}

/** Field numbers of the `oneof value`: int, long, float, double, boolean, string and the compound ones. */
function valueOf(fields: readonly Field[]): WireValue | undefined {
  const field = fields.findLast(({ number }) => number >= 10 && number <= 19);
  if (field === undefined) return undefined;
  if (field.wire === 0)
    return field.number <= 11 ? { kind: 'integer', bits: field.value } : { kind: 'other' };
  const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength);
  if (field.number === 12 && field.wire === 5) return { kind: 'real', number: view.getFloat32(0, true) };
  if (field.number === 13 && field.wire === 1) return { kind: 'real', number: view.getFloat64(0, true) };
  if (field.wire !== 2) return { kind: 'other' };
  if (field.number === 15) return { kind: 'text', text: decoded(field.bytes) };
  return { kind: field.number === 17 || field.number === 18 ? 'compound' : 'other' };
}

/** A PropertySet holds its names and its values as two lists of one order. */
function propertyOf<T>(
  propertySet: Uint8Array | undefined,
  name: string,
  read: (value: readonly Field[]) => T | undefined,
): T | undefined {
  const fields = propertySet === undefined ? undefined : readFields(propertySet);
  if (fields === undefined) return undefined;
  const index = bytesOf(fields, 1).findIndex((key) => decoded(key) === name);
  const value = index < 0 ? undefined : bytesOf(fields, 2)[index];
  const inner = value === undefined ? undefined : readFields(value);
  return inner === undefined ? undefined : read(inner);
}

/** Fields 3 and 4 of a PropertyValue, int and long; a property that is null states nothing. */
function integerOf(value: readonly Field[]): number | undefined {
  if ((varintOf(value, 2) ?? 0n) !== 0n) return undefined;
  const bits = varintOf(value, 3) ?? varintOf(value, 4);
  return bits === undefined ? NaN : Number(BigInt.asIntN(64, bits));
}

function bytesOf(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap((field) => (field.number === number && field.wire === 2 ? [field.bytes] : []));
}

/** Of a field that is stated twice the last counts, as protobuf demands. */
function varintOf(fields: readonly Field[], number: number): bigint | undefined {
  const field = fields.findLast((candidate) => candidate.number === number);
  return field?.wire === 0 ? field.value : undefined;
}

function textOf(fields: readonly Field[], number: number): string | undefined {
  const bytes = bytesOf(fields, number).at(-1);
  return bytes === undefined ? undefined : decoded(bytes);
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
