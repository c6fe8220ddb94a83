import {
  isParameter,
  REJECTION_REASONS,
  UNITS,
  type Codec,
  type CodecInput,
  type CodecResult,
  type Measured,
  TopicMappings,
} from '#libs/telemetry';
import { defined } from '#libs/kernel';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  changed,
  isObjectText,
  measuredAt,
  measuredLeaves,
  memberAt,
  message,
  NO_UNIT,
  parametersOf,
  parsedOrUndefined,
  timeLeaves,
  withExtra,
  withText,
  withUnit,
} from './messages.fixture.js';

export { message, RECEIVED_AT } from './messages.fixture.js';

const HERE = dirname(fileURLToPath(import.meta.url));

/** A payload that the project carries, with its source and licence beside it: `devices/codecs/{maker}/fixtures/{name}`. */
export function fixture(maker: string, name: string): Buffer {
  return readFileSync(join(HERE, maker, 'fixtures', name));
}

/** What a codec reads in the session of a maker's page (`session.txt`), of which it refuses nothing. */
export function measuredInSession(
  codec: Codec,
  patterns: readonly string[],
): { readonly statuses: readonly string[]; readonly measured: readonly Readonly<Record<string, number>>[] } {
  const mappings = new TopicMappings(patterns.map((pattern) => ({ pattern, codec: codec.name })));
  const lines = fixture(codec.name, 'session.txt').toString().split('\n');
  const results = lines.flatMap((line) => {
    const [topic = '', payload = ''] = line.split(' | ');
    const matched = mappings.match(topic);
    return matched === undefined ? [] : [codec.decode(message(payload, { topic, parts: matched.parts }))];
  });
  expect(results.flatMap(({ refusals }) => refusals)).toEqual([]);
  const outputs = results.flatMap((result) => result.outputs);
  return {
    statuses: outputs.flatMap((output) => (output.kind === 'status' ? [output.state] : [])),
    measured: outputs.flatMap((output) =>
      output.kind === 'telemetry'
        ? [Object.fromEntries(output.values.map(({ parameter, value }) => [parameter, value]))]
        : [],
    ),
  };
}

function withoutSensor(measured: Measured): Measured {
  const { parameter, value, unit, suspect } = measured;
  return { parameter, value, unit, ...defined({ suspect }) };
}

/** The codec without the names of sensors, for comparisons that are not about them. */
export function unnamed(codec: Codec): Codec {
  return {
    ...codec,
    decode: (input) => {
      const result = codec.decode(input);
      const outputs = result.outputs.map((output) =>
        output.kind === 'telemetry' ? { ...output, values: output.values.map(withoutSensor) } : output,
      );
      return { ...result, outputs };
    },
  };
}

export interface CodecContractOptions {
  /** Topics and their parts that the codec is used with. */
  readonly inputs: readonly Partial<Pick<CodecInput, 'topic' | 'parts'>>[];
  /** Good payloads; mutations of them reach deeper than arbitrary JSON. */
  readonly samples: readonly Uint8Array[];
  /** All numbers that a payload holds, for a codec whose payload is no JSON. */
  readonly numbersOf?: (payload: Uint8Array) => ReadonlySet<number>;
  /** Messages whose values state this unit; by default the samples, with a member for it beside each value. */
  readonly stating?: (unit: string) => readonly CodecInput[];
  /** Names whose objects hold nothing of the air, as the page of the codec says. */
  readonly passedOver?: RegExp;
  /** Of a codec whose payload is no JSON: messages with a number that is not read, and the name that it must be listed under. */
  readonly holding?: readonly (readonly [input: CodecInput, name: string])[];
}

/** Names of an instant that no maker owns. */
const TIMES = ['timestamp', 'time', 'measured_at'];
/** No instant in any form. */
const NO_TIME = 'kemarin';

/** Whether a result names a member: not read, refused, or kept with an event. */
function names({ outputs, refusals, unread = [] }: CodecResult, name: string): boolean {
  return (
    unread.some((path) => path.includes(name)) ||
    refusals.some(({ detail }) => detail.includes(name)) ||
    outputs.some((output) => output.kind === 'event' && Object.hasOwn(output.data ?? {}, name))
  );
}

