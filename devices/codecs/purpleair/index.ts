import type { Codec } from '#libs/telemetry';
import {
  Gathered,
  isObject,
  readDateTime,
  readEpoch,
  readObject,
  refusal,
  refused,
  resultOf,
  shown,
  type Instant,
  type Members,
} from '../reading.js';

/**
 * `atm` is the sensor's own value for outdoor air; `cf_1` is for indoor air and `alt` an estimate from counts. Over
 * the API the member without a suffix is the mean of channels A and B; at the sensor it is channel A.
 */
const API = [
  ['pm2.5_atm', 'pm25', 'ug/m3'],
  ['pm10.0_atm', 'pm10', 'ug/m3'],
  ['temperature', 'temperature', 'degF'],
  ['humidity', 'humidity', '%'],
] as const;
const LOCAL = [
  ['pm2_5_atm', 'pm25', 'ug/m3'],
  ['pm10_0_atm', 'pm10', 'ug/m3'],
  ['current_temp_f', 'temperature', 'degF'],
  ['current_humidity', 'humidity', '%'],
] as const;

/** PurpleAir: an answer of the HTTP API v1 (`/v1/sensors/{index}`), or of the sensor itself (`/json`). */
export const codec: Codec = {
  name: 'purpleair',
  decode({ payload }) {
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    const sensor = read.object['sensor'];
    if (isObject(sensor)) {
      // When the sensor reported, not when it was asked for: asking twice gives the same instant.
      return readings(sensor, 'sensor.', API, readEpoch('sensor.last_seen', sensor['last_seen'], 1000));
    }
    if (typeof read.object['SensorId'] === 'string') {
      const time = readDateTime('DateTime', read.object['DateTime'], undefined);
      return readings(read.object, '', LOCAL, time);
    }
    return refused(
      refusal(
        'schema_violation',
        'sensor',
        `expected the answer of /v1/sensors/{index} or of the sensor's /json, found ${shown(sensor)} and no SensorId`,
      ),
    );
  },
};

function readings(
  from: Members,
  prefix: string,
  table: typeof API | typeof LOCAL,
  time: Instant,
): ReturnType<Codec['decode']> {
  if ('refusal' in time) return refused(time.refusal);
  const gathered = new Gathered();
  for (const [name, parameter, unit] of table) {
    // Documented: null is a sensor that the device is not equipped with.
    gathered.measure(`${prefix}${name}`, from[name] ?? undefined, parameter, unit);
  }
  // Millibars, which are hectopascals.
  gathered.pressure(`${prefix}pressure`, from['pressure'] ?? undefined, 1);
  return resultOf(gathered.telemetry(time.ts), gathered.refusals, 'no value of the air in the message');
}
