import { isObject } from '#libs/kernel';
import type { Codec, CodecInput, CodecResult } from '#libs/telemetry';
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

/**
 * The Things Stack 3, MQTT server: `v3/{application}/devices/{device}/{event}`. The members of a message name its kind.
 *
 * Source: The Things Stack documentation, "Data Formats". Members whose value is 0, false or "" are left out there.
 */
export const codec: Codec = { name: 'the-things-stack', version: 2, decode };

/** What the servers say of the transmission; the values of the device stand in `decoded_payload`. */
const OF_THE_NETWORK =
  /^(?:end_device_ids|correlation_ids|received_at|decoded_payload\w*|frm_payload|rx_metadata|settings|consumed_airtime|locations|version_ids|network_ids|attributes|normalized_payload\w*|confirmed|packet_error_rate|last_battery_percentage|last_a_f_cnt_down|session_key_id|simulated|\w*duty_cycle\w*)$/;

function decode(input: CodecInput): CodecResult {
  const read = readObject(input.payload);
  if ('refusal' in read) return refused(read.refusal);
  const message = read.object;
  const ids = isObject(message['end_device_ids']) ? message['end_device_ids'] : undefined;
  if (ids === undefined)
    return refused(refusal('unreadable', 'end_device_ids', 'expected a message of The Things Stack 3'));
  const beside = unreadNumbers(message, '', OF_THE_NETWORK);
  const { uplink_message: uplink, join_accept: join } = message;
  const body = isObject(uplink) ? uplink : isObject(join) ? join : undefined;
  // Downlinks, locations and service data carry the same ids.
  if (body === undefined) return ignored('neither an uplink nor a join', beside);
  // The network server's time comes before the application server's, which waits for its queue.
  const received = (body['received_at'] ?? undefined) === undefined ? message : body;
  const time = timeUnder('received_at', received, '', (path, found) =>
    readDateTime(path, found, input.utcOffsetMs),
  );
  if ('refusal' in time) return refused(time.refusal);
  const place: Place = { ts: time.ts, ...sourceUnless(input.parts, ids['device_id']) };
  if (body === join) return resultOf([{ kind: 'event', ...place, name: 'join' }], [], '', beside);
  const decoded = body['decoded_payload'];
  if (!isObject(decoded)) return withoutDecoded(body, beside);
  const there = { ...place, ...housingUnless(input.parts, ids['device_id']) };
  return readDecoded(decoded, 'decoded_payload', there, beside, body['decoded_payload_warnings']);
}

function withoutDecoded(uplink: Members, beside: readonly string[]): CodecResult {
  return uplink['frm_payload'] === undefined
    ? ignored('an uplink without application data', beside)
    : refused(
        refusal(
          'unreadable',
          'decoded_payload',
          'expected decoded values, found only the bytes in frm_payload; set the uplink payload formatter at The Things Stack',
        ),
      );
}