/** What every codec must do with whatever arrives. */
export function describeCodecContract(codec: Codec, options: CodecContractOptions): void {
  const { inputs, samples, numbersOf = numbersOfJson, stating, passedOver, holding = [] } = options;
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

    it('reads a number that is given as text as the number, or refuses it by name: it does not vanish', () => {
      for (const { input, path, lost } of inputs.flatMap((where) =>
        samples.flatMap((sample) => [...withText(codec, sample, where)]),
      )) {
        const result = codec.decode(input);
        const isRead = [...lost].every((parameter) => parametersOf(result).has(parameter));
        const names = path.split('/').slice(-2);
        const isNamed = result.refusals.some(({ detail }) => names.some((name) => detail.includes(name)));
        expect({ path, isReadOrNamed: isRead || isNamed }).toEqual({ path, isReadOrNamed: true });
      }
    });

    it('names every number that it does not read: refused where nothing is read, listed where something is', () => {
      const planted = inputs.flatMap((where) =>
        samples
          // What is refused as a whole is not passed over.
          .filter((sample) => codec.decode(message(sample, where)).refusals.length === 0)
          .flatMap((sample) => [...withExtra(sample, where, passedOver)]),
      );
      const messages = [...planted, ...holding.map(([input, name]) => ({ input, path: name, name }))];
      expect(messages.length).toBeGreaterThan(0);
      for (const { input, path, name } of messages)
        expect({ path, isNamed: names(codec.decode(input), name) }).toEqual({ path, isNamed: true });
    });

    it('refuses a time that is stated and not understood, under the name of the maker and under any other', () => {
      for (const where of inputs)
        for (const sample of samples) {
          const parsed = parsedOrUndefined(sample);
          const local = { ...where, utcOffsetMs: 0 };
          const whole = measuredAt(codec.decode(message(sample, local)));
          // A time that is understood is not replaced by another one that is not.
          const kept = new Set(whole.filter((ts) => ts !== undefined));
          const places = [...measuredLeaves(codec, sample, where)]
            .flatMap(({ path }) => [[], path.slice(0, -1)])
            .flatMap((place) => TIMES.map((name) => [[...place, name], kept] as const))
            .filter(([path]) => memberAt(parsed, path) === undefined);
          for (const [path, allowed] of [...timeLeaves(codec, sample, local), ...places]) {
            const result = codec.decode(message(changed(parsed, path, NO_TIME), local));
            const left = measuredAt(result).filter((ts) => ts === undefined || !allowed.has(ts));
            const isRefused = allowed.size > 0 || result.refusals.length > 0;
            expect({ path, left, isRefused }).toEqual({ path, left: [], isRefused: true });
          }
        }
    });

    it('takes an instant that a message states under any name where the maker states none', () => {
      for (const where of inputs)
        for (const sample of samples.filter((each) => isObjectText(each)))
          for (const name of TIMES) {
            const parsed = parsedOrUndefined(sample) as object;
            if (measuredAt(codec.decode(message(sample, where))).some((ts) => ts !== undefined)) continue;
            // A local time without its zone is stated, and is no instant.
            if (Object.keys(parsed).some((key) => /^time|^dateObserved/i.test(key))) continue;
            const stated = message(changed(parsed, [name], '2026-01-02T02:00:00Z'), where);
            for (const ts of measuredAt(codec.decode(stated)))
              expect({ name, ts }).toEqual({ name, ts: Date.UTC(2026, 0, 2, 2) });
          }
    });

    it('refuses a value whose unit is stated and not understood, wherever it is stated', () => {
      if (stating !== undefined) {
        const inputs = stating(NO_UNIT);
        expect(inputs.length).toBeGreaterThan(0);
        for (const input of inputs) {
          const { outputs, refusals } = codec.decode(input);
          expect(outputs).toEqual([]);
          expect(refusals.length).toBeGreaterThan(0);
        }
        return;
      }
      const isMeasured = samples.some((sample) =>
        inputs.some((where) => parametersOf(codec.decode(message(sample, where))).size > 0),
      );
      const planted = inputs.flatMap((where) =>
        samples.flatMap((sample) => [...withUnit(codec, sample, where)]),
      );
      expect(planted.length > 0).toBe(isMeasured);
      for (const { input, path, lost } of planted) {
        const result = codec.decode(input);
        const left = [...lost].filter((parameter) => parametersOf(result).has(parameter));
        expect({ path, left, isRefused: result.refusals.length > 0 }).toEqual({
          path,
          left: [],
          isRefused: true,
        });
      }
    });
  });
}

function expectSound(
  { outputs, refusals, ignored, unread }: CodecResult,
  numbers: () => ReadonlySet<number>,
): void {
  for (const { reason, detail } of refusals) {
    expect(REJECTION_REASONS).toContain(reason);
    expect(detail).not.toBe('');
    expect(detail.length).toBeLessThanOrEqual(500);
  }
  for (const name of unread ?? ['x']) expect(name).not.toBe('');
  if (outputs.length === 0 && refusals.length === 0) expect(ignored ?? '').not.toBe('');
  else expect(ignored).toBeUndefined();
  const telemetry = outputs.filter((output) => output.kind === 'telemetry');
  const taken = telemetry.flatMap(({ source, ts, values }) =>
    values.map(({ parameter }) => JSON.stringify([source, ts, parameter])),
  );
  // Two values of one instant are one series of two sensors, or one replaces the other in the store.
  expect(new Set(taken).size).toBe(taken.length);
  const named = telemetry.flatMap(({ source, ts, values, others = [] }) =>
    [...values, ...others.map(({ measured }) => measured)].map(({ parameter, sensor }) =>
      JSON.stringify([source, ts, parameter, sensor]),
    ),
  );
  expect(new Set(named).size).toBe(named.length);
  for (const output of outputs) {
    if (output.ts !== undefined) expect(Number.isSafeInteger(output.ts)).toBe(true);
    if (output.kind !== 'telemetry') continue;
    const { values, others = [] } = output;
    expect(values.length + others.length).toBeGreaterThan(0);
    for (const { refusal } of others) expect(refusal.reason).toBe('other_sensor');
    for (const { parameter, value, unit } of [...values, ...others.map(({ measured }) => measured)]) {
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
