import type { MeasuredParameter } from '#libs/telemetry';

/**
 * Molar masses, g/mol. Hydrocarbons are a mixture and have no single one, so HC in ppb cannot be converted.
 *
 * Source: those that the US EPA and U4SSC use for the same conversion (docs/quality-control.md).
 */
const MOLAR_MASS: Readonly<Partial<Record<MeasuredParameter, number>>> = {
  no2: 46.01,
  so2: 64.07,
  o3: 48,
  co: 28.01,
};

/**
 * Litres that a mole of gas fills at 25 °C and 1 atm. The customary rounding (24.465 to four digits), kept because
 * regulators convert with it: a figure of ours must not differ from theirs in the third digit.
 */
const MOLAR_VOLUME = 24.45;
const REFERENCE_KELVIN = 298.15;
const REFERENCE_HPA = 1013.25;
const ZERO_CELSIUS = 273.15;

/** Air in which anybody lives. A sensor that states anything else is broken and must not bend the gases beside it. */
const POSSIBLE_CELSIUS = [-60, 60] as const;
const POSSIBLE_HPA = [300, 1100] as const;

/** The air in which a gas was measured. */
export interface GasConditions {
  /** Air temperature, °C; 25 when missing or impossible. */
  readonly temperatureC?: number | undefined;
  /** Air pressure at the sensor, not reduced to sea level, hPa; 1013.25 when missing or impossible. */
  readonly pressureHpa?: number | undefined;
}

/**
 * Converts a value to the unit of its parameter: µg/m³, °C or %.
 *
 * Gases in ppb or ppm: `µg/m³ = ppb × M / V`, with `V` = 24.45 L/mol at 25 °C and 1 atm, the reference state of
 * PP 22/2021 Lampiran VII. With `conditions`, `V = 24.45 × (T + 273.15) / 298.15 × 1013.25 / p` (ideal gas): the result
 * is then mass per volume of the air *as it was*, which is not what limits in µg/m³ at 25 °C refer to. Leave
 * `conditions` out for figures that are compared with a standard or with ISPU.
 *
 * @param unit - one of `ug/m3`, `mg/m3`, `ppb`, `ppm`, `degC`, `degF`, `K`, `%`, `fraction`
 * @returns undefined when the unit does not fit the parameter (or is none of these): the value must be refused, since any
 *   number would be a guess. A value that is not finite stays so.
 */
export function toParameterUnit(
  parameter: MeasuredParameter,
  value: number,
  unit: string,
  conditions: GasConditions = {},
): number | undefined {
  if (parameter === 'temperature') return toCelsius(value, unit);
  if (parameter === 'humidity') return toPercent(value, unit);
  switch (unit) {
    case 'ug/m3':
      return value;
    case 'mg/m3':
      return value * 1_000;
    case 'ppb':
      return fromPpb(parameter, value, conditions);
    case 'ppm':
      return fromPpb(parameter, value * 1_000, conditions);
    default:
      return undefined;
  }
}

function toCelsius(value: number, unit: string): number | undefined {
  switch (unit) {
    case 'degC':
      return value;
    case 'degF':
      return ((value - 32) * 5) / 9;
    case 'K':
      return value - ZERO_CELSIUS;
    default:
      return undefined;
  }
}

function toPercent(value: number, unit: string): number | undefined {
  switch (unit) {
    case '%':
      return value;
    case 'fraction':
      return value * 100;
    default:
      return undefined;
  }
}

function fromPpb(parameter: MeasuredParameter, ppb: number, conditions: GasConditions): number | undefined {
  const molarMass = MOLAR_MASS[parameter];
  return molarMass === undefined ? undefined : (ppb * molarMass) / molarVolume(conditions);
}

function molarVolume({ temperatureC, pressureHpa }: GasConditions): number {
  const kelvin = isWithin(temperatureC, POSSIBLE_CELSIUS) ? temperatureC + ZERO_CELSIUS : REFERENCE_KELVIN;
  const hpa = isWithin(pressureHpa, POSSIBLE_HPA) ? pressureHpa : REFERENCE_HPA;
  return MOLAR_VOLUME * (kelvin / REFERENCE_KELVIN) * (REFERENCE_HPA / hpa);
}

function isWithin(value: number | undefined, [low, high]: readonly [number, number]): value is number {
  return value !== undefined && value >= low && value <= high;
}
