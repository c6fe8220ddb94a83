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
