import type { Codec, CodecInput, CodecResult } from '#libs/telemetry';
import type { UtcMillis } from '#libs/kernel';
import { isHousekeeping } from './unread.js';

/** No member of any maker. */
const EXTRA = 'ekstra';
/** No unit of any maker. */
export const NO_UNIT = 'furlong';

export const RECEIVED_AT = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A message for a codec; what is not given is as for a device that says nothing about it. */
export function message(payload: unknown, more: Partial<Omit<CodecInput, 'payload'>> = {}): CodecInput {
  return {
    topic: '',
    parts: {},
    receivedAt: RECEIVED_AT,
    utcOffsetMs: undefined,
    memory: undefined,
    ...more,
    payload:
      payload instanceof Uint8Array
        ? payload
        : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  };
}

/** Outputs that hold values, with their instants. */
export function measuredAt({ outputs }: CodecResult): readonly (UtcMillis | undefined)[] {
  return outputs.flatMap((output) => (output.kind === 'telemetry' ? [output.ts] : []));
}

export function parametersOf({ outputs }: CodecResult): ReadonlySet<string> {
  return new Set(
    outputs.flatMap((output) =>
      output.kind === 'telemetry'
        ? output.values.map(({ parameter }) => JSON.stringify([output.source, output.ts, parameter]))
        : [],
    ),
  );
}

/** The topic of a message and its parts. */
export type Where = Partial<Omit<CodecInput, 'payload'>>;
interface Planted {
  readonly input: CodecInput;
  readonly path: string;
  /** What the value is of, beside which the unit was put. */
  readonly lost: ReadonlySet<string>;
}

/** The sample with a unit beside each number that it is measured by, under the names that makers give to units. */
export function* withUnit(codec: Codec, sample: Uint8Array, where: Where): Iterable<Planted> {
  const parsed = parsedOrUndefined(sample);
  for (const { path, key, lost } of measuredLeaves(codec, sample, where)) {
    for (const name of ['unit', `${key}_unit`, `${key}Unit`]) {
      const beside = [...path.slice(0, -1), name];
      const input = message(changed(parsed, beside, NO_UNIT), where);
      yield { input, path: beside.join('/'), lost };
    }
  }
}

/** The sample with a further number, in each of its objects in turn. */
export function* withExtra(
  sample: Uint8Array,
  where: Where,
  passedOver?: RegExp,
): Iterable<{ input: CodecInput; path: string; name: string }> {
  const parsed = parsedOrUndefined(sample);
  for (const path of objectsOf(parsed)) {
    if (path.some((name) => isHousekeeping(name) || passedOver?.test(name))) continue;
    const beside = [...path, EXTRA];
    yield { input: message(changed(parsed, beside, 12.75), where), path: beside.join('/'), name: EXTRA };
  }
}

function* objectsOf(value: unknown, path: readonly string[] = []): Iterable<readonly string[]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield path;
  for (const [key, member] of Object.entries(value)) yield* objectsOf(member, [...path, key]);
}

/** The sample with each number that it is measured by as text. */
export function* withText(codec: Codec, sample: Uint8Array, where: Where): Iterable<Planted> {
  const parsed = parsedOrUndefined(sample);
  for (const { path, leaf, lost } of measuredLeaves(codec, sample, where))
    yield { input: message(changed(parsed, path, String(leaf)), where), path: path.join('/'), lost };
}

interface MeasuredLeaf {
  readonly path: readonly string[];
  readonly key: string;
  readonly leaf: unknown;
  readonly lost: ReadonlySet<string>;
}

/** The numbers of a sample without which exactly one value is missing. */
export function* measuredLeaves(codec: Codec, sample: Uint8Array, where: Where): Iterable<MeasuredLeaf> {
  const parsed = parsedOrUndefined(sample);
  const whole = parametersOf(codec.decode(message(sample, where)));
  for (const [path, leaf] of leavesOf(parsed)) {
    const without = parametersOf(codec.decode(message(changed(parsed, path, undefined), where)));
    const lost = new Set([...whole].filter((parameter) => !without.has(parameter)));
    // Without its time a value is another one.
    if (lost.size === 1 && without.size < whole.size) yield { path, key: String(path.at(-1)), leaf, lost };
  }
}

export function isObjectText(sample: Uint8Array): boolean {
  const parsed = parsedOrUndefined(sample);
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}

/** Where an instant is stated, and the instants of the values that do not rest on it. */
type TimeLeaf = readonly [path: readonly string[], others: ReadonlySet<UtcMillis | undefined>];

/** The members that hold the instants of the values. */
export function* timeLeaves(codec: Codec, sample: Uint8Array, where: Where): Iterable<TimeLeaf> {
  const parsed = parsedOrUndefined(sample);
  const whole = measuredAt(codec.decode(message(sample, where)));
  for (const [path, leaf] of membersOf(parsed)) {
    if (typeof leaf !== 'string' && typeof leaf !== 'number') continue;
    const without = measuredAt(codec.decode(message(changed(parsed, path, undefined), where)));
    if (without.length === whole.length && without.some((ts, i) => ts !== whole[i]))
      yield [path, new Set(whole.filter((ts, i) => ts !== undefined && ts === without[i]))];
  }
}

/** Every member that is no object, with its path. */
function* membersOf(
  value: unknown,
  path: readonly string[] = [],
): Iterable<readonly [path: readonly string[], leaf: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value))
    if (typeof member === 'object') yield* membersOf(member, [...path, key]);
    else yield [[...path, key], member];
}

export function memberAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], value);
}

/** Paths of the numbers of a JSON value, numbers written as text too; those in a list stand beside no name. */
function* leavesOf(
  value: unknown,
  path: readonly string[] = [],
): Iterable<readonly [path: readonly string[], leaf: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'object') yield* leavesOf(member, [...path, key]);
    else if (!Array.isArray(value) && !Number.isNaN(Number(member))) yield [[...path, key], member];
  }
}

/** A copy in which the member at the path is another. */
export function changed(value: unknown, [key, ...rest]: readonly string[], member: unknown): unknown {
  if (key === undefined) return member;
  if (Array.isArray(value))
    return value.map((old: unknown, i) => (String(i) === key ? changed(old, rest, member) : old));
  const members = value as Record<string, unknown>;
  return { ...members, [key]: changed(members[key], rest, member) };
}

export function parsedOrUndefined(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString()) as unknown;
  } catch {
    return undefined;
  }
}
