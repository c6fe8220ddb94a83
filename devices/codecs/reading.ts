import { defined, type UtcMillis, isObject } from '#libs/kernel';
import {
  readJson,
  STATE_WORD,
  type CodecMemory,
  type CodecOutput,
  type CodecResult,
  type CodecTelemetry,
  type Measured,
  type MeasuredParameter,
  type OtherSensor,
  type Refusal,
  type RejectionReason,
  type Unit,
} from '#libs/telemetry';
import { inHousing, inOrder, otherOf, type Candidate, type Of } from './order.js';
import { refusal } from './refusal.js';
import { notMeasured } from './sentinels.js';

export { refusal } from './refusal.js';

/** What the codecs share. Nothing here knows a maker. */

/** A JSON object as it arrived: nothing is known of its members. */
export type Members = Readonly<Record<string, unknown>>;

/** Parses a payload that must be a JSON object. */
export function readObject(payload: Uint8Array): { object: Members } | { refusal: Refusal } {
  const parsed = readJson(payload);
  if ('refusal' in parsed) return parsed;
  if (isObject(parsed.value)) return { object: parsed.value };
  return {
    refusal: refusal('schema_violation', 'payload', `expected a JSON object, found ${shown(parsed.value)}`),
  };
}

/** What was found, in a few words. */
export function shown(found: unknown): string {
  if (found === undefined) return 'nothing';
  if (typeof found === 'string') return `the text "${found.slice(0, 40)}"`;
  if (Array.isArray(found)) return 'a list';
  if (isObject(found)) return 'an object';
  return typeof found === 'number' ? String(found) : JSON.stringify(found);
}

/**
 * A whole result without anything to keep, with its reason.
 *
 * @param unread - numbers that it holds all the same and that are no fault of it
 */
export function ignored(why: string, unread: readonly string[] = []): CodecResult {
  return { outputs: [], refusals: [], ignored: why, ...unreadOf(unread) };
}

export function refused(...refusals: readonly [Refusal, ...Refusal[]]): CodecResult {
  return { outputs: [], refusals };
}

/** How many of the members that were not read a refusal names, and a result. */
const NAMED = 8;
const MOST_UNREAD = 200;

/** As a result states them, bounded: a device chooses its own names, and `*` stands for all positions in a list. */
function unreadOf(unread: readonly string[]): Pick<CodecResult, 'unread'> {
  const names = [...new Set(unread.map((path) => path.replace(/\.?\[\d+\]/g, '.*').replace(/^\./, '')))]
    .slice(0, MOST_UNREAD)
    .map((name) => name.slice(0, 100) || '""');
  return names.length === 0 ? {} : { unread: names };
}

/**
 * The result of every message that may hold a number beside what is read.
 *
 * @param nothing - why a message without outputs and refusals is all right
 * @param unread - members with numbers that were not read: where nothing was, it is not all right, but a refusal that names them
 * @param beside - numbers of the envelope (a server, a gateway) that were not read: listed too, and no reason to refuse
 */
export function resultOf(
  outputs: readonly CodecOutput[],
  refusals: readonly Refusal[],
  nothing: string,
  unread: readonly string[],
  beside: readonly string[] = [],
): CodecResult {
  const listed = unreadOf([...unread, ...beside]);
  if (outputs.length > 1) return { ...oneOfEach(outputs, refusals), ...listed };
  if (outputs.length > 0 || refusals.length > 0) return { outputs, refusals, ...listed };
  const { unread: names = [] } = unreadOf(unread);
  if (names.length === 0) return ignored(nothing, beside);
  return refused(
    refusal(
      'unknown_parameter',
      names.slice(0, NAMED).join(', '),
      "expected a value under a name that the codec's page lists, found numbers of which none is read",
    ),
  );
}

/** Never two sensors in one series: of several values of one source, instant and parameter the first counts. */
function oneOfEach(outputs: readonly CodecOutput[], refusals: readonly Refusal[]): CodecResult {
  const taken = new Set<string>();
  const more: Refusal[] = [];
  const kept = outputs.flatMap((output): CodecOutput[] => {
    if (output.kind !== 'telemetry') return [output];
    const values = output.values.filter(({ parameter, value }) => {
      const key = JSON.stringify([output.source, output.ts, parameter]);
      const isFirst = !taken.has(key);
      taken.add(key);
      if (!isFirst)
        more.push(
          refusal('schema_violation', parameter, `expected one of an instant, found ${value} as a second`),
        );
      return isFirst;
    });
    return values.length === 0 && output.others === undefined ? [] : [{ ...output, values }];
  });
  return { outputs: kept, refusals: [...refusals, ...more] };
}

/** Birth or death; makers send them without a time. */
export function status(state: 'online' | 'offline'): CodecResult {
  return { outputs: [{ kind: 'status', ts: undefined, state }], refusals: [] };
}

/**
 * Birth or death by the word of the maker. A word that is not listed is no fault and no death: the state is unknown, with the
 * word. What is no word at all is refused.
 */
