/** Labels that CBOR uses for the members of a record (RFC 8428, section 6). */
const LABELS: ReadonlyMap<number, string> = new Map([
  [-1, 'bver'],
  [-2, 'bn'],
  [-3, 'bt'],
  [-4, 'bu'],
  [-5, 'bv'],
  [-6, 'bs'],
  [0, 'n'],
  [1, 'u'],
  [2, 'v'],
  [3, 'vs'],
  [4, 'vb'],
  [5, 's'],
  [6, 't'],
  [7, 'ut'],
  [8, 'vd'],
]);

/** As for JSON: no pack is deeper, and a device's value may not cost a stack. */
const MAX_DEPTH = 8;
const BREAK = Symbol('break');
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether the bytes begin as a CBOR array does; no UTF-8 text does. */
export function looksLikeCbor(payload: Uint8Array): boolean {
  return ((payload[0] ?? 0) & 0xe0) === 0x80;
}

/**
 * Reads a SenML pack in CBOR (RFC 8949) with the names that it has in JSON.
 *
 * @returns undefined when it is not one whole, well-formed item
 */
export function readCbor(payload: Uint8Array): { readonly value: unknown } | undefined {
  const reader = new Reader(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  try {
    const value = reader.item(0);
    return value !== BREAK && reader.isAtEnd ? { value } : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

class Malformed extends Error {}

/** Throws {@link Malformed} past the end, and for what is not well-formed. */
class Reader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at === this.bytes.length;
  }

  item(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Malformed('too deep');
    const head = this.bytes.readUInt8(this.#take(1));
    const [major, info] = [head >> 5, head & 0x1f];
    if (major === 7) return this.#simple(info);
    const isIndefinite = info === 31;
    if (isIndefinite && major < 2) throw new Malformed('no such number');
    const count = isIndefinite ? Infinity : this.#argument(info);
    switch (major) {
      case 0:
        return count;
      case 1:
        return -1 - count;
      case 2:
      case 3:
        return this.#string(major, count);
      case 4:
        return this.#items(count, depth);
      case 5:
        return this.#map(count, depth);
      default:
        // A tag says how to understand a number; what it says is not understood here, so the number is not taken.
        this.item(depth + 1);
        return null;
    }
  }

  #argument(info: number): number {
    if (info < 24) return info;
    const size = 1 << (info - 24);
    if (info > 27) throw new Malformed('reserved');
    const at = this.#take(size);
    return size === 8 ? Number(this.bytes.readBigUInt64BE(at)) : this.bytes.readUIntBE(at, size);
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
      case 21:
        return info === 21;
      case 25:
        return half(this.bytes.readUInt16BE(this.#take(2)));
      case 26:
        return this.bytes.readFloatBE(this.#take(4));
      case 27:
        return this.bytes.readDoubleBE(this.#take(8));
      case 31:
        return BREAK;
      default:
        return null;
    }
  }

  #string(major: number, count: number): unknown {
    // In pieces: a pack has no text that needs them.
    if (count === Infinity) throw new Malformed('in pieces');
    const at = this.#take(count);
    const bytes = this.bytes.subarray(at, at + count);
    return major === 3 ? textOf(bytes) : null;
  }

  #items(count: number, depth: number): unknown[] {
    const items: unknown[] = [];
    while (items.length < count) {
      const item = this.item(depth + 1);
      if (item === BREAK) {
        if (count !== Infinity) throw new Malformed('break within a definite length');
        break;
      }
      items.push(item);
    }
    return items;
  }

  #map(count: number, depth: number): Record<string, unknown> {
    const members: [string, unknown][] = [];
    while (members.length < count) {
      const key = this.item(depth + 1);
      if (key === BREAK && count === Infinity) break;
      const value = this.item(depth + 1);
      const name = typeof key === 'number' ? (LABELS.get(key) ?? `${key}`) : key;
      if (typeof name !== 'string' || value === BREAK) throw new Malformed('no member');
      members.push([name, value]);
    }
    return Object.fromEntries(members);
  }

  /** Where the next bytes begin. */
  #take(size: number): number {
    const at = this.#at;
    if (at + size > this.bytes.length) throw new Malformed('cut off');
    this.#at += size;
    return at;
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Malformed('no UTF-8');
  }
}

/** IEEE 754 binary16 (RFC 8949, appendix D). */
function half(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : (fraction + 1024) * 2 ** (exponent - 25);
  return (bits & 0x8000) === 0 ? magnitude : -magnitude;
}
