import { isObject } from '#libs/kernel';
import { readNumber, type Members } from './reading.js';
import { saysTime } from './stated-time.js';

/**
 * Beginnings of names whose numbers say how a device is and nothing of the air it measures, of all makers; and pressure, which
 * is read beside other values alone.
 */
const HOUSEKEEPING =
  /^(?:bat|vbat|vcc|volt|current_|rssi|l?snr|signal|link_?quality|wifi|channel|uptime|boot|firmware|hardware|software|version|model|serial|f_?port|f_?cnt|count|seq|interval|time|ts$|pid|last_?(?:seen|updated)|lat|lon|alt|button|window|door|rotation|state|status|mode|work_?mode|error|update|bthome_version|id$|\w+_id$|(?:dev_?)?eui|mac|address|identif)|pressure/i;

export function isHousekeeping(name: string): boolean {
  return HOUSEKEEPING.test(name) || saysTime(name);
}

/**
 * The members that hold numbers, or texts of numbers, at any depth, housekeeping left out. A message of which none was read is no healthy one: it
 * is refused with these names. Payloads have a bounded depth.
 *
 * @param passedOver - further names of the maker that no value of the air has
 */
export function unreadNumbers(members: Members, where = '', passedOver?: RegExp): string[] {
  const names: string[] = [];
  for (const [name, value] of Object.entries(members)) {
    if (isHousekeeping(name) || passedOver?.test(name) === true) continue;
    // Not as the text `.0`, which a name such as `pm1.0` holds too.
    const path = Array.isArray(members) ? `${where}[${name}]` : where === '' ? name : `${where}.${name}`;
    if (isObject(value) || Array.isArray(value)) {
      names.push(...unreadNumbers(value as Members, path, passedOver));
    } else if ('value' in readNumber(path, value, Array.isArray(members) ? 'number' : 'text'))
      names.push(path);
  }
  return names;
}
