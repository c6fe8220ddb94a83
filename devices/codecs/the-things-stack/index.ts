import { readJson, type Codec, type CodecInput, type CodecResult } from '#libs/telemetry';
import { measureDecoded } from '../lorawan.js';
import { Findings, ignored, instantAt, isMembers, refused, sourceUnless, type Members } from '../members.js';

/**
 * The Things Stack 3, MQTT server: `v3/{application}/devices/{device}/{event}`. The members of a message name its kind.
 *
 * Source: The Things Stack documentation, "Data Formats". Members whose value is 0, false or "" are left out there.
 */
export const codec: Codec = { name: 'the-things-stack', decode };

function decode(input: CodecInput): CodecResult {
  const parsed = readJson(input.payload);
  if ('refusal' in parsed) return { outputs: [], refusals: [parsed.refusal] };
  if (!isMembers(parsed.value)) return refused('schema_violation', 'payload: expected an object');
  const message = parsed.value;
  const ids = isMembers(message['end_device_ids']) ? message['end_device_ids'] : undefined;
  if (ids === undefined)
    return refused('unreadable', 'end_device_ids: expected a message of The Things Stack 3');
  const { uplink_message: uplink, join_accept: join } = message;
  const body = isMembers(uplink) ? uplink : isMembers(join) ? join : undefined;
  // Downlinks, locations and service data carry the same ids.
  if (body === undefined) return ignored('neither an uplink nor a join');
  // The network server's time comes before the application server's, which waits for its queue.
  const time = instantAt(body['received_at'] ?? message['received_at'], 'received_at', input.utcOffsetMs);
  if ('refusal' in time) return { outputs: [], refusals: [time.refusal] };
  const place = { ts: time.ts, ...sourceUnless(input.parts, ids['device_id']) };
  if (body === join) return { outputs: [{ kind: 'event', ...place, name: 'join' }], refusals: [] };
  const decoded = body['decoded_payload'];
  if (!isMembers(decoded)) return withoutDecoded(body);
  const findings = new Findings();
  measureDecoded(findings, place, decoded, 'decoded_payload');
  return findings.result('decoded_payload holds no name that Pantau measures');
}

function withoutDecoded(uplink: Members): CodecResult {
  return uplink['frm_payload'] === undefined
    ? ignored('an uplink without application data')
    : refused(
        'unreadable',
        'decoded_payload: expected decoded values, found only the bytes in frm_payload; set the uplink payload formatter at The Things Stack',
      );
}
