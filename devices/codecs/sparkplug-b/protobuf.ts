/** One field of a protobuf message. Numbers stay bits: only the reader of the message knows their type. */
export type Field =
  | { readonly number: number; readonly wire: 0; readonly value: bigint }
  | { readonly number: number; readonly wire: 1 | 2 | 5; readonly bytes: Uint8Array };

/**
 * Splits a protobuf message into its fields, in their order. Work and memory are bounded by the length of the message.
 *
 * Source: Protocol Buffers documentation, "Encoding".
 *
 * @returns undefined when the bytes are no protobuf message; groups, which proto3 has not, count as such
 */
export function readFields(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;

  /** Base 128, least significant group first; 64 bits take ten bytes at most. */
  function varint(): bigint | undefined {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return undefined;
  }

  function take(length: bigint | number): Uint8Array | undefined {
    if (length > bytes.length - at) return undefined;
    const taken = bytes.subarray(at, at + Number(length));
    at += taken.length;
    return taken;
  }

  while (at < bytes.length) {
    const key = varint();
    // Field numbers have 29 bits and begin with 1.
    if (key === undefined || key < 8n || key > 0xffff_ffffn) return undefined;
    const number = Number(key >> 3n);
    const wire = Number(key & 7n);
    if (wire === 0) {
      const value = varint();
      if (value === undefined) return undefined;
      fields.push({ number, wire, value });
    } else if (wire === 1 || wire === 2 || wire === 5) {
      const length = wire === 1 ? 8 : wire === 5 ? 4 : varint();
      const taken = length === undefined ? undefined : take(length);
      if (taken === undefined) return undefined;
      fields.push({ number, wire, bytes: taken });
    } else return undefined;
  }
  return fields;
}
