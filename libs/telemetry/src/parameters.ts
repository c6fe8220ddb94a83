/** What Pantau measures. Concentrations are mass per volume at 25 °C and 1 atm. */
export const PARAMETERS = {
  pm25: {
    unit: 'ug/m3',
    symbol: 'PM2.5',
    name: 'Partikulat ≤ 2,5 µm',
    nameEn: 'Particulate matter ≤ 2.5 µm',
  },
  pm10: { unit: 'ug/m3', symbol: 'PM10', name: 'Partikulat ≤ 10 µm', nameEn: 'Particulate matter ≤ 10 µm' },
  so2: { unit: 'ug/m3', symbol: 'SO2', name: 'Sulfur dioksida', nameEn: 'Sulphur dioxide' },
  no2: { unit: 'ug/m3', symbol: 'NO2', name: 'Nitrogen dioksida', nameEn: 'Nitrogen dioxide' },
  co: { unit: 'ug/m3', symbol: 'CO', name: 'Karbon monoksida', nameEn: 'Carbon monoxide' },
  o3: { unit: 'ug/m3', symbol: 'O3', name: 'Ozon', nameEn: 'Ozone' },
  hc: { unit: 'ug/m3', symbol: 'HC', name: 'Hidrokarbon', nameEn: 'Hydrocarbons' },
  temperature: { unit: 'degC', symbol: 'T', name: 'Suhu udara', nameEn: 'Air temperature' },
  humidity: { unit: '%', symbol: 'RH', name: 'Kelembapan relatif', nameEn: 'Relative humidity' },
  /** Computed beside the raw series of devices for which it is turned on; never taken from a device. */
  pm25_corrected: {
    unit: 'ug/m3',
    symbol: 'PM2.5 (RH)',
    name: 'PM2,5 terkoreksi kelembapan',
    nameEn: 'PM2.5 corrected for humidity',
    derived: true,
  },
} as const satisfies Readonly<Record<string, ParameterInfo>>;

export interface ParameterInfo {
  /** The one unit in which values of this parameter travel and are stored. */
  readonly unit: 'ug/m3' | 'degC' | '%';
  readonly symbol: string;
  /** Indonesian name. */
  readonly name: string;
  /** English name. */
  readonly nameEn: string;
  /** Pantau computes it; a device cannot state it. */
  readonly derived?: true;
}

export type Parameter = keyof typeof PARAMETERS;

/** Units as people read them; `unit` is the code of programs. */
export const WRITTEN_UNITS: Readonly<Record<ParameterInfo['unit'], string>> = {
  'ug/m3': 'µg/m³',
  degC: '°C',
  '%': '%',
};

const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉';

/** Symbols as people read them: `SO₂`, and `PM2.5`, whose figure is no count of atoms. */
export const WRITTEN_SYMBOLS = Object.fromEntries(
  Object.entries(PARAMETERS).map(([code, { symbol }]) => [
    code,
    symbol.startsWith('PM')
      ? symbol
      : symbol.replaceAll(/\d/g, (digit) => SUBSCRIPTS[Number(digit)] ?? digit),
  ]),
) as Readonly<Record<Parameter, string>>;

/** A parameter that devices measure. */
export type MeasuredParameter = Exclude<Parameter, 'pm25_corrected'>;

/** Every series that Pantau keeps. Their places are stored: a new one goes behind the others. */
export const PARAMETER_CODES = Object.keys(PARAMETERS) as readonly Parameter[];

/** What a device may state. Their places are stored: a new one goes behind the others. */
export const MEASURED_CODES: readonly MeasuredParameter[] = PARAMETER_CODES.filter(isParameter);

/** Whether there are series of this parameter: measured by devices, or derived by Pantau. */
export function isKept(code: string): code is Parameter {
  return Object.hasOwn(PARAMETERS, code);
}

/** Whether a device may state this parameter. */
export function isParameter(code: string): code is MeasuredParameter {
  return isKept(code) && !('derived' in PARAMETERS[code]);
}
