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
} as const satisfies Readonly<Record<string, ParameterInfo>>;

export interface ParameterInfo {
  /** The one unit in which values of this parameter travel and are stored. */
  readonly unit: 'ug/m3' | 'degC' | '%';
  readonly symbol: string;
  /** Indonesian name. */
  readonly name: string;
  /** English name. */
  readonly nameEn: string;
}

export type Parameter = keyof typeof PARAMETERS;

export const PARAMETER_CODES = Object.keys(PARAMETERS) as readonly Parameter[];

export function isParameter(code: string): code is Parameter {
  return Object.hasOwn(PARAMETERS, code);
}
