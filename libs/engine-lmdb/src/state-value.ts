import { ENTRY_BOUNDS } from '#libs/kernel';

/** BigInt that MessagePack has an integer for. */
const INT_64 = { min: -(2n ** 63n), max: 2n ** 64n - 1n };

/**
 * Why a value cannot be kept: it is no plain data, or nested deeper than what the journal keeps. Undefined when it can.
 * Unlike `boundsFault` it counts neither members nor bytes, because a row may have grown over years, and it refuses what is no data.
 * Looks through every value that is read or written: cheap beside encoding it, and it needs no more stack than it allows.
 */
export function valueFault(value: unknown, depth = ENTRY_BOUNDS.depth): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value} is no plain data`;
  if (typeof value === 'bigint')
    return value < INT_64.min || value > INT_64.max ? 'an integer of more than 64 bits' : undefined;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  if (depth === 0) return `nested too deep; at most ${ENTRY_BOUNDS.depth}`;
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const item of items) {
    if (typeof item === 'number' || typeof item === 'string') continue;
    const fault = valueFault(item, depth - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
