import type { Codec, MeasuredParameter, Unit } from '#libs/telemetry';
import { unreadNumbers } from '../unread.js';
import { Gathered, ignored, refusal, refused, shown, statusOfWord } from '../reading.js';

/**
 * Object ids that are read, each with the unit that ESPHome gives such a sensor when the configuration sets none: a
 * bare number cannot state its unit, so only names that leave no doubt are here.
 */
const NAMES = new Map<string, readonly [MeasuredParameter, Unit]>([
  ['pm25', ['pm25', 'ug/m3']],
  ['pm2_5', ['pm25', 'ug/m3']],
  ['pm_2_5', ['pm25', 'ug/m3']],
  ['pm10', ['pm10', 'ug/m3']],
  ['pm_10', ['pm10', 'ug/m3']],
  ['pm_10_0', ['pm10', 'ug/m3']],
  ['temperature', ['temperature', 'degC']],
  ['humidity', ['humidity', '%']],
]);

/** Object ids that a healthy device publishes beside them and that are no parameters. */
const NO_PARAMETERS = new Set(['pressure', 'co2', 'pm_1_0', 'pm1_0', 'pm_4_0', 'uptime', 'wifi_signal']);

const SENSOR_TOPIC = /\/sensor\/([^/]+)\/state$/;

/** ESPHome: one bare number on `{prefix}/sensor/{parameter}/state`, and `{prefix}/status`. */
export const codec: Codec = {
  name: 'esphome',
  version: 2,
  decode({ topic, parts, payload }) {
    const text = new TextDecoder().decode(payload).trim();
    if (topic.endsWith('/status')) {
      return statusOfWord('status', text, { online: 'online', offline: 'offline' });
    }
    const named = Object.hasOwn(parts, 'parameter') ? parts['parameter'] : undefined;
    const name = (named ?? SENSOR_TOPIC.exec(topic)?.[1])?.toLowerCase();
    if (name === undefined) {
      return refused(
        refusal('unreadable', 'topic', `expected {prefix}/sensor/{parameter}/state, found ${shown(topic)}`),
      );
    }
    if (NO_PARAMETERS.has(name)) return ignored(`${name} is no parameter`, unreadNumbers({ [name]: text }));
    const known = NAMES.get(name);
    if (known === undefined) {
      return refused(
        refusal(
          'unknown_parameter',
          name,
          `expected one of ${[...NAMES.keys()].join(', ')}; rename the sensor or leave it out of the mapping`,
        ),
      );
    }
    // With publish_nan_as_none a sensor without a value says None, otherwise nan.
    if (text === 'None') {
      return refused(refusal('not_finite', name, 'expected a finite number, found None: no value yet'));
    }
    const gathered = new Gathered('text');
    // Each object id is a sensor: a device may have a `pm25` and a `pm_2_5`.
    gathered.measure(name, text, ...known, undefined, { sensor: name });
    return { outputs: gathered.telemetry(undefined), refusals: gathered.refusals };
  },
};
