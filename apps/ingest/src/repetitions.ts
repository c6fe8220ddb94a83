import type { StageState } from '#libs/journal-transport';
import type { Uplink } from '#libs/telemetry';
import { createHash } from 'node:crypto';
import { REPETITIONS } from './namespaces.js';
import { messageRow, rowOf, rowsWith } from './repetitions-form.js';

/** At least the number of messages that a device has in flight. */
const REMEMBERED = 64;
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
  const digest = createHash('sha256').update(topic).update('\0').update(payload).digest();
  const message = messageRow(messageId, digest);
  const recent = (await state.get(REPETITIONS, device)) ?? NONE;
  if (dup && message.equals(rowOf(messageId, recent))) return true;
  state.put(REPETITIONS, device, rowsWith(message, recent, REMEMBERED));
  return false;
}
