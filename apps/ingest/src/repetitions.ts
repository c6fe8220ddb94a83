import type { StageState } from '#libs/journal-transport';
import type { Uplink } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import { REPETITIONS } from './namespaces.js';

/** At least the number of messages that a device has in flight. */
const REMEMBERED = 64;
const ID_BYTES = 2;
const MESSAGE_BYTES = ID_BYTES + 32;
const NONE = Buffer.alloc(0);

/**
 * Whether this message was decoded before. The broker journals before Aedes remembers the packet identifier, so a crash
 * in between lets the device's retransmission (same identifier, DUP set, same bytes) into the journal twice.
 */
export async function isRepeated(
  { device, messageId, topic, payload, dup }: Uplink,
  state: StageState,
): Promise<boolean> {
  if (messageId === undefined) return false;
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.writeUInt16BE(messageId);
  createHash('sha256').update(topic).update('\0').update(payload).digest().copy(message, ID_BYTES);
  const recent = (await state.get(REPETITIONS, device)) ?? NONE;
  const at = placeOf(messageId, recent);
  if (dup && message.equals(recent.subarray(at, at + MESSAGE_BYTES))) return true;
  const others = Buffer.concat([recent.subarray(0, at), recent.subarray(at + MESSAGE_BYTES)]);
  const kept = others.subarray((1 - REMEMBERED) * MESSAGE_BYTES);
  state.put(REPETITIONS, device, Buffer.concat([kept, message]));
  return false;
}

/** Where the message with this identifier stands; the end when none has it. */
function placeOf(messageId: number, recent: Buffer): number {
  let at = 0;
  while (at < recent.length && recent.readUInt16BE(at) !== messageId) at += MESSAGE_BYTES;
  return at;
}
