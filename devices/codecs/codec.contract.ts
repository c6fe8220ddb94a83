import {
  isParameter,
  REJECTION_REASONS,
  UNITS,
  type Codec,
  type CodecInput,
  type CodecResult,
} from '#libs/telemetry';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

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

/** A payload that the project carries, with its source and licence beside it: `devices/codecs/{maker}/fixtures/{name}`. */
export function fixture(maker: string, name: string): Buffer {
  return readFileSync(join(HERE, maker, 'fixtures', name));
}

export interface CodecContractOptions {
  /** Topics and their parts that the codec is used with. */
  readonly inputs: readonly Partial<Pick<CodecInput, 'topic' | 'parts'>>[];
  /** Good payloads; mutations of them reach deeper than arbitrary JSON. */
  readonly samples: readonly Uint8Array[];
  /** All numbers that a payload holds, for a codec whose payload is no JSON. */
  readonly numbersOf?: (payload: Uint8Array) => ReadonlySet<number>;
}

/** What every codec must do with whatever arrives. */
export function describeCodecContract(codec: Codec, options: CodecContractOptions): void {
  const { inputs, samples, numbersOf = numbersOfJson } = options;
  const place = fc.constantFrom(...inputs);
  const check = (payload: Uint8Array, where: (typeof inputs)[number]): void => {
    const input = message(payload, where);
    const result = codec.decode(input);
    expectSound(result, () => numbersOf(payload));
    expect(codec.decode(input)).toEqual(result);
  };

  describe(`${codec.name} fulfils Codec`, () => {
    it('takes any bytes without a crash, and says why it takes nothing', () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), place, check));
    });

    it('takes any JSON without a crash or an invented number', () => {
      fc.assert(
        fc.property(fc.json(), place, (text, where) => check(Buffer.from(text), where)),
        { numRuns: 500 },
      );
    });

    it('takes damaged messages of its own kind without a crash or an invented number', () => {
      const damaged = fc.constantFrom(...samples).chain((sample) => {
        const parsed = parsedOrUndefined(sample);
        const bytes = fc
          .tuple(fc.nat(sample.length), fc.uint8Array({ maxLength: 8 }), fc.nat(16))
          .map(([at, patch, gap]) =>
            Buffer.concat([sample.subarray(0, at), patch, sample.subarray(at + gap)]),
          );
        return parsed === undefined
          ? bytes
          : fc.oneof(
              bytes,
              mutated(parsed).map((value) => Buffer.from(JSON.stringify(value))),
            );
      });
      fc.assert(fc.property(damaged, place, check), { numRuns: 1_000 });
    });
  });
}

function expectSound({ outputs, refusals, ignored }: CodecResult, numbers: () => ReadonlySet<number>): void {
  for (const { reason, detail } of refusals) {
    expect(REJECTION_REASONS).toContain(reason);
    expect(detail).not.toBe('');
    expect(detail.length).toBeLessThanOrEqual(500);
  }
  if (outputs.length === 0 && refusals.length === 0) expect(ignored ?? '').not.toBe('');
  else expect(ignored).toBeUndefined();
  const taken = outputs.flatMap((output) =>
    output.kind === 'telemetry'
      ? output.values.map(({ parameter }) => JSON.stringify([output.source, output.ts, parameter]))
      : [],
  );
  // Two values of one instant are one series of two sensors, or one replaces the other in the store.
  expect(new Set(taken).size).toBe(taken.length);
  for (const output of outputs) {
    if (output.ts !== undefined) expect(Number.isSafeInteger(output.ts)).toBe(true);
    if (output.kind !== 'telemetry') continue;
    expect(output.values.length).toBeGreaterThan(0);
    for (const { parameter, value, unit } of output.values) {
      expect(isParameter(parameter)).toBe(true);
      expect(UNITS).toContain(unit);
      expect(Number.isFinite(value)).toBe(true);
      expect(numbers()).toContain(value);
    }
  }
}

/** Every number of a JSON text, numbers written as text too. */
export function numbersOfJson(payload: Uint8Array): ReadonlySet<number> {
  const numbers = new Set<number>();
  const walk = (value: unknown): void => {
    if (typeof value === 'number') numbers.add(value);
    else if (typeof value === 'string' && value.trim() !== '') numbers.add(Number(value));
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk(parsedOrUndefined(payload));
  return numbers;
}

function parsedOrUndefined(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** The value with one member, at any depth, replaced by anything. */
function mutated(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return fc.jsonValue();
  const keys = Object.keys(value);
  if (keys.length === 0) return fc.jsonValue();
  return fc.oneof(
    { weight: 1, arbitrary: fc.jsonValue() },
    {
      weight: 8,
      arbitrary: fc
        .constantFrom(...keys)
        .chain((key) =>
          mutated((value as Record<string, unknown>)[key]).map((member) =>
            Array.isArray(value)
              ? value.map((old: unknown, i) => (String(i) === key ? member : old))
              : { ...value, [key]: member },
          ),
        ),
    },
  );
}