export function statusOfWord(
  path: string,
  found: unknown,
  words: Readonly<Record<string, 'online' | 'offline'>>,
  unread: readonly string[] = [],
): CodecResult {
  if (typeof found !== 'string' || !STATE_WORD.test(found)) {
    const expected = Object.keys(words).join(', ');
    return refused(refusal('schema_violation', path, `expected one of ${expected}, found ${shown(found)}`));
  }
  const state = Object.hasOwn(words, found) ? words[found] : undefined;
  const said = state === undefined ? ({ state: 'unknown', stated: found } as const) : { state };
  return resultOf([{ kind: 'status', ts: undefined, ...said }], [], '', unread);
}

// One way only to read each text: two neighbouring \d could share a long one out in as many ways as it has digits.
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE_TEXT = /^[+-]?(?:nan|inf|infinity)$/i;

/**
 * Reads a finite number.
 *
 * @param form - `text` where the maker documents numbers written as text; a number proper is taken there too
 */
export function readNumber(
  path: string,
  found: unknown,
  form: 'number' | 'text' = 'number',
): { value: number } | { refusal: Refusal } {
  const text = typeof found === 'string' ? found.trim() : undefined;
  const isDecimal = text !== undefined && DECIMAL.test(text);
  const value = form === 'text' && isDecimal ? Number(text) : found;
  if (typeof value === 'number' && Number.isFinite(value)) return { value };
  const isNotFinite = typeof value === 'number' || (text !== undefined && NOT_FINITE_TEXT.test(text));
  const reason = isNotFinite ? 'not_finite' : isDecimal ? 'number_as_text' : 'schema_violation';
  return { refusal: refusal(reason, path, `expected a finite number, found ${shown(found)}`) };
}

/** Units in which a parameter can be stated at all; particles have no ppb. */
const UNITS_OF: Readonly<Record<MeasuredParameter, readonly Unit[]>> = (() => {
  const mass = ['ug/m3', 'mg/m3'] as const;
  const gas = [...mass, 'ppb', 'ppm'] as const;
  return {
    ...{ pm25: mass, pm10: mass, so2: gas, no2: gas, co: gas, o3: gas, hc: gas },
    temperature: ['degC', 'degF', 'K'],
    humidity: ['%', 'fraction'],
  };
})();

/** What a device itself says of a value: that it is bad, or in doubt, each with the maker's reason. */
export interface Validity {
  readonly bad?: string;
  readonly suspect?: string;
}

/** Gathers what one message says of one device at one instant: the values that hold, and why the others do not. */
export class Gathered {
  /** Of each parameter; kept for a refused value too, or another sensor would slip into its series. */
  readonly #found = new Map<MeasuredParameter, Candidate[]>();
  #pressureHpa: number | undefined;

  constructor(
    private readonly form: 'number' | 'text' = 'number',
    readonly refusals: Refusal[] = [],
    /** Paths that were looked at. */
    private readonly seen = new Set<string>(),
  ) {}

  /** Those of the members with numbers that were not looked at. */
  rest(numbers: readonly string[]): readonly string[] {
    return numbers.filter((path) => !this.seen.has(plainPath(path)));
  }

  /**
   * Takes the value found at `path`; absent is absent. A sensor states a parameter once: which of two different values counts
   * is not ours to guess. Which of several sensors counts, {@link inOrder} says.
   *
   * @param unit - undefined when the payload does not state one that Pantau knows
   * @param remedy - what to do about such a unit
   * @param validity - what the device itself says of the value
   */
  measure(
    path: string,
    found: unknown,
    parameter: MeasuredParameter,
    unit: Unit | undefined,
    remedy = 'state another unit',
    { bad, suspect, ...of }: Validity & Of = {},
  ): void {
    if (found === undefined) return;
    this.seen.add(plainPath(path));
    const sensor = of.sensor === parameter ? undefined : of.sensor?.slice(0, 100);
    const number = readNumber(path, found, this.form);
    const candidates = this.#found.get(parameter) ?? [];
    const first = candidates.find((candidate) => candidate.sensor === sensor);
    if (first !== undefined) {
      const isSame =
        'value' in number && first.measured?.value === number.value && first.measured.unit === unit;
      if (!isSame)
        this.refuse(
          'schema_violation',
          path,
          `expected one ${parameter} in a message, found a second after ${first.path.slice(0, 100)}; leave one of them out`,
        );
      return;
    }
    const take = (measured?: Measured): void => {
      this.#found.set(parameter, [...candidates, { ...of, path, sensor, ...defined({ measured }) }]);
    };
    if ('refusal' in number) {
      take();
      if (bad === undefined) this.refusals.push(number.refusal);
      else this.refuse('not_finite', path, `expected a measured value, found ${shown(found)}, ${bad}`);
    } else if (unit === undefined || !UNITS_OF[parameter].includes(unit)) {
      const stated = unit === undefined ? 'no known unit' : `${unit} is no unit`;
      this.refuse('unknown_unit', path, `${stated} of ${parameter}; ${remedy}`);
    } else {
      const why = bad ?? notMeasured(parameter, number.value, unit);
      if (why === undefined) take({ parameter, value: number.value, unit, ...defined({ suspect, sensor }) });
      else {
        take();
        this.refuse('not_finite', path, `expected a measured value, found ${number.value}, ${why}`);
      }
    }
  }

