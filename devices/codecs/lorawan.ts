import { COMMON_NAMES } from './parameter-names.js';
import { isObject } from '#libs/kernel';
import { type CodecResult, type MeasuredParameter, type Unit } from '#libs/telemetry';
import { wordsOf } from './decoder-words.js';
import {
  Findings,
  refusal,
  refused,
  type Gathered,
  type Members,
  type Place,
  type Validity,
} from './reading.js';
import { ownTime } from './stated-time.js';
import { StatedUnits } from './stated-units.js';
import { unreadNumbers } from './unread.js';

/**
 * Names that decoders of LoRaWAN devices give to what Pantau measures, lower-cased. `pm2_5`, `pm10`, `temperature` and
 * `humidity` are those of Milesight, `tempc_sht`, `hum_sht` and `tempc_ds` (a probe on a cable) those of Dragino.
 */
const NAMES: ReadonlyMap<string, MeasuredParameter> = new Map([
  ...COMMON_NAMES,
  ['pm2p5', 'pm25'],
  ['air_temperature', 'temperature'],
  ['tempc_sht', 'temperature'],
  ['relative_humidity', 'humidity'],
  ['hum_sht', 'humidity'],
  ['tempc_ds', 'temperature'],
] as const);

/** Units that these decoders document for a name without a unit. Gases are stated in ppb, ppm and mass alike: no default. */
const DEFAULT_UNITS: Partial<Readonly<Record<MeasuredParameter, Unit>>> = {
  pm25: 'ug/m3',
  pm10: 'ug/m3',
  temperature: 'degC',
  humidity: '%',
};

/** A name may end with its unit: `no2_ppb`, `o3_ugm3`, `temperature_f`. */
const UNIT_ENDINGS: readonly (readonly [string, Unit])[] = [
  ['_ug_m3', 'ug/m3'],
  ['_ugm3', 'ug/m3'],
  ['_mg_m3', 'mg/m3'],
  ['_mgm3', 'mg/m3'],
  ['_ppb', 'ppb'],
  ['_ppm', 'ppm'],
  ['_c', 'degC'],
  ['_f', 'degF'],
  ['_k', 'K'],
  ['_pct', '%'],
  ['_percent', '%'],
];

const CHANNEL = /^(.*[^_\d].*)_\d{1,3}$/;

const REMEDY = 'let the decoder at the server name it with its unit, such as no2_ppb or o3_ugm3';

/**
 * What the decoder at a LoRaWAN network server made of a frame: values of its arrival, or of the time that the decoder
 * states, and lists of entries that have times of their own, which a node sends after an outage (Milesight's `history`).
 * Numbers may be texts: decoders are scripts, and some round with `toFixed` (Seeed-Solution/TTN-Payload-Decoder#2).
 *
 * @param beside - numbers of the message that stand elsewhere and are not read: the server's, so listed and never refused
 * @param warnings - what the server states beside it of the decoder's work
 */
export function readDecoded(
  decoded: Members,
  where: string,
  place: Place,
  beside: readonly string[],
  warnings?: unknown,
): CodecResult {
  const words = wordsOf(decoded, warnings);
  const validity = words === '' ? {} : { suspect: `the decoder: ${words}` };
  const findings = new Findings('text');
  if (measuresAny(decoded)) {
    const time = ownTime(decoded, where);
    if (time === undefined) measure(findings.at(place), decoded, where, validity);
    else if ('refusal' in time) findings.refuse(time.refusal);
    else measure(findings.at({ ...place, ts: time.ts }), decoded, where, validity);
  }
  for (const [name, list] of Object.entries(decoded)) {
    if (!Array.isArray(list)) continue;
    for (const [index, entry] of (list as unknown[]).entries())
      if (isObject(entry)) readEntry(findings, entry, `${where}.${name}[${index}]`, place, validity);
  }
  const unread = unreadNumbers(decoded, where);
  const result = findings.result(`${where} holds no name that Pantau measures`, unread, undefined, beside);
  return words === '' || result.outputs.length > 0
    ? result
    : refused(
        refusal('unreadable', where, `expected decoded values, the decoder gave up: ${words}`),
        ...result.refusals,
      );
}

function readEntry(
  findings: Findings,
  entry: Members,
  where: string,
  place: Place,
  validity: Validity,
): void {
  if (!measuresAny(entry)) return;
  // The arrival never stands in for one entry of several.
  // What a clock that was reset says is an instant all the same, and refused as such.
  const time = ownTime(entry, where, 0) ?? {
    refusal: refusal('schema_violation', where, 'expected timestamp, an instant of its own, found nothing'),
  };
  if ('refusal' in time) findings.refuse(time.refusal);
  else measure(findings.at({ ...place, ts: time.ts }), entry, where, validity);
}

function measuresAny(decoded: Members): boolean {
  return Object.keys(decoded).some((name) => parameterAndUnit(name.toLowerCase()) !== undefined);
}

function measure(gathered: Gathered, decoded: Members, where: string, validity: Validity): void {
  const units = new StatedUnits(decoded);
  for (const [name, value] of Object.entries(decoded)) {
    const path = `${where}.${name}`;
    // Decoders write null for what the frame does not hold.
    const found = value ?? undefined;
    if (name.toLowerCase() === 'pressure_hpa') gathered.pressure(path, found, 1);
    const known = parameterAndUnit(name.toLowerCase());
    if (known === undefined) continue;
    const { parameter, sensor } = known;
    const { unit, remedy = REMEDY } = units.of(name, parameter, known.unit, 'follows');
    gathered.measure(path, found, parameter, unit, remedy, { ...validity, sensor });
  }
}

interface Known {
  readonly parameter: MeasuredParameter;
  readonly unit: Unit | undefined;
  /** The name without its unit: each is a sensor. */
  readonly sensor: string;
}

function parameterAndUnit(name: string): Known | undefined {
  const parameter = NAMES.get(name);
  // The whole name first: `pm2_5` has no unit in it.
  if (parameter !== undefined) return { parameter, unit: DEFAULT_UNITS[parameter], sensor: name };
  for (const [ending, unit] of UNIT_ENDINGS) {
    const sensor = name.endsWith(ending) ? name.slice(0, -ending.length) : '';
    const measured = NAMES.get(sensor);
    if (measured !== undefined) return { parameter: measured, unit, sensor };
  }
  // Cayenne LPP and its kin end a name with its channel.
  const channel = CHANNEL.exec(name);
  const known = channel === null ? undefined : parameterAndUnit(channel[1] ?? '');
  return known && { ...known, sensor: name };
}
