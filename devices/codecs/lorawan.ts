import { type CodecResult, type MeasuredParameter, type Unit } from '#libs/telemetry';
import {
  Findings,
  isObject,
  readDateTime,
  readEpoch,
  refusal,
  shown,
  type Gathered,
  type Instant,
  type Members,
  type Place,
  type Validity,
} from './reading.js';
import { StatedUnits } from './stated-units.js';
import { unreadNumbers } from './unread.js';

/**
 * Names that decoders of LoRaWAN devices give to what Pantau measures, lower-cased. `pm2_5`, `pm10`, `temperature` and
 * `humidity` are those of Milesight, `tempc_sht` and `hum_sht` those of Dragino.
 */
const NAMES: ReadonlyMap<string, MeasuredParameter> = new Map([
  ['pm25', 'pm25'],
  ['pm2_5', 'pm25'],
  ['pm2.5', 'pm25'],
  ['pm2p5', 'pm25'],
  ['pm10', 'pm10'],
  ['so2', 'so2'],
  ['no2', 'no2'],
  ['co', 'co'],
  ['o3', 'o3'],
  ['hc', 'hc'],
  ['temperature', 'temperature'],
  ['air_temperature', 'temperature'],
  ['tempc_sht', 'temperature'],
  ['humidity', 'humidity'],
  ['relative_humidity', 'humidity'],
  ['hum_sht', 'humidity'],
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

/** Names of the time in an entry of a list. */
const TIMES = ['timestamp', 'time', 'ts'] as const;
/** As seconds this would be the year 5138, as milliseconds it is 1973. */
const MILLISECONDS_FROM = 1e11;

/**
 * What the decoder at a LoRaWAN network server made of a frame: values of its arrival, and lists of entries that have times
 * of their own, which a node sends after an outage (Milesight's `history`).
 *
 * @param doubt - of the decoder, about all that it decoded
 */
export function readDecoded(decoded: Members, where: string, place: Place, doubt?: string): CodecResult {
  const validity = doubt === undefined ? {} : { suspect: doubt };
  const findings = new Findings();
  measure(findings.at(place), decoded, where, validity);
  for (const [name, list] of Object.entries(decoded)) {
    if (!Array.isArray(list)) continue;
    for (const [index, entry] of (list as unknown[]).entries())
      if (isObject(entry)) readEntry(findings, entry, `${where}.${name}[${index}]`, place, validity);
  }
  return findings.result(
    `${where} holds no name that Pantau measures`,
    undefined,
    unreadNumbers(decoded, where),
  );
}

function readEntry(
  findings: Findings,
  entry: Members,
  where: string,
  place: Place,
  validity: Validity,
): void {
  if (!Object.keys(entry).some((name) => parameterAndUnit(name.toLowerCase()) !== undefined)) return;
  const name = TIMES.find((candidate) => (entry[candidate] ?? undefined) !== undefined);
  const time = name === undefined ? undefined : instantOf(`${where}.${name}`, entry[name]);
  // The arrival never stands in for one entry of several.
  if (time === undefined || ('ts' in time && time.ts === undefined))
    findings.refuse(
      refusal(
        'schema_violation',
        where,
        `expected timestamp, an instant of its own, found ${shown(name === undefined ? undefined : entry[name])}`,
      ),
    );
  else if ('refusal' in time) findings.refuse(time.refusal);
  else measure(findings.at({ ...place, ts: time.ts }), entry, where, validity);
}

function instantOf(path: string, found: unknown): Instant {
  if (typeof found !== 'number') return readDateTime(path, found, undefined);
  return readEpoch(path, found, found < MILLISECONDS_FROM ? 1000 : 1);
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
    const { unit, remedy = REMEDY } = units.of(name, known.parameter, known.unit, 'follows');
    gathered.measure(path, found, known.parameter, unit, remedy, validity);
  }
}

function parameterAndUnit(
  name: string,
): { parameter: MeasuredParameter; unit: Unit | undefined } | undefined {
  const parameter = NAMES.get(name);
  // The whole name first: `pm2_5` has no unit in it.
  if (parameter !== undefined) return { parameter, unit: DEFAULT_UNITS[parameter] };
  for (const [ending, unit] of UNIT_ENDINGS) {
    const measured = name.endsWith(ending) ? NAMES.get(name.slice(0, -ending.length)) : undefined;
    if (measured !== undefined) return { parameter: measured, unit };
  }
  // Cayenne LPP and its kin end a name with its channel. One channel counts; a second of one parameter is refused by name.
  const channel = CHANNEL.exec(name);
  return channel === null ? undefined : parameterAndUnit(channel[1] ?? '');
}
