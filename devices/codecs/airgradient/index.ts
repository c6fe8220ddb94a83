import type { Codec } from '#libs/telemetry';
import { Gathered, readObject, refused, resultOf } from '../reading.js';

/** Each member with its parameter, unit and the values that older firmware sends in place of a missing one. */
const MEMBERS = [
  // PM2.5 in spite of its name; pm02Compensated is an estimate made of it and of the humidity.
  ['pm02', 'pm25', 'ug/m3', [-1]],
  ['pm10', 'pm10', 'ug/m3', [-1]],
  ['atmp', 'temperature', 'degC', [-1000, -1001]],
  ['rhum', 'humidity', '%', [-1]],
] as const;

/** AirGradient ONE and Open Air: `airgradient/readings/{serial}` and the local `/measures/current`. */
export const codec: Codec = {
  name: 'airgradient',
  decode({ payload }) {
    const read = readObject(payload);
    if ('refusal' in read) return refused(read.refusal);
    const gathered = new Gathered();
    for (const [name, parameter, unit, sentinels] of MEMBERS) {
      const found = read.object[name];
      if (sentinels.some((sentinel) => sentinel === found)) {
        gathered.refuse(
          'not_finite',
          name,
          `expected a measured value, found ${String(found)}, which stands for a sensor that does not answer; check its cable`,
        );
      } else gathered.measure(name, found, parameter, unit);
    }
    // The payload states no time: the arrival counts.
    return resultOf(
      gathered.telemetry(undefined),
      gathered.refusals,
      'no value of the air in the message, as after a start of the device',
    );
  },
};
