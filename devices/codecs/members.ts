import type { Millis, UtcMillis } from '#libs/kernel';
import type {
  CodecEvent,
  CodecOutput,
  CodecResult,
  CodecTelemetry,
  Measured,
  MeasuredParameter,
  Refusal,
  RejectionReason,
  Unit,
} from '#libs/telemetry';

/** A JSON object as it arrived: nothing is known of its members. */
export type Members = Readonly<Record<string, unknown>>;

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A message that cannot be read at all. */
export function refused(reason: RejectionReason, detail: string): CodecResult {
  return { outputs: [], refusals: [{ reason, detail: detail.slice(0, 300) }] };
}

/** A message that was understood and holds nothing to keep. */
export function ignored(why: string): CodecResult {
  return { outputs: [], refusals: [], ignored: why };
}

/** What stands in a payload, for the detail of a refusal. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `the text "${value.slice(0, 40)}"`;
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** Reads a finite number; says why a member is none. */
export function numberAt(value: unknown, member: string): { number: number } | { refusal: Refusal } {
  if (typeof value === 'number' && Number.isFinite(value)) return { number: value };
  const reason =
    typeof value === 'number'
      ? 'not_finite'
      : typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))
        ? 'number_as_text'
        : 'schema_violation';
  const detail = `${member.slice(0, 80)}: expected a finite number, found ${shown(value)}`;
  return { refusal: { reason, detail } };
}

/** An instant, none (`ts` undefined: arrival counts), or why what is stated is no instant. */
export type Instant = { readonly ts: UtcMillis | undefined } | { readonly refusal: Refusal };

const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/i;

/**
 * Reads ISO 8601 with any number of decimals (cut to milliseconds). A time without a zone is local: an instant only when
 * the configuration states the offset. A date that no calendar holds is refused, not rolled over into the next month.
 */
export function instantAt(value: unknown, member: string, utcOffsetMs: Millis | undefined): Instant {
  if (value === undefined || value === null) return { ts: undefined };
  const match = typeof value === 'string' ? ISO_8601.exec(value) : null;
  if (match === null) return noInstant(value, member);
  const [, year, month, day, hour, minute, second = '00', decimals = '', zone] = match;
  const fraction = Number(decimals.slice(0, 3).padEnd(3, '0'));
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    fraction,
  );
  // Date.UTC rolls over what does not exist; written back, such a date differs from what was read.
  const wanted = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  if (!new Date(local).toISOString().startsWith(wanted)) return noInstant(value, member);
  const ahead = zone === undefined ? utcOffsetMs : zoneOffset(zone);
  return { ts: ahead === undefined ? undefined : local - ahead };
}

