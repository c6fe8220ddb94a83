import type { Refusal } from './streams.js';

/** No payload of Pantau is deeper than this; a device's value may not cost a stack. */
const MAX_DEPTH = 8;
/** Tokens that are no JSON but that common encoders write for a sensor without a value. */
const NOT_FINITE = /[:[,]\s*-?(?:NaN|Infinity|inf|nan)\s*[,}\]]/;

const utf8 = new TextDecoder();

/** Parses JSON bytes with bounded depth. Never throws. */
export function readJson(payload: Uint8Array): { value: unknown } | { refusal: Refusal } {
  const text = utf8.decode(payload);
  const depth = hasFewBrackets(text) ? 0 : depthOf(payload);
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

/** Whether there are so few brackets, be they in strings or not, that none can be too deep; a fraction of the scan. */
function hasFewBrackets(text: string): boolean {
  let left = MAX_DEPTH;
  for (let at = text.indexOf('{'); at !== -1 && left >= 0; at = text.indexOf('{', at + 1)) left--;
  for (let at = text.indexOf('['); at !== -1 && left >= 0; at = text.indexOf('[', at + 1)) left--;
  return left >= 0;
}

/**
 * Deepest nesting of brackets outside strings; a scan, so that hostile depth costs no recursion. Of bytes: those of a
 * character beyond ASCII are never those of a bracket, a quote or a backslash.
 */
function depthOf(json: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return deepest;
}
