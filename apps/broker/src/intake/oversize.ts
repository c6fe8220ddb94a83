import type { UtcMillis } from '#libs/kernel';
import type { Rejection } from '#libs/telemetry';

/** Bytes kept of a payload that was too large. */
const KEPT_BYTES = 4_096;

/** A message that was acknowledged and is too large to be decoded. */
export function oversizeRejection(message: {
  readonly site?: string;
  readonly device: string;
  readonly topic: string;
  /** Its beginning, or all of it. */
  readonly payload: Uint8Array;
  readonly receivedAt: UtcMillis;
  readonly payloadBytes: number;
  readonly maxPayloadBytes: number;
}): Rejection {
  const { payload, maxPayloadBytes, ...rest } = message;
  return {
    reason: 'payload_too_large',
    detail: `payload of ${rest.payloadBytes} bytes; at most ${maxPayloadBytes}; the first ${KEPT_BYTES} are kept`,
    ...rest,
    payload: payload.subarray(0, KEPT_BYTES),
    count: 1,
  };
}
