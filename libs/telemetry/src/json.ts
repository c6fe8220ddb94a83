import type { Refusal } from './streams.js';

/** No payload of Pantau is deeper than this; a device's value may not cost a stack. */
const MAX_DEPTH = 8;
/** Tokens that are no JSON but that common encoders write for a sensor without a value. */
const NOT_FINITE = /[:[,]\s*-?(?:NaN|Infinity|inf|nan)\s*[,}\]]/;

/** Parses JSON bytes with bounded depth. Never throws. */
export function readJson(payload: Uint8Array): { value: unknown } | { refusal: Refusal } {
  const text = new TextDecoder().decode(payload);
  const depth = depthOf(text);
  if (depth > MAX_DEPTH) {
    return {
      refusal: { reason: 'json_too_deep', detail: `JSON nested ${depth} deep; at most ${MAX_DEPTH}` },
    };
  }
  try {
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

/** Deepest nesting of brackets outside strings; a scan, so that hostile depth costs no recursion. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
