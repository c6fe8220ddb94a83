/** What is measured, as people write it. Symbols and units are the same in both languages; names are in the dictionary of the device page. */
export const PARAMETERS: Readonly<
  Record<string, { readonly symbol: string; readonly unit: string; readonly digits: number }>
> = {
  pm25: { symbol: 'PM2.5', unit: 'µg/m³', digits: 1 },
  pm10: { symbol: 'PM10', unit: 'µg/m³', digits: 1 },
  so2: { symbol: 'SO₂', unit: 'µg/m³', digits: 1 },
  no2: { symbol: 'NO₂', unit: 'µg/m³', digits: 1 },
  co: { symbol: 'CO', unit: 'µg/m³', digits: 0 },
  o3: { symbol: 'O₃', unit: 'µg/m³', digits: 1 },
  hc: { symbol: 'HC', unit: 'µg/m³', digits: 1 },
  temperature: { symbol: 'T', unit: '°C', digits: 1 },
  humidity: { symbol: 'RH', unit: '%', digits: 0 },
  pm25_corrected: { symbol: 'PM2.5 (RH)', unit: 'µg/m³', digits: 1 },
};

export const parameterOf = (code: string) => PARAMETERS[code] ?? { symbol: code, unit: '', digits: 2 };

/** Units as people read them, of what programs call them. */
export const UNITS: Readonly<Record<string, string>> = {
  'ug/m3': 'µg/m³',
  'mg/m3': 'mg/m³',
  degC: '°C',
  degF: '°F',
};

/** A unit of the API as people read it; what is written the same is not in the table. */
export const unitOf = (code: string): string => UNITS[code] ?? code;