function zoneOffset(zone: string): Millis {
  if (zone === 'Z' || zone === 'z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** Reads milliseconds since the Unix epoch. */
export function epochMillisAt(value: unknown, member: string): Instant {
  if (value === undefined || value === null) return { ts: undefined };
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? { ts: value }
    : noInstant(value, member);
}

function noInstant(value: unknown, member: string): Instant {
  const detail = `${member}: expected an instant that exists, found ${shown(value)}`;
  return { refusal: { reason: 'schema_violation', detail } };
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

/** The members that an event can carry: numbers, booleans, null and text; what is nested or not finite is left out. */
export function eventData(members: Members, names = Object.keys(members)): NonNullable<CodecEvent['data']> {
  const data: [string, string | number | boolean | null][] = [];
  for (const name of names) {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    if (typeof value === 'string') data.push([name.slice(0, 64), value.slice(0, 1000)]);
    else if (typeof value === 'boolean' || value === null || Number.isFinite(value))
      data.push([name.slice(0, 64), value as number | boolean | null]);
  }
  return Object.fromEntries(data);
}

/** Units in which a parameter can be stated at all; particles have no ppb. */
const UNITS_OF: Readonly<Record<MeasuredParameter, readonly Unit[]>> = (() => {
  const mass = ['ug/m3', 'mg/m3'] as const;
  const gas = [...mass, 'ppb', 'ppm'] as const;
  return {
    pm25: mass,
    pm10: mass,
    so2: gas,
    no2: gas,
    co: gas,
    o3: gas,
    hc: gas,
    temperature: ['degC', 'degF', 'K'],
    humidity: ['%', 'fraction'],
  };
})();

/** Where in a message values belong: the device and the instant. */
export interface Place {
  readonly ts: UtcMillis | undefined;
  readonly source?: string;
}

interface Sheet extends Place {
  readonly values: Measured[];
  pressureHpa?: number;
}

/** Collects what a message gives: values of one device and instant come together; what is refused does not take them down. */
export class Findings {
  readonly #sheets = new Map<string, Sheet>();
  readonly #outputs: CodecOutput[] = [];
  readonly #refusals: Refusal[] = [];

  /**
   * Takes one value, or refuses it with its reason.
   *
   * @param member - its name in the payload
   * @param value - null and undefined are absent: nothing is taken and nothing is refused
   * @param unit - undefined when the payload does not state one that Pantau knows
   * @param remedy - what to do about a unit that is not known
   */
  measure(
    place: Place,
    member: string,
    parameter: MeasuredParameter,
    value: unknown,
    unit: Unit | undefined,
    remedy: string,
  ): void {
    if (value === undefined || value === null) return;
    const read = numberAt(value, member);
    if ('refusal' in read) {
      this.refuse(read.refusal);
      return;
    }
    const name = member.slice(0, 80);
    if (unit === undefined || !UNITS_OF[parameter].includes(unit)) {
      const found = unit === undefined ? 'no known unit' : `${unit} is no unit`;
      this.refuse({ reason: 'unknown_unit', detail: `${name}: ${found} of ${parameter}; ${remedy}` });
      return;
    }
    const { values } = this.#sheetOf(place);
    const earlier = values.find((measured) => measured.parameter === parameter);
    if (earlier === undefined) values.push({ parameter, value: read.number, unit });
    // Two members may name one quantity. The first stays; which of two different values is right cannot be known.
    else if (earlier.value !== read.number || earlier.unit !== unit)
      this.refuse({
        reason: 'schema_violation',
        detail: `${name}: ${parameter} is stated before as ${earlier.value} ${earlier.unit}`,
      });
  }

  /** Takes the air pressure, which is no parameter: it only accompanies measured values. */
  pressure(place: Place, member: string, value: unknown): void {
    if (value === undefined || value === null) return;
    const read = numberAt(value, member);
    if ('refusal' in read) this.refuse(read.refusal);
    else this.#sheetOf(place).pressureHpa = read.number;
  }

  add(output: CodecOutput): void {
    this.#outputs.push(output);
  }

  refuse(refusal: Refusal): void {
    this.#refusals.push(refusal);
  }

  /**
   * @param why - why a message without outputs and refusals holds nothing
   * @param memory - what the next message needs
   */
  result(why: string, memory?: unknown): CodecResult {
    const outputs = [...this.#outputs, ...[...this.#sheets.values()].flatMap(telemetryOf)];
    return {
      outputs,
      refusals: this.#refusals,
      ...(outputs.length === 0 && this.#refusals.length === 0 ? { ignored: why } : {}),
      ...(memory === undefined ? {} : { memory }),
    };
  }

  #sheetOf(place: Place): Sheet {
    const key = `${place.ts ?? ''} ${place.source ?? ''}`;
    let sheet = this.#sheets.get(key);
    if (sheet === undefined) this.#sheets.set(key, (sheet = { ...place, values: [] }));
    return sheet;
  }
}

function telemetryOf({ values, pressureHpa, ...place }: Sheet): CodecTelemetry[] {
  if (values.length === 0) return [];
  const temperatureC = values.find(
    ({ parameter, unit }) => parameter === 'temperature' && unit === 'degC',
  )?.value;
  const conditions = {
    ...(temperatureC === undefined ? {} : { temperatureC }),
    ...(pressureHpa === undefined ? {} : { pressureHpa }),
  };
  return [
    {
      kind: 'telemetry',
      ...place,
      values,
      ...(Object.keys(conditions).length === 0 ? {} : { conditions }),
    },
  ];
}
