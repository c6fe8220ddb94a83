import type { AirSample } from '#simulators/air';
import { normal } from '#simulators/air';
import type { Random } from '#libs/kernel';

export type AirParameter = keyof AirSample;

/** How a kind of instrument sees the air. */
export interface SensorModel {
  readonly parameters: readonly AirParameter[];
  /** Standard deviation of the noise: a share of the value, and a floor in the parameter's unit. */
  readonly noise: (parameter: AirParameter) => { readonly share: number; readonly floor: number };
  /** Hygroscopicity of what an optical counter sees (Petters and Kreidenweis, 2007); 0 for one that dries its air. */
  readonly kappa: number;
  /** The largest value that it can state. */
  readonly ceiling: Readonly<Partial<Record<AirParameter, number>>>;
}

export const SENSOR_MODELS = {
  /** A station as the regulation asks for: heated inlet, beta gauge, gas analysers. */
  reference: {
    parameters: ['pm25', 'pm10', 'so2', 'no2', 'co', 'o3', 'temperature', 'humidity'],
    noise: (parameter) =>
      parameter === 'temperature' || parameter === 'humidity'
        ? { share: 0.002, floor: 0.05 }
        : { share: 0.02, floor: parameter === 'co' ? 20 : 0.5 },
    kappa: 0,
    ceiling: { pm25: 5_000, pm10: 10_000 },
  },
  /** An optical counter of 30 dollars with a humidity sensor beside it. Ceiling as the SDS011 states it. */
  'low-cost': {
    parameters: ['pm25', 'pm10', 'temperature', 'humidity'],
    noise: (parameter) =>
      parameter === 'temperature' || parameter === 'humidity'
        ? { share: 0.005, floor: 0.2 }
        : { share: 0.06, floor: 0.8 },
    kappa: 0.1,
    ceiling: { pm25: 999.9, pm10: 1999.9 },
  },
} as const satisfies Readonly<Record<string, SensorModel>>;

export type SensorModelName = keyof typeof SENSOR_MODELS;

/** Density of dry smoke, g/cm³: the growth factor is one of mass. */
const DRY_DENSITY = 1.65;
/** Above this humidity the growth law has no bound; real counters level off there. */
const MAX_HUMIDITY = 95;

/** What an instrument states of the true air: with its humidity bias, its noise, its ceiling and one decimal place. */
export function measure(
  { parameters, noise, kappa, ceiling }: SensorModel,
  air: AirSample,
  random: Random,
): Record<string, number> {
  const humidity = Math.min(MAX_HUMIDITY, air.humidity) / 100;
  const growth = 1 + kappa / DRY_DENSITY / (1 / humidity - 1);
  const values: Record<string, number> = {};
  for (const parameter of parameters) {
    const isParticle = parameter === 'pm25' || parameter === 'pm10';
    const { share, floor } = noise(parameter);
    const seen = air[parameter] * (isParticle ? growth : 1);
    const stated = seen + normal(random) * (share * Math.abs(seen) + floor);
    const least = parameter === 'temperature' ? -Infinity : 0;
    const most = parameter === 'humidity' ? 99.9 : (ceiling[parameter] ?? Infinity);
    values[parameter] = Math.round(10 * Math.min(most, Math.max(least, stated))) / 10;
  }
  return values;
}
