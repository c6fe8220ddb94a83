import { type Millis, isObject } from '#libs/kernel';
import {
  readJson,
  type Codec,
  type CodecInput,
  type CodecResult,
  type MeasuredParameter,
  type Unit,
} from '#libs/telemetry';
import { Findings, refusal, refused, shown, type Members, type Place, type Validity } from '../reading.js';
import { readDateTime, type Instant } from '../reading-time.js';
import { firstInstant, timeNames } from '../stated-time.js';
import { StatedUnits, saysUnit } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/** UN/CEFACT common codes (Recommendation 20) that Pantau knows. */
const UNIT_CODES: ReadonlyMap<string, Unit> = new Map([
  ['GP', 'mg/m3'],
  ['GQ', 'ug/m3'],
  ['59', 'ppm'],
  ['61', 'ppb'],
  ['CEL', 'degC'],
  ['FAH', 'degF'],
  ['KEL', 'K'],
  ['P1', '%'],
  ['C62', 'fraction'],
] as const);

/** UN/CEFACT code of the hectopascal. */
const HECTOPASCAL = 'A97';

/** Attributes of the data model, lower-cased: older versions write the formulas of gases in capitals. */
const ATTRIBUTES: ReadonlyMap<string, MeasuredParameter> = new Map([
  ['pm25', 'pm25'],
  ['pm2.5', 'pm25'],
  ['pm10', 'pm10'],
  ['so2', 'so2'],
  ['no2', 'no2'],
  ['co', 'co'],
  ['o3', 'o3'],
  ['temperature', 'temperature'],
  ['relativehumidity', 'humidity'],
] as const);

/** What the data model fixes for attributes without `unitCode`; the unit of a pollutant is mandatory and has no default. */
const MODEL_UNITS: Partial<Readonly<Record<MeasuredParameter, Unit>>> = {
  temperature: 'degC',
  humidity: 'fraction',
};

const REMEDY = 'publish the normalized form, in which unitCode is GQ, GP, 61 or 59';

/**
 * Smart Data Models `AirQualityObserved` of an NGSI-v2 or NGSI-LD context broker: an entity in key-values or normalized
 * form, a list of them, or a notification with them in `data`. What states a unit or a time is read wherever it stands;
 * what is stated and not understood is refused, never replaced by a default.
 *
 * Source: smart-data-models/dataModel.Environment.
 */
export const codec: Codec = { name: 'fiware', version: 2, decode };

function decode({ payload, utcOffsetMs }: CodecInput): CodecResult {
  const parsed = readJson(payload);
  if ('refusal' in parsed) return refused(parsed.refusal);
  const { value } = parsed;
  const several = Array.isArray(value) ? value : isObject(value) ? value['data'] : undefined;
  const entities: readonly unknown[] = Array.isArray(several) ? several : [value];
  const findings = new Findings();
  const isNotification = isObject(value) && Array.isArray(several);
  const beside = isNotification ? unreadNumbers({ ...value, data: null }, '', NO_VALUES) : [];
  const unread: string[] = [];
  for (const [index, entity] of entities.entries()) {
    const where = Array.isArray(several) ? `[${index}].` : '';
    if (!isObject(entity) || entity['type'] !== 'AirQualityObserved')
      findings.refuse(refusal('schema_violation', `${where}type`, 'expected AirQualityObserved'));
    else {
      readEntity(findings, entity, where, Array.isArray(several), utcOffsetMs);
      unread.push(...unreadIn(entity, where.slice(0, -1)));
    }
  }
  return entities.length === 0
    ? refused(refusal('schema_violation', 'payload', 'expected at least one entity'))
    : findings.result('no attribute is one that Pantau measures', unread, undefined, beside);
}

function readEntity(
  findings: Findings,
  entity: Members,
  where: string,
  amongSeveral: boolean,
  utcOffsetMs: Millis | undefined,
): void {
  const times = timeNames(Object.keys(entity), ENTITY_TIMES).flatMap((name) => {
    const { value } = attribute(entity[name]);
    return value === undefined || value === null ? [] : [observedAt(where + name, value, utcOffsetMs)];
  });
  const time = firstInstant(times) ?? { ts: undefined };
  if ('refusal' in time) {
    findings.refuse(time.refusal);
    return;
  }
  // `id` may hold the time of the observation; the device, where it is named, stays the same.
  const named = [attribute(entity['refDevice']).value, entity['id']].find((name) => typeof name === 'string');
  const place: Place = {
    ts: time.ts,
    ...(amongSeveral && typeof named === 'string' ? { source: named.slice(0, 200) } : {}),
  };
  const beside = new StatedUnits(entity);
  // One entity belongs to its sender, and another one of the same sender is another sensor.
  const sensor = amongSeveral || typeof named !== 'string' ? undefined : named.replace(TIME_IN_ID, '');
  const about = { ...validityOf(attribute(entity['reliability']).value ?? undefined), sensor };
  for (const [name, member] of Object.entries(entity)) {
    const { value, units, times } = attribute(member);
    const parameter = ATTRIBUTES.get(name.toLowerCase());
    // A value may be older than the entity that carries it.
    const stated = times.map((each) => readDateTime(`${where}${name}.${each.name}`, each.value, utcOffsetMs));
    const own = firstInstant(stated) ?? place;
    if (parameter === undefined) {
      if (units.length === 1 && units[0] === HECTOPASCAL && /pressure$/i.test(name))
        findings.at(place).pressure(where + name, value ?? undefined, 1);
    } else if ('refusal' in own) findings.refuse(own.refusal);
    else {
      const there = { ...place, ts: own.ts };
      const found = value ?? undefined;
      // Of key-values a unit can only stand beside the attribute.
      const { unit, remedy = REMEDY } =
        units.length === 0
          ? beside.of(name, parameter, MODEL_UNITS[parameter], 'follows')
          : { unit: unitOf(units), remedy: `found ${units.map(shown).join(' and ')}; ${REMEDY}` };
      findings.at(there).measure(where + name, found, parameter, unit, remedy, about);
    }
  }
}