  /**
   * Takes the air pressure beside the values; the first one counts.
   *
   * @param hpa - hectopascals in one unit of the device
   */
  pressure(path: string, found: unknown, hpa: number): void {
    if (found === undefined || this.#pressureHpa !== undefined) return;
    const number = readNumber(path, found, this.form);
    if ('refusal' in number) this.refusals.push(number.refusal);
    else this.#pressureHpa = number.value * hpa;
  }

  refuse(reason: RejectionReason, path: string, expectation: string): void {
    this.seen.add(plainPath(path));
    this.refusals.push(refusal(reason, path, expectation));
  }

  /** The values as one output, or none where nothing was measured: a pressure alone is no telemetry. */
  telemetry(ts: UtcMillis | undefined, source?: string, housing?: string): readonly CodecTelemetry[] {
    const values: Measured[] = [];
    const others: OtherSensor[] = [];
    for (const [parameter, candidates] of this.#found) {
      const [counted, ...rest] = inOrder(candidates).map((candidate) => inHousing(candidate, housing));
      if (counted?.isSpare === true) others.push(...otherOf(counted, parameter, 'the sensor in the air'));
      else if (counted?.measured !== undefined) values.push(counted.measured);
      for (const candidate of rest) others.push(...otherOf(candidate, parameter, counted?.path ?? ''));
    }
    if (values.length === 0 && others.length === 0) return [];
    return [
      {
        kind: 'telemetry',
        ts,
        ...defined({ source }),
        values,
        ...(others.length === 0 ? {} : { others }),
        // A damaged number may leave the range of numbers when it is converted.
        ...(this.#pressureHpa === undefined || !Number.isFinite(this.#pressureHpa)
          ? {}
          : { conditions: { pressureHpa: this.#pressureHpa } }),
      },
    ];
  }
}

/** A path as {@link Gathered.rest} compares them: `a[0].b` is `a.0.b`. */
function plainPath(path: string): string {
  return path.replace(/\[(\d+)\]/g, '.$1');
}

/** Where in a message values belong: the device and the instant. */
export interface Place {
  readonly ts: UtcMillis | undefined;
  readonly source?: string;
  /** Stands before the names of sensors: which device of several that reach Pantau as one. */
  readonly housing?: string;
}

/** Collects what a message gives that speaks of several devices or instants; what is refused does not take the rest down. */
export class Findings {
  constructor(private readonly form: 'number' | 'text' = 'number') {}

  readonly #sheets = new Map<string, { readonly place: Place; readonly gathered: Gathered }>();
  readonly #outputs: CodecOutput[] = [];
  readonly #refusals: Refusal[] = [];
  readonly #seen = new Set<string>();

  /** What is said of one device at one instant. */
  at(place: Place): Gathered {
    const key = `${place.ts ?? ''} ${place.source ?? ''}`;
    let sheet = this.#sheets.get(key);
    if (sheet === undefined)
      this.#sheets.set(
        key,
        (sheet = { place, gathered: new Gathered(this.form, this.#refusals, this.#seen) }),
      );
    return sheet.gathered;
  }

  add(output: CodecOutput): void {
    this.#outputs.push(output);
  }

  refuse(...refusals: readonly Refusal[]): void {
    this.#refusals.push(...refusals);
  }

  /**
   * @param nothing - why a message without outputs and refusals is all right
   * @param unread - of {@link resultOf}
   * @param memory - what the next message needs
   * @param beside - of {@link resultOf}
   */
  result(
    nothing: string,
    unread: readonly string[],
    memory?: CodecMemory,
    beside: readonly string[] = [],
  ): CodecResult {
    const measured = [...this.#sheets.values()].flatMap(({ place, gathered }) =>
      gathered.telemetry(place.ts, place.source, place.housing),
    );
    return {
      ...resultOf(
        [...this.#outputs, ...measured],
        this.#refusals,
        nothing,
        unread.filter((path) => !this.#seen.has(plainPath(path))),
        beside,
      ),
      ...(memory === undefined ? {} : { memory }),
    };
  }
}

/**
 * `source` of a message from a server that speaks for many devices. Where the pattern names the device in the topic, that
 * name counts and the one in the payload is redundant.
 */
export function sourceUnless(
  parts: Readonly<Record<string, string>>,
  name: unknown,
): { readonly source?: string } {
  return parts['device'] === undefined && typeof name === 'string' && name !== ''
    ? { source: name.slice(0, 200) }
    : {};
}
