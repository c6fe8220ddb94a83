import { isObject } from '#libs/kernel';
import type { Codec } from '#libs/telemetry';
import {
  Gathered,
  readObject,
  refusal,
  refused,
  resultOf,
  shown,
  type Members,
  type Validity,
} from '../reading.js';
import { readDateTime, readEpoch, type Instant } from '../reading-time.js';
import { timeUnder } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { contradiction } from '../two-sensors.js';
import { unreadNumbers } from '../unread.js';

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

/** What an answer says of the device, its place, its owner and its two channels; `stats` are means of what is there. */
const OF_THE_DEVICE =
  /^(?:name|icon|private|location|altitude|position|led_|mem|pa_latency|date_|channel_|confidence|primary_|secondary_|stats$|analog_input|api_|data_|max_age|adc$|id$|loggingrate|place|period|http|hardware|key\d|latency|response|wl|ssid|geo$|status_|p25aqic)/i;

/** The two lasers of one device: its built-in check. */
const LASERS = [
  ['pm2.5_atm_a', 'pm2.5_atm_b'],
  ['pm10.0_atm_a', 'pm10.0_atm_b'],
  ['pm2_5_atm', 'pm2_5_atm_b'],
  ['pm10_0_atm', 'pm10_0_atm_b'],
] as const;

/** Below this the channels bear each other out badly; PurpleAir documents what it is, and no limit: this one is ours. */
const CONFIDENT_FROM = 50;

/** PurpleAir's documentation of `channel_flags`. */
const CHANNEL_FLAGS = new Map<unknown, Validity>([
  [0, {}],
  [1, { suspect: 'channel_flags 1: channel A is downgraded' }],
  [2, { suspect: 'channel_flags 2: channel B is downgraded' }],
  [3, { bad: 'and channel_flags 3: both channels are downgraded; clean or replace the lasers' }],
]);

/** PurpleAir: an answer of the HTTP API v1 (`/v1/sensors/{index}`), or of the sensor itself (`/json`). */
export const codec: Codec = {
  name: 'purpleair',
  version: 2,
  decode({ payload }) {
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    const sensor = read.object['sensor'];
    if (isObject(sensor)) {
      // When the sensor reported, not when it was asked for: asking twice gives the same instant.
      const time = timeUnder('last_seen', sensor, 'sensor', (path, found) => readEpoch(path, found, 1000));
      return readings(
        sensor,
        'sensor.',
        API,
        time,
        unreadNumbers({ ...read.object, sensor: null }, '', OF_THE_DEVICE),
      );
    }
    if (typeof read.object['SensorId'] === 'string') {
      const time = timeUnder('DateTime', read.object, '', (path, found) =>
        readDateTime(path, found, undefined),
      );
      return readings(read.object, '', LOCAL, time, []);
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
  beside: readonly string[],
): ReturnType<Codec['decode']> {
  if ('refusal' in time) return refused(time.refusal);
  const gathered = new Gathered();
  const particles = validityOf(from);
  const units = new StatedUnits(from);
  for (const [name, parameter, unit] of table) {
    // Documented: null is a sensor that the device is not equipped with.
    const validity = unit === 'ug/m3' ? particles : {};
    const stated = units.of(name, parameter, unit);
    const found = from[name] ?? undefined;
    gathered.measure(`${prefix}${name}`, found, parameter, stated.unit, stated.remedy, validity);
  }
  // Millibars, which are hectopascals.
  gathered.pressure(`${prefix}pressure`, from['pressure'] ?? undefined, 1);
  const lasers = new Set<string>(LASERS.flat().map((name) => `${prefix}${name}`));
  const unread = gathered
    .rest(unreadNumbers(from, prefix.slice(0, -1), OF_THE_DEVICE))
    .filter((name) => !lasers.has(name));
  const nothing = 'no value of the air in the message';
  return resultOf(gathered.telemetry(time.ts), gathered.refusals, nothing, unread, beside);
}

/** What the device says of its particles; what it states of its channels and is not understood is a doubt. */
function validityOf(from: Members): Validity {
  const { channel_state: state, channel_flags: flags = 0 } = from;
  if (state === 0) return { bad: 'and channel_state 0: it has no laser' };
  const stated = CHANNEL_FLAGS.get(flags ?? 0) ?? { suspect: `channel_flags ${shown(flags)}` };
  if (stated.bad !== undefined || stated.suspect !== undefined) return stated;
  const confidence = from['confidence'] ?? CONFIDENT_FROM;
  if (typeof confidence !== 'number') return { suspect: `confidence ${shown(confidence)}` };
  if (confidence < CONFIDENT_FROM) return { suspect: `confidence ${confidence} %: the channels differ` };
  for (const [nameA, nameB] of LASERS) {
    // Over the API the caller chooses the fields, and some models have one laser: absent says nothing there.
    const isStated = Object.hasOwn(from, nameA) && Object.hasOwn(from, nameB);
    if (!isStated && !(nameA === 'pm2_5_atm' && hasTwoLasers(from))) continue;
    const suspect = contradiction([nameA, from[nameA]], [nameB, from[nameB]]);
    if (suspect !== undefined) return { suspect };
  }
  return {};
}

/** What the sensor itself found when it started, such as `2.0+BME280+PMSX003-B+PMSX003-A`. */
function hasTwoLasers({ hardwarediscovered: found }: Members): boolean {
  return typeof found === 'string' && /PMS\w*-A/.test(found) && /PMS\w*-B/.test(found);
}