const NO_VALUES =
  /^(?:location|address|@context|type|timestamp|TimeInstant|observedAt|dateObserved\w*|unit\w*)$/;

/** Numbers that are attributes, and those that stand beside the value of one. */
function unreadIn(entity: Members, where: string): readonly string[] {
  const values = Object.entries(entity).map(([name, member]) => [name, attribute(member).value]);
  const beside = Object.entries(entity).map(([name, member]) => {
    const { value, ...others } = isObject(member) ? member : { value: member };
    return [name, value === undefined ? {} : others];
  });
  return [values, beside].flatMap((members) =>
    unreadNumbers(Object.fromEntries(members) as Members, where, NO_VALUES),
  );
}

/** The time of the observation at the end of an entity's id. */
const TIME_IN_ID = /[^a-z0-9]*\d{4}-?\d\d-?\d\d(?:[T_ -].*)?$/i;

/** Below this an entity calls itself more wrong than right; the data model gives a scale and no limit: this one is ours. */
const RELIABLE_FROM = 0.5;

/** `reliability` of the data model: "expressed in parts per one". */
function validityOf(reliability: unknown): Validity {
  const isDoubted =
    reliability !== undefined && !(typeof reliability === 'number' && reliability >= RELIABLE_FROM);
  return isDoubted ? { suspect: `reliability ${shown(reliability)}` } : {};
}

/** All statements of a unit must say the same. */
function unitOf(units: readonly unknown[]): Unit | undefined {
  const read = units.map((unit) =>
    UNIT_CODES.get(typeof unit === 'number' ? String(unit) : (unit as string)),
  );
  return read.every((unit) => unit === read[0]) ? read[0] : undefined;
}

interface Attribute {
  readonly value: unknown;
  /** Every unit that is stated, as it is stated. */
  readonly units: readonly unknown[];
  /** Every time that is stated, in the order in which they count. */
  readonly times: readonly { readonly name: string; readonly value: unknown }[];
}

/** The member, of the attribute itself (NGSI-LD) or of its metadata (NGSI-v2), that states its unit for people. */
const UNIT_TEXT = 'unitText';
/** Members and metadata that state the time of an attribute: of NGSI-LD, of the data model, of IoT Agents. */
const ATTRIBUTE_TIMES = ['observedAt', 'timestamp', 'TimeInstant'] as const;
/** The same of the entity: the model's own, then those of IoT Agents and of NGSI-LD. */
const ENTITY_TIMES = ['dateObserved', 'dateObservedFrom', 'TimeInstant', 'observedAt', 'timestamp'] as const;

/** An attribute in any form; key-values have a value alone. */
function attribute(member: unknown): Attribute {
  if (!isObject(member) || !Object.hasOwn(member, 'value'))
    return { value: valueOf(member), units: [], times: [] };
  const metadata = isObject(member['metadata']) ? member['metadata'] : {};
  const stated = (name: string): unknown[] =>
    [member[name], metadata[name]].map(valueOf).filter((found) => found !== undefined);
  const names = [...new Set([...Object.keys(member), ...Object.keys(metadata)])];
  const unitNames = names.filter(saysUnit);
  const codes = unitNames.filter((name) => name !== UNIT_TEXT).flatMap(stated);
  // Beside a code the text is for people.
  const units = codes.length > 0 ? codes : stated(UNIT_TEXT);
  const times = timeNames(names, ATTRIBUTE_TIMES).flatMap((name) =>
    stated(name).flatMap((value) => (value === null ? [] : [{ name, value }])),
  );
  return { value: valueOf(member['value']), units, times };
}

/** What a property or a JSON-LD literal holds; anything else is its own value. */
function valueOf(found: unknown): unknown {
  if (!isObject(found)) return found;
  if (Object.hasOwn(found, '@value')) return found['@value'];
  return Object.hasOwn(found, 'value') ? valueOf(found['value']) : found;
}

/** An instant, or the beginning of an interval: the values then belong to the span that starts there. */
function observedAt(path: string, value: unknown, utcOffsetMs: Millis | undefined): Instant {
  const [begin = ''] = typeof value === 'string' ? value.split('/') : [];
  return readDateTime(path, typeof value === 'string' ? begin : (value ?? undefined), utcOffsetMs);
}
