import { isObject } from '#libs/kernel';
import type { Codec, CodecEvent, CodecInput, CodecResult, Refusal } from '#libs/telemetry';
import { eventData } from '../event-data.js';
import { readDecoded } from '../lorawan.js';
import { housingUnless } from '../order.js';
import {
  ignored,
  readObject,
  refusal,
  refused,
  resultOf,
  sourceUnless,
  type Members,
  type Place,
} from '../reading.js';
import { readDateTime } from '../reading-time.js';
import { timeUnder } from '../stated-time.js';
import { unreadNumbers } from '../unread.js';

/** Events of ChirpStack 4 that say nothing of the device's values or its condition. */
const ACCOMPANYING: ReadonlySet<string> = new Set(['ack', 'txack', 'location', 'integration']);

/** What the server says of the transmission; the values of the device stand in `object`. */
const OF_THE_NETWORK =
  /^(?:deduplicationId|time|deviceInfo|devAddr|adr|dr|confirmed|data|rxInfo|txInfo|relay\w*|regionConfigId|joinServerContext|downlinkId|queueItemId|gatewayId|acknowledged|location|margin|externalPowerSource|level|code|description|context)$/;

/**
 * ChirpStack 4, MQTT integration with JSON: `application/{application}/device/{device}/event/{event}`.
 *
 * Source: ChirpStack documentation, "Event types".
 */
export const codec: Codec = { name: 'chirpstack', version: 2, decode };

function decode(input: CodecInput): CodecResult {
  const read = readObject(input.payload);
  if ('refusal' in read) return refused(read.refusal);
  const message = read.object;
  const event = input.parts['event'] ?? /\/event\/([^/]+)$/.exec(input.topic)?.[1];
  const isUp = event === 'up';
  const beside = unreadNumbers(isUp ? { ...message, object: null } : message, '', OF_THE_NETWORK);
  if (event !== undefined && ACCOMPANYING.has(event)) return ignored(`event ${event} is not kept`, beside);
  const time = timeUnder('time', message, '', (path, found) => readDateTime(path, found, input.utcOffsetMs));
  if ('refusal' in time) return refused(time.refusal);
  const info = isObject(message['deviceInfo']) ? message['deviceInfo'] : {};
  const place = { ts: time.ts, ...sourceUnless(input.parts, info['devEui']) };
  switch (event) {
    case 'up':
      return uplink(message, { ...place, ...housingUnless(input.parts, info['devEui']) }, beside);
    case 'join':
      return resultOf([{ kind: 'event', ...place, name: 'join' }], [], '', beside);
    case 'status':
      return deviceStatus(message, place, beside);
    case 'log':
      return log(message, place, beside);
    default:
      return refused(
        refusal('unreadable', 'topic', `expected …/event/{event}, found event ${event ?? 'none'}`),
      );
  }
}

function uplink(message: Members, place: Place, beside: readonly string[]): CodecResult {
  const { object, data } = message;
  if (object === undefined || object === null) {
    // Bytes alone are another format for every device type: the server holds its decoder, Pantau does not.
    return data === undefined || data === null || data === ''
      ? ignored('an uplink without application data', beside)
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
  return readDecoded(object, 'object', place, beside);
}

function deviceStatus(message: Members, place: Place, beside: readonly string[]): CodecResult {
  const data = eventData(message, [
    'batteryLevel',
    'batteryLevelUnavailable',
    'externalPowerSource',
    'margin',
  ]);
  return Object.keys(data).length === 0
    ? ignored('a status without battery level or margin', beside)
    : resultOf([{ kind: 'event', ...place, name: 'device-status', data }], [], '', beside);
}

function log(message: Members, place: Place, beside: readonly string[]): CodecResult {
  // INFO is the value that the server may leave out.
  const level = message['level'] ?? 'INFO';
  if (level === 'INFO') return ignored('a log entry of level INFO', beside);
  const data = eventData(message, ['level', 'code', 'description']);
  return resultOf([{ kind: 'event', ...place, name: 'network-log', data }], lostUplink(data), '', beside);
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
