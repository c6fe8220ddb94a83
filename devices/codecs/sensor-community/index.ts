import { isObject } from '#libs/kernel';
import type { Codec, MeasuredParameter, Unit } from '#libs/telemetry';
import { Findings, readNumber, readObject, refusal, refused, shown } from '../reading.js';
import { ownTime } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

const PM25 = ['pm25', 'ug/m3'] as const;
const PM10 = ['pm10', 'ug/m3'] as const;
const TEMPERATURE = ['temperature', 'degC'] as const;
const HUMIDITY = ['humidity', '%'] as const;

/**
 * The names of the airrohr firmware without the sensor's prefix. P1 is the larger fraction: particles up to 10 µm, and
 * P2 those up to 2.5 µm. P0 and P4 (PM1, PM4) are no parameters.
 */
const QUANTITIES = new Map<string, readonly [MeasuredParameter, Unit]>([
  ['P1', PM10],
  ['P2', PM25],
  ['temperature', TEMPERATURE],
  ['humidity', HUMIDITY],
]);

/** Whatever the sensor is called that stands before the quantity; a push for one sensor has no prefix. */
const NAME = /^(?:([A-Za-z0-9]+)_)?([A-Za-z0-9]+)$/;
/** A probe on a cable, which may be anywhere: it counts where it is chosen or mapped. */
const PROBE = 'DS18B20';
/** What the firmware says of itself and of its measuring. */
const COUNTERS = /^(?:samples|min_micro|max_micro|signal|interval|durP\d|ratioP\d|GPS_.*|.*_?pressure.*)$/;

const HPA_PER_PASCAL = 0.01;

/** Sensor.Community (luftdaten.info): what the airrohr firmware pushes over HTTP, and what bridges publish unchanged. */
export const codec: Codec = {
  name: 'sensor-community',
  version: 2,
  decode({ payload }) {
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    const list = read.object['sensordatavalues'];
    if (!Array.isArray(list)) {
      return refused(
        refusal('schema_violation', 'sensordatavalues', `expected a list, found ${shown(list)}`),
      );
    }
    // No time at all in this format: the arrival counts. A bridge may add one, to the message or to a value.
    const time = ownTime(read.object, '') ?? { ts: undefined };
    if ('refusal' in time) return refused(time.refusal);
    const findings = new Findings('text');
    const unread = unreadNumbers(read.object, '', /^(?:sensordatavalues|esp\w+)$/);
    const entries: readonly unknown[] = list;
    // The optical PPD42NS states P1 and P2 as particles per 0.01 ft³ and betrays itself by the time of its pulses.
    const countsParticles = entries.some((entry) => isObject(entry) && entry['value_type'] === 'durP1');
    entries.forEach((entry, i) => {
      const type = isObject(entry) ? entry['value_type'] : undefined;
      // An entry without its value is damaged, not absent: the firmware leaves out the whole entry.
      if (!isObject(entry) || typeof type !== 'string' || !Object.hasOwn(entry, 'value')) {
        findings.refuse(
          refusal(
            'schema_violation',
            `sensordatavalues.${i}`,
            'expected an object with value_type and value',
          ),
        );
        return;
      }
      const value = entry['value'];
      const own = ownTime(entry, `sensordatavalues.${i}`) ?? time;
      if ('refusal' in own) {
        findings.refuse(own.refusal);
        return;
      }
      const gathered = findings.at({ ts: own.ts });
      unread.push(...unreadNumbers(entry, `sensordatavalues[${i}]`, /^value(?:_type)?$/));
      const [, sensor, name] = NAME.exec(type) ?? [];
      if (name === 'pressure') gathered.pressure(type, value, HPA_PER_PASCAL);
      const quantity = name === undefined ? undefined : QUANTITIES.get(name);
      if (quantity === undefined) {
        if (!COUNTERS.test(type) && 'value' in readNumber(type, value, 'text')) unread.push(type);
        return;
      }
      if (countsParticles && (type === 'P1' || type === 'P2')) {
        gathered.refuse(
          'unknown_unit',
          type,
          'expected a mass in ug/m3, found the particle count of a PPD42NS; use a sensor that states mass',
        );
        return;
      }
      const [parameter, unit] = quantity;
      const stated = new StatedUnits(entry).of('value', parameter, unit);
      const of = { sensor, isSpare: sensor === PROBE };
      gathered.measure(type, value, parameter, stated.unit, stated.remedy, of);
    });
    return findings.result('no value of the air in the message', unread);
  },
};
