import { isObject } from '#libs/kernel';
import type { Codec } from '#libs/telemetry';
import { Gathered, readObject, refused, resultOf, type Members, type Validity } from '../reading.js';
import { DEAD } from '../sentinels.js';
import { ownTime } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { contradiction } from '../two-sensors.js';
import { unreadNumbers } from '../unread.js';

/** Each member with its parameter and unit. Older firmware sends -1, or less, in place of a missing one. */
const MEMBERS = [
  // PM2.5 in spite of its name; pm02Compensated is an estimate made of it and of the humidity.
  ['pm02', 'pm25', 'ug/m3'],
  ['pm10', 'pm10', 'ug/m3'],
  ['atmp', 'temperature', 'degC'],
  ['rhum', 'humidity', '%'],
] as const;

/** AirGradient ONE and Open Air: `airgradient/readings/{serial}` and the local `/measures/current`. */
export const codec: Codec = {
  name: 'airgradient',
  version: 2,
  decode({ payload }) {
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    // The firmware states no time: the arrival counts. A bridge may add one.
    const time = ownTime(read.object, '') ?? { ts: undefined };
    if ('refusal' in time) return refused(time.refusal);
    const gathered = new Gathered();
    const units = new StatedUnits(read.object);
    const lasers = lasersOf(read.object);
    for (const [name, parameter, unit] of MEMBERS) {
      const found = read.object[name];
      // There is no mass and no humidity below zero; a correction may have moved the -1.
      const isDead = parameter !== 'temperature' && typeof found === 'number' && found < 0;
      const stated = units.of(name, parameter, unit);
      const validity = isDead ? { bad: DEAD } : parameter.startsWith('pm') ? lasers : {};
      gathered.measure(name, found, parameter, stated.unit, stated.remedy, validity);
    }
    return resultOf(
      gathered.telemetry(time.ts),
      gathered.refusals,
      'no value of the air in the message, as after a start of the device',
      gathered.rest(unreadNumbers(read.object, '', /^led/)),
    );
  },
};

/** An Open Air O-1PP has two sensors, whose mean the values are; what each of them says stands in `channels`. */
function lasersOf({ channels }: Members): Validity {
  if (!isObject(channels)) return {};
  const stated = Object.entries(channels).flatMap(([name, channel]) =>
    isObject(channel) ? [[`channels.${name}.pm02`, channel['pm02']] as const] : [],
  );
  const [a, b] = stated;
  const suspect = a === undefined || b === undefined ? undefined : contradiction(a, b);
  return suspect === undefined ? {} : { suspect };
}
