import type { Millis } from '#libs/kernel';
import {
  readJson,
  type Codec,
  type CodecInput,
  type CodecResult,
  type MeasuredParameter,
  type Unit,
} from '#libs/telemetry';
import {
  Findings,
  isObject,
  readDateTime,
  refusal,
  refused,
  type Instant,
  type Members,
  type Place,
} from '../reading.js';

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
 * Smart Data Models `AirQualityObserved` of an NGSI-v2 context broker: an entity in key-values or normalized form, a list
 * of them, or a notification with them in `data`.
 *
 * Source: smart-data-models/dataModel.Environment.
 */
export const codec: Codec = { name: 'fiware', decode };

function decode({ payload, utcOffsetMs }: CodecInput): CodecResult {
  const parsed = readJson(payload);
  if ('refusal' in parsed) return refused(parsed.refusal);
  const { value } = parsed;
  const several = Array.isArray(value) ? value : isObject(value) ? value['data'] : undefined;
  const entities: readonly unknown[] = Array.isArray(several) ? several : [value];
  const findings = new Findings();
  for (const [index, entity] of entities.entries()) {
    const where = Array.isArray(several) ? `[${index}].` : '';
    if (!isObject(entity) || entity['type'] !== 'AirQualityObserved')
      findings.refuse(refusal('schema_violation', `${where}type`, 'expected AirQualityObserved'));
    else readEntity(findings, entity, where, Array.isArray(several), utcOffsetMs);
  }
  return entities.length === 0
    ? refused(refusal('schema_violation', 'payload', 'expected at least one entity'))
    : findings.result('no attribute is one that Pantau measures');
}

function readEntity(
  findings: Findings,
  entity: Members,
  where: string,
  amongSeveral: boolean,
  utcOffsetMs: Millis | undefined,
): void {
  const time = observedAt(`${where}dateObserved`, attribute(entity['dateObserved']).value, utcOffsetMs);
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
  for (const [name, member] of Object.entries(entity)) {
    const { value, unitCode, timestamp } = attribute(member);
    const parameter = ATTRIBUTES.get(name.toLowerCase());
    // A value may be older than the entity that carries it.
    const own = readDateTime(`${where}${name}.timestamp`, timestamp ?? undefined, utcOffsetMs);
    if (parameter === undefined) {
      if (unitCode === HECTOPASCAL && /pressure$/i.test(name))
        findings.at(place).pressure(where + name, value ?? undefined, 1);
    } else if ('refusal' in own) findings.refuse(own.refusal);
    else {
      const unit = unitCode === undefined ? MODEL_UNITS[parameter] : UNIT_CODES.get(unitCode);
      const there = timestamp === undefined ? place : { ...place, ts: own.ts };
      findings.at(there).measure(where + name, value ?? undefined, parameter, unit, REMEDY);
    }
  }
}

interface Attribute {
  readonly value: unknown;
  /** Empty when it is stated as neither text nor number. */
  readonly unitCode?: string;
  readonly timestamp?: unknown;
}

/** An attribute in either form; only the normalized one has metadata. */
function attribute(member: unknown): Attribute {
  if (!isObject(member) || !Object.hasOwn(member, 'value')) return { value: member };
  const metadata = isObject(member['metadata']) ? member['metadata'] : {};
  const code = metadataValue(metadata['unitCode']);
  const timestamp = metadataValue(metadata['timestamp'] ?? metadata['TimeInstant']);
  return {
    value: member['value'],
    ...(code === undefined
      ? {}
      : { unitCode: typeof code === 'string' || typeof code === 'number' ? String(code) : '' }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

function metadataValue(metadata: unknown): unknown {
  return isObject(metadata) ? metadata['value'] : metadata;
}

/** An instant, or the beginning of an interval: the values then belong to the span that starts there. */
function observedAt(path: string, value: unknown, utcOffsetMs: Millis | undefined): Instant {
  const [begin = ''] = typeof value === 'string' ? value.split('/') : [];
  return readDateTime(path, typeof value === 'string' ? begin : (value ?? undefined), utcOffsetMs);
}
