import { jsonFault, type Bounds, type BoundsFault } from '#libs/kernel';
import type { Refusal, RejectionReason } from '../streams.js';

/** No payload of Pantau is deeper than this; how large one may be is `mqtt.maxPayloadBytes`. */
const PAYLOAD_BOUNDS: Bounds = { depth: 8, members: 50_000, bytes: 4 * 1_048_576 };
/** Tokens that are no JSON but that common encoders write for a sensor without a value. */
const NOT_FINITE = /[:[,]\s*-?(?:NaN|Infinity|inf|nan)\s*[,}\]]/;

const REASONS: Readonly<Record<BoundsFault['kind'], RejectionReason>> = {
  depth: 'json_too_deep',
  members: 'limit_exceeded',
  bytes: 'payload_too_large',
};

const utf8 = new TextDecoder();

/** Parses JSON bytes of bounded depth and size. Never throws. */
export function readJson(payload: Uint8Array): { value: unknown } | { refusal: Refusal } {
  const text = utf8.decode(payload);
  const fault = jsonFault(payload, text, PAYLOAD_BOUNDS);
  if (fault !== undefined)
    return { refusal: { reason: REASONS[fault.kind], detail: `JSON ${fault.message}` } };
  try {
    // eslint-disable-next-line no-restricted-properties -- its bounds are known
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const literal = NOT_FINITE.exec(text);
    return {
      refusal:
        literal === null
          ? {
              reason: 'not_json',
              detail: `expected JSON: ${error instanceof Error ? error.message : String(error)}`.slice(
                0,
                300,
              ),
            }
          : {
              reason: 'not_finite',
              detail: `expected finite numbers, found ${literal[0].slice(1, -1).trim()}; leave a missing value out`,
            },
    };
  }
}
