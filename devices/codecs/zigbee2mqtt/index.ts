import type { Codec, MeasuredParameter } from '#libs/telemetry';
import {
  Gathered,
  readObject,
  refused,
  resultOf,
  statusOfWord,
  type Members,
  type Validity,
} from '../reading.js';
import { readDateTime, readEpoch } from '../reading-time.js';
import { timeUnder } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/** Members with the unit that Zigbee2MQTT gives them for every device; gases differ by device and are not read. */
const MEMBERS = [
  ['pm25', 'pm25', 'ug/m3'],
  ['pm10', 'pm10', 'ug/m3'],
  ['temperature', 'temperature', 'degC'],
  ['humidity', 'humidity', '%'],
] as const;

/** After the name of a value: a further sensor of the device. */
const ENDPOINT = /^_(?:l?\d{1,2}|left|right|top|bottom|probe|external)$/;

/** Numbers of the device itself, and of a purifier's filter. */
const OF_THE_DEVICE = /^(?:device_|filter_|fan_|power_outage|brightness|color|position)/;

const STATE_TOPIC = /\/(?:availability|bridge\/state)$/;

/** Zigbee2MQTT: `zigbee2mqtt/{device}`, `zigbee2mqtt/{device}/availability` and `zigbee2mqtt/bridge/state`. */
export const codec: Codec = {
  name: 'zigbee2mqtt',
  version: 2,
  decode({ topic, payload }) {
    if (STATE_TOPIC.test(topic)) return availability(payload);
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    // `epoch` is milliseconds; ISO_8601 is UTC and ISO_8601_local has its offset, so no zone is ever missing.
    const time = timeUnder('last_seen', read.object, '', (path, lastSeen) =>
      typeof lastSeen === 'number' ? readEpoch(path, lastSeen, 1) : readDateTime(path, lastSeen, undefined),
    );
    if ('refusal' in time) return refused(time.refusal);
    const gathered = new Gathered();
    // Of some devices the value follows temperature_unit, of others the display alone: Fahrenheit is not to be told apart.
    const units = new StatedUnits(read.object);
    for (const [name, parameter, unit] of MEMBERS) {
      // Documented: null is a value that the device has not reported since Zigbee2MQTT started.
      const stated = units.of(name, parameter, unit);
      const validity = validityOf(read.object, parameter);
      gathered.measure(name, read.object[name] ?? undefined, parameter, stated.unit, stated.remedy, validity);
    }
    for (const [name, value] of Object.entries(read.object)) {
      const member = MEMBERS.find(([begin]) => name.startsWith(begin));
      if (member === undefined || !ENDPOINT.test(name.slice(member[0].length))) continue;
      const [, parameter, unit] = member;
      gathered.measure(name, value ?? undefined, parameter, unit, undefined, { sensor: name });
    }
    gathered.pressure('pressure', read.object['pressure'] ?? undefined, 1);
    return resultOf(
      gathered.telemetry(time.ts).map((telemetry) => ({ ...telemetry, repeats: true as const })),
      gathered.refusals,
      'no value of the air in the message',
      gathered.rest(unreadNumbers(read.object, '', OF_THE_DEVICE)),
    );
  },
};

/** Bare text up to version 1, `{"state":…}` since version 2. */
function availability(payload: Uint8Array): ReturnType<Codec['decode']> {
  const text = new TextDecoder().decode(payload).trim();
  const read = text.startsWith('{') ? readObject(payload) : { object: { state: text } };
  if ('refusal' in read) return refused(read.refusal);
  const words = { online: 'online', offline: 'offline' } as const;
  return statusOfWord('state', read.object['state'], words, unreadNumbers(read.object));
}

/** A fault of the device, or of a sensor: of all of them, or of the one that is named. */
const FAULT = /^(?:(temperature|humidity|pm25|pm10)_)?(sensor_)?(?:fault|error|failure|malfunction)$/;
const NO_FAULT: ReadonlySet<unknown> = new Set([
  false,
  0,
  null,
  '',
  'none',
  'no_fault',
  'ok',
  'normal',
  'no_fault_detected',
]);

/** What a device states of its faults; converters name it alike, and publish `reliability` beside it (Develco). */
function validityOf(members: Members, parameter: MeasuredParameter): Validity {
  let validity: Validity = {};
  for (const [name, stated] of Object.entries(members)) {
    const [whole, of, sensor] = FAULT.exec(name) ?? (name === 'reliability' ? [name] : []);
    if (whole === undefined || NO_FAULT.has(stated) || (of ?? parameter) !== parameter) continue;
    const words = `${name} ${typeof stated === 'string' ? stated.slice(0, 60) : JSON.stringify(stated).slice(0, 60)}`;
    if (sensor !== undefined) return { bad: `and the device states ${words}; check the sensor` };
    validity = { suspect: words };
  }
  return validity;
}
