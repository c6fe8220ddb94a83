import { type UtcMillis, isObject } from '#libs/kernel';
import type { Codec, CodecTelemetry, MeasuredParameter, Refusal, Unit } from '#libs/telemetry';
import {
  Gathered,
  ignored,
  readObject,
  refused,
  resultOf,
  shown,
  statusOfWord,
  type Members,
} from '../reading.js';
import { readDateTime } from '../reading-time.js';
import { timeUnder } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/** Members of a sensor's block. Most drivers write a point, the SPS30's an underscore; CF2.5 and CF10 are not for ambient air. */
const PARTICLES: readonly (readonly [string, MeasuredParameter])[] = [
  ['PM2.5', 'pm25'],
  ['PM2_5', 'pm25'],
  ['PM10', 'pm10'],
];

const TEMPERATURE_UNITS = new Map<unknown, Unit>([
  ['C', 'degC'],
  ['F', 'degF'],
]);

/** hPa in one unit; the conventional millimetre and inch of mercury (ISO 80000-4, NIST SP 811). */
const PRESSURE_UNITS = new Map<unknown, number>([
  ['hPa', 1],
  ['mmHg', 1.333224],
  ['inHg', 33.86389],
]);

/** The block of the chip itself, which is far warmer than the air. */
const CHIP = 'ESP32';
/**
 * A block of a sensor of its own, heard by a gateway over Bluetooth: it ends with an address, which after the name of a
 * known kind needs no hyphen.
 */
const DEVICE =
  /(?:-|^(?:ATC|PVVX|LYWSD\w*?|MJ_?HT\w*?|CG[A-Z]+\d|MHO-?C\d{3}|FLORA|MJWSD\w*?)[-_]?)(?:[0-9A-F]{6}|[0-9A-F]{12})$/i;
/** What a Zigbee gateway hears: objects by the address of their device. */
const ZIGBEE = 'ZbReceived';

/** Tasmota: `tele/{device}/SENSOR` and `LWT`; its other telemetry holds nothing of the air. */
export const codec: Codec = {
  name: 'tasmota',
  version: 2,
  decode({ topic, payload, utcOffsetMs }) {
    const text = new TextDecoder().decode(payload).trim();
    // Offline is the will; the word of either can be set at the device.
    if (text === 'Online' || text === 'Offline' || topic.endsWith('/LWT'))
      return statusOfWord('LWT', text, { Online: 'online', Offline: 'offline' });
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    const message = read.object;
    const refusals: Refusal[] = [];
    const seen = new Set<string>();
    const bySource = new Map<string | undefined, Gathered>();
    for (const { sensor, source, block } of blocksOf(message)) {
      const gathered = bySource.get(source) ?? new Gathered('number', refusals, seen);
      bySource.set(source, gathered);
      gather(gathered, sensor, block, message);
    }
    const outputs = (ts?: UtcMillis): CodecTelemetry[] =>
      [...bySource].flatMap(([source, gathered]) => gathered.telemetry(ts, source));
    const nothing = 'no sensor of the air in the message';
    const isSensor = topic === '' || topic.endsWith('/SENSOR');
    const unread = new Gathered('number', refusals, seen).rest(
      unreadNumbers(message, '', isSensor && !Object.hasOwn(message, 'Uptime') ? /^ESP32$/ : OF_THE_DEVICE),
    );
    // STATE, INFO and RESULT are not there for what is measured: a number that is not known there is no fault.
    if (!isSensor && outputs().length === 0 && refusals.length === 0) return ignored(nothing, unread);
    // STATE and INFO carry a time too; where nothing was measured it need not be right.
    if (outputs().length === 0) return resultOf([], refusals, nothing, unread);
    // Local and without a zone, unless SetOption52 adds the offset.
    const time = timeUnder('Time', message, '', (path, found) => readDateTime(path, found, utcOffsetMs));
    if ('refusal' in time) return refused(time.refusal, ...refusals);
    return resultOf(outputs(time.ts), refusals, nothing, unread);
  },
};

/** Numbers of the device itself, of its network and of what it switches. */
const OF_THE_DEVICE =
  /^(?:ESP32|Heap|Sleep|LoadAvg|MqttCount|Wifi|Eth|Berry|Info\d|Command|Dimmer|CT|HSBColor|Color|White|Channel\d*|Scheme|Fade|Speed|LedTable|Width\d*|POWER\d*|Timers?\d*|Psr\w*|ZbPermitJoin|PulseTime\d*|FanSpeed|TelePeriod|SetOption\d+|Backlog)/;

interface Block {
  readonly sensor: string;
  /** Set for a sensor that is no part of the housing. */
  readonly source?: string;
  readonly block: Members;
}

function blocksOf(message: Members): readonly Block[] {
  return Object.entries(message).flatMap(([sensor, block]): readonly Block[] => {
    if (!isObject(block) || sensor === CHIP) return [];
    if (sensor !== ZIGBEE)
      return [{ sensor, block, ...(DEVICE.test(sensor) ? { source: sensor.slice(0, 200) } : {}) }];
    return Object.entries(block).flatMap(([address, heard]) => {
      if (!isObject(heard)) return [];
      const name = typeof heard['Name'] === 'string' && heard['Name'] !== '' ? heard['Name'] : address;
      return [{ sensor: `${ZIGBEE}.${address}`, source: name.slice(0, 200), block: heard }];
    });
  });
}

function gather(gathered: Gathered, sensor: string, block: Members, message: Members): void {
  const units = new StatedUnits(block);
  const measure = (name: string, parameter: MeasuredParameter, documented: Unit): void => {
    const { unit, remedy } = units.of(name, parameter, documented);
    gathered.measure(`${sensor}.${name}`, block[name], parameter, unit, remedy, { sensor });
  };
  for (const [name, parameter] of PARTICLES) measure(name, parameter, 'ug/m3');
  const temperature = block['Temperature'];
  if (temperature !== undefined) {
    const stated = message['TempUnit'];
    const unit = TEMPERATURE_UNITS.get(stated);
    const path = `${sensor}.Temperature`;
    if (unit !== undefined) measure('Temperature', 'temperature', unit);
    else gathered.refuse('unknown_unit', path, `expected TempUnit C or F, found ${shown(stated)}`);
  }
  measure('Humidity', 'humidity', '%');
  const pressure = block['Pressure'];
  if (pressure === undefined) return;
  const stated = message['PressureUnit'];
  const hpa = PRESSURE_UNITS.get(stated);
  const path = `${sensor}.Pressure`;
  if (hpa !== undefined) gathered.pressure(path, pressure, hpa);
  else
    gathered.refuse('unknown_unit', path, `expected PressureUnit hPa, mmHg or inHg, found ${shown(stated)}`);
}
