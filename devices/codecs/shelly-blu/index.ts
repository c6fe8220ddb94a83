import type { Codec, CodecInput, CodecResult } from '#libs/telemetry';
import { housingUnless } from '../order.js';
import { Gathered, readObject, refusal, refused, resultOf, sourceUnless } from '../reading.js';
import { ownTime } from '../stated-time.js';
import { StatedUnits } from '../stated-units.js';
import { unreadNumbers } from '../unread.js';

/** Members of the script with the unit of BTHome. */
const MEMBERS = [
  ['temperature', 'temperature', 'degC'],
  ['humidity', 'humidity', '%'],
] as const;

/**
 * Shelly BLU sensors, passed on by Shelly's own script `ble-shelly-blu-mqtt` on a Shelly of the second generation or later:
 * `shelly-blu/events/{sensor}`. The messages state no time: the arrival counts, unless somebody adds one.
 */
export const codec: Codec = { name: 'shelly-blu', version: 2, decode };

function decode({ payload, parts, topic }: CodecInput): CodecResult {
  const read = readObject(payload);
  if ('refusal' in read) return refused(read.refusal);
  const message = read.object;
  if (message['encryption'] === true)
    return refused(
      refusal(
        'unreadable',
        'encryption',
        'expected a sensor without encryption; switch it off in the Shelly app',
      ),
    );
  const time = ownTime(message, '') ?? { ts: undefined };
  if ('refusal' in time) return refused(time.refusal);
  const gathered = new Gathered();
  const units = new StatedUnits(message);
  for (const [name, parameter, unit] of MEMBERS) {
    const found = message[name];
    // The script makes a list of several sensors of one kind.
    if (Array.isArray(found))
      gathered.refuse(
        'schema_violation',
        name,
        `expected one sensor, found ${found.length}; which one counts is not stated`,
      );
    else {
      const stated = units.of(name, parameter, unit);
      gathered.measure(name, found, parameter, stated.unit, stated.remedy);
    }
  }
  const name = message['address'] ?? topic.split('/').at(-1);
  const { source } = sourceUnless(parts, name);
  const { housing } = housingUnless(parts, name);
  return resultOf(
    gathered.telemetry(time.ts, source, housing),
    gathered.refusals,
    'no value of the air in the message',
    gathered.rest(unreadNumbers(message)),
  );
}
