import type { UtcMillis } from '#libs/kernel';
import type { Codec, CodecTelemetry, MeasuredParameter, Refusal, Unit } from '#libs/telemetry';
import {
  Gathered,
  isObject,
  readDateTime,
  readObject,
  refused,
  resultOf,
  shown,
  statusOfWord,
  type Members,
} from '../reading.js';
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
/** A thermistor, usually on the board: it counts where no other sensor states the quantity. */
const ANALOG = /^ANALOG\d*$/;
/** The end of an address: a block of a sensor of its own, heard by a gateway over Bluetooth. */
const DEVICE = /-[0-9A-F]{6}$/i;

/** Tasmota: `tele/{device}/SENSOR` and `LWT`; its other telemetry holds nothing of the air. */
export const codec: Codec = {
  name: 'tasmota',
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
    for (const [sensor, block] of blocksOf(message)) {
      const source = DEVICE.test(sensor) ? sensor.slice(0, 200) : undefined;
      const gathered = bySource.get(source) ?? new Gathered('number', refusals, seen);
      bySource.set(source, gathered);
      gather(gathered, sensor, block, message);
    }
    const outputs = (ts?: UtcMillis): CodecTelemetry[] =>
      [...bySource].flatMap(([source, gathered]) => gathered.telemetry(ts, source));
    const nothing = 'no sensor of the air in the message';
    const unread = new Gathered('number', refusals, seen).rest(unreadIn(message, topic));
    // STATE and INFO carry a time too; where nothing was measured it need not be right.
    if (outputs().length === 0) return resultOf([], refusals, nothing, unread);
    // Local and without a zone, unless SetOption52 adds the offset.
    const time = readDateTime('Time', message['Time'], utcOffsetMs);
    if ('refusal' in time) return refused(time.refusal, ...refusals);
    return resultOf(outputs(time.ts), refusals, nothing, unread);
  },
};

/**
 * STATE, INFO and RESULT hold numbers of the device itself and are healthy; SENSOR is there for what was measured.
 */
function unreadIn(message: Members, topic: string): readonly string[] {
  const isSensor = topic === '' || topic.endsWith('/SENSOR');
  return isSensor && !Object.hasOwn(message, 'Uptime') ? unreadNumbers(message, '', /^ESP32$/) : [];
}

/** The blocks of sensors, those on the board last: of several of one quantity the first counts, the others are refused. */
function blocksOf(message: Members): readonly (readonly [string, Members])[] {
  const blocks = Object.entries(message).filter(
    (entry): entry is [string, Members] => isObject(entry[1]) && entry[0] !== CHIP,
  );
  const isOnBoard = ([sensor]: readonly [string, Members]): boolean => ANALOG.test(sensor);
  return [...blocks.filter((block) => !isOnBoard(block)), ...blocks.filter(isOnBoard)];
}

function gather(gathered: Gathered, sensor: string, block: Members, message: Members): void {
  const units = new StatedUnits(block);
  const measure = (name: string, parameter: MeasuredParameter, documented: Unit): void => {
    const { unit, remedy } = units.of(name, parameter, documented);
    gathered.measure(`${sensor}.${name}`, block[name], parameter, unit, remedy);
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
