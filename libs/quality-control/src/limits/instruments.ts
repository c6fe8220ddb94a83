import type { MeasuredParameter } from '#libs/telemetry';

/** What a sensor can measure at all, in the units of the parameters; ends included. */
type MeasuringRange = Readonly<Partial<Record<MeasuredParameter, readonly [low: number, high: number]>>>;

const FULL_HUMIDITY = [0, 100] as const;

/** Measuring ranges by sensor model, from the makers' data sheets. Beyond is no measurement. */
export const INSTRUMENTS = {
  /** Nova Fitness, Laser PM2.5 Sensor specification SDS011 V1.3: 0.0 to 999.9 µg/m³; its PM10 output ends at 1999.9. */
  sds011: { pm25: [0, 999.9], pm10: [0, 1_999.9] },
  /** Sensirion, data sheet SPS30: mass concentration 0 to 1000 µg/m³. */
  sps30: { pm25: [0, 1_000], pm10: [0, 1_000] },
  /** Sensirion, data sheet SEN5x: mass concentration 0 to 1000 µg/m³, -10 to 60 °C, 0 to 100 %. */
  sen5x: { pm25: [0, 1_000], pm10: [0, 1_000], temperature: [-10, 60], humidity: FULL_HUMIDITY },
  /** Aosong, data sheet AM2302/DHT22. */
  dht22: { temperature: [-40, 80], humidity: FULL_HUMIDITY },
  /** Bosch Sensortec, data sheet BME280. */
  bme280: { temperature: [-40, 85], humidity: FULL_HUMIDITY },
} as const satisfies Readonly<Record<string, MeasuringRange>>;
export type Instrument = keyof typeof INSTRUMENTS;

export const INSTRUMENT_NAMES = Object.keys(INSTRUMENTS) as readonly Instrument[];

/** The measuring range of an instrument. */
export function measuringRange(instrument: Instrument): MeasuringRange {
  return INSTRUMENTS[instrument];
}
