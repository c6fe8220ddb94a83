import { type MeasuredParameter, type Unit } from '#libs/telemetry';
import type { Gathered, Members } from './reading.js';

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

const REMEDY = 'let the decoder at the server name it with its unit, such as no2_ppb or o3_ugm3';

/** Takes what the decoder at a LoRaWAN network server made of a frame. Members of other names are not Pantau's. */
export function measureDecoded(gathered: Gathered, decoded: Members, where: string): void {
  for (const [name, value] of Object.entries(decoded)) {
    const path = `${where}.${name}`;
    // Decoders write null for what the frame does not hold.
    const found = value ?? undefined;
    if (name.toLowerCase() === 'pressure_hpa') gathered.pressure(path, found, 1);
    const known = parameterAndUnit(name.toLowerCase());
    if (known !== undefined) gathered.measure(path, found, known.parameter, known.unit, REMEDY);
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
  return undefined;
}
