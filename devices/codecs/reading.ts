import type { Millis, UtcMillis } from '#libs/kernel';
import {
  readJson,
  type CodecOutput,
  type CodecResult,
  type CodecTelemetry,
  type Measured,
  type MeasuredParameter,
  type Refusal,
  type RejectionReason,
  type Unit,
} from '#libs/telemetry';

/** What the codecs of JSON payloads share. Nothing here knows a maker. */

export type Members = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of the payload itself: `constructor` and `__proto__` are what every object inherits, not what a device said. */
export function member(object: Members, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Parses a payload that must be a JSON object. */
export function readObject(payload: Uint8Array): { object: Members } | { refusal: Refusal } {
  const parsed = readJson(payload);
  if ('refusal' in parsed) return parsed;
  if (isObject(parsed.value)) return { object: parsed.value };
  return {
    refusal: refusal('schema_violation', 'payload', `expected a JSON object, found ${shown(parsed.value)}`),
  };
}

/** A refusal that names the member and says what was expected of it, or what to do at the device. */
export function refusal(reason: RejectionReason, path: string, expectation: string): Refusal {
  // A hostile payload chooses its own names: they may not crowd out the expectation.
  return { reason, detail: `${path.slice(0, 100)}: ${expectation}`.slice(0, 300) };
}

/** What was found, in a few words. */
export function shown(found: unknown): string {
  if (found === undefined) return 'nothing';
  if (typeof found === 'string') return `the text "${found.slice(0, 40)}"`;
  if (Array.isArray(found)) return 'a list';
  if (isObject(found)) return 'an object';
  return typeof found === 'number' ? String(found) : JSON.stringify(found);
}

/** A whole result without anything to keep, with its reason. */
export function ignored(why: string): CodecResult {
  return { outputs: [], refusals: [], ignored: why };
}

export function refused(...refusals: readonly [Refusal, ...Refusal[]]): CodecResult {
  return { outputs: [], refusals };
}

/** @param nothing - why a message without outputs and refusals is all right */
export function resultOf(
  outputs: readonly CodecOutput[],
  refusals: readonly Refusal[],
  nothing: string,
): CodecResult {
  return outputs.length === 0 && refusals.length === 0 ? ignored(nothing) : { outputs, refusals };
}

export function status(state: 'online' | 'offline', ts?: UtcMillis): CodecResult {
  return { outputs: [{ kind: 'status', ts, state }], refusals: [] };
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

/** Gathers what one message says of one device: the values that hold, and why the others do not. */
export class Gathered {
  readonly refusals: Refusal[] = [];
  readonly #values: Measured[] = [];
  /** Where each parameter was found; kept for a refused value too, or a spare sensor would slip into its series. */
  readonly #paths = new Map<MeasuredParameter, string>();
  #pressureHpa: number | undefined;

  constructor(private readonly form: 'number' | 'text' = 'number') {}

  /** Takes the value found at `path`; absent is absent. A message states a parameter once: which of two counts is not ours to guess. */
  measure(path: string, found: unknown, parameter: MeasuredParameter, unit: Unit): void {
    if (found === undefined) return;
    const first = this.#paths.get(parameter);
    if (first !== undefined) {
      this.refuse(
        'schema_violation',
        path,
        `expected one ${parameter} in a message, found a second after ${first.slice(0, 100)}; switch one of the sensors off`,
      );
      return;
    }
    this.#paths.set(parameter, path);
    const number = readNumber(path, found, this.form);
    if ('refusal' in number) this.refusals.push(number.refusal);
    else this.#values.push({ parameter, value: number.value, unit });
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
    this.refusals.push(refusal(reason, path, expectation));
  }

  /** The values as one output, or none where nothing was measured: a pressure alone is no telemetry. */
  telemetry(ts: UtcMillis | undefined, source?: string): readonly CodecTelemetry[] {
    if (this.#values.length === 0) return [];
    return [
      {
        kind: 'telemetry',
        ts,
        ...(source === undefined ? {} : { source }),
        values: this.#values,
        // A damaged number may leave the range of numbers when it is converted.
        ...(this.#pressureHpa === undefined || !Number.isFinite(this.#pressureHpa)
          ? {}
          : { conditions: { pressureHpa: this.#pressureHpa } }),
      },
    ];
  }
}

/** An instant; undefined when what the device states is none. */
export type Instant = { readonly ts: UtcMillis | undefined } | { readonly refusal: Refusal };

const DATE_TIME =
  /^(\d{4})([-/])(\d{2})\2(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|([+-])(\d{2}):?(\d{2}))?$/i;
const MINUTE_MS: Millis = 60_000;

/**
 * Reads a date and time. With `Z` or an offset it is an instant; a local one becomes an instant with `utcOffsetMs` and
 * stays undefined without. Digits below the millisecond are cut off.
 */
export function readDateTime(path: string, found: unknown, utcOffsetMs: Millis | undefined): Instant {
  if (found === undefined) return { ts: undefined };
  const match = typeof found === 'string' ? DATE_TIME.exec(found.trim()) : null;
  const iso =
    match === null ? undefined : `${match[1]}-${match[3]}-${match[4]}T${match[5]}:${match[6]}:${match[7]}`;
  const offset = Number(match?.[11] ?? 0) * 60 + Number(match?.[12] ?? 0);
  const fraction = Number((match?.[8] ?? '').padEnd(3, '0').slice(0, 3));
  const seconds = iso === undefined ? NaN : Date.parse(`${iso}Z`);
  // Date.parse rolls 2026-02-30 over into March; such a day does not exist.
  const exists = !Number.isNaN(seconds) && new Date(seconds).toISOString().slice(0, 19) === iso;
  if (match === null || !exists || offset >= 24 * 60 || Number(match[12] ?? 0) >= 60) {
    return {
      refusal: refusal(
        'schema_violation',
        path,
        `expected an existing date and time such as 2026-01-31T23:59:59+07:00, found ${shown(found)}`,
      ),
    };
  }
  const local = seconds + fraction;
  if (match[9] === undefined) return { ts: utcOffsetMs === undefined ? undefined : local - utcOffsetMs };
  return { ts: local - (match[10] === '-' ? -1 : 1) * offset * MINUTE_MS };
}

/** Beyond this a Date is none (ECMA-262, time values). */
const MAX_TIME_MS = 8.64e15;

/**
 * Reads a count of time since the Unix epoch, UTC.
 *
 * @param unitMs - milliseconds in one count: 1 for milliseconds, 1000 for seconds
 */
export function readEpoch(path: string, found: unknown, unitMs: 1 | 1000): Instant {
  if (found === undefined) return { ts: undefined };
  const number = readNumber(path, found);
  if ('refusal' in number) return number;
  const ts = Math.round(number.value * unitMs);
  if (Math.abs(ts) <= MAX_TIME_MS) return { ts };
  const unit = unitMs === 1 ? 'milliseconds' : 'seconds';
  return {
    refusal: refusal('schema_violation', path, `expected ${unit} since 1970, found ${shown(found)}`),
  };
}
