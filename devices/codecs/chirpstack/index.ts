import type { Codec, CodecEvent, CodecInput, CodecResult, Refusal } from '#libs/telemetry';
import { eventData } from '../event-data.js';
import { readDecoded } from '../lorawan.js';
import { housingUnless } from '../order.js';
import {
  ignored,
  isObject,
  readObject,
  refusal,
  refused,
  sourceUnless,
  type Members,
  type Place,
} from '../reading.js';
import { readDateTime } from '../reading-time.js';

/** Events of ChirpStack 4 that say nothing of the device's values or its condition. */
const ACCOMPANYING: ReadonlySet<string> = new Set(['ack', 'txack', 'location', 'integration']);

/**
 * ChirpStack 4, MQTT integration with JSON: `application/{application}/device/{device}/event/{event}`.
 *
 * Source: ChirpStack documentation, "Event types".
 */
export const codec: Codec = { name: 'chirpstack', decode };

function decode(input: CodecInput): CodecResult {
  const read = readObject(input.payload);
  if ('refusal' in read) return refused(read.refusal);
  const message = read.object;
  const event = input.parts['event'] ?? /\/event\/([^/]+)$/.exec(input.topic)?.[1];
  if (event !== undefined && ACCOMPANYING.has(event)) return ignored(`event ${event} is not kept`);
  const time = readDateTime('time', message['time'] ?? undefined, input.utcOffsetMs);
  if ('refusal' in time) return refused(time.refusal);
  const info = isObject(message['deviceInfo']) ? message['deviceInfo'] : {};
  const place = { ts: time.ts, ...sourceUnless(input.parts, info['devEui']) };
  switch (event) {
    case 'up':
      return uplink(message, { ...place, ...housingUnless(input.parts, info['devEui']) });
    case 'join':
      return { outputs: [{ kind: 'event', ...place, name: 'join' }], refusals: [] };
    case 'status':
      return deviceStatus(message, place);
    case 'log':
      return log(message, place);
    default:
      return refused(
        refusal('unreadable', 'topic', `expected …/event/{event}, found event ${event ?? 'none'}`),
      );
  }
}

function uplink(message: Members, place: Place): CodecResult {
  const { object, data } = message;
  if (object === undefined || object === null) {
    // Bytes alone are another format for every device type: the server holds its decoder, Pantau does not.
    return data === undefined || data === null || data === ''
      ? ignored('an uplink without application data')
      : refused(
          refusal(
            'unreadable',
            'object',
            'expected decoded values, found only the bytes in data; set the payload codec in the device profile at ChirpStack',
          ),
        );
  }
  if (!isObject(object))
    return refused(refusal('schema_violation', 'object', 'expected an object of decoded values'));
  return readDecoded(object, 'object', place);
}

function deviceStatus(message: Members, place: Place): CodecResult {
  const data = eventData(message, [
    'batteryLevel',
    'batteryLevelUnavailable',
    'externalPowerSource',
    'margin',
  ]);
  return Object.keys(data).length === 0
    ? ignored('a status without battery level or margin')
    : { outputs: [{ kind: 'event', ...place, name: 'device-status', data }], refusals: [] };
}

function log(message: Members, place: Place): CodecResult {
  // INFO is the value that the server may leave out.
  const level = message['level'] ?? 'INFO';
  if (level === 'INFO') return ignored('a log entry of level INFO');
  const data = eventData(message, ['level', 'code', 'description']);
  return { outputs: [{ kind: 'event', ...place, name: 'network-log', data }], refusals: lostUplink(data) };
}

/** An uplink that the server could not use is one that measured nothing. */
function lostUplink({ level, code, description }: NonNullable<CodecEvent['data']>): readonly Refusal[] {
  if (level !== 'ERROR' || typeof code !== 'string' || !code.startsWith('UPLINK_')) return [];
  const words = typeof description === 'string' ? description.slice(0, 150) : 'nothing more';
  return [
    refusal(
      'unreadable',
      code,
      `expected an uplink that ChirpStack can use, it says: ${words}; see the device at ChirpStack`,
    ),
  ];
}
