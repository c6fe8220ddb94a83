import { z } from 'zod';
import type { Json } from './answer.js';

const SHOWN_BYTES = 1_000;

export const payloadMembers = {
  payloadText: z.string().optional().describe('The beginning of the original bytes, as text'),
  payloadBase64: z.base64().optional().describe('The original bytes'),
};

/** The beginning of original bytes, as text where they are text. */
export function payloadText(bytes: Uint8Array): string {
  return Buffer.from(bytes).subarray(0, SHOWN_BYTES).toString('utf8');
}

/** The original bytes: as text where they are text, and always in base64, so that nothing is lost in showing them. */
export function shownPayload(bytes: Uint8Array | undefined): {
  payloadText?: string;
  payloadBase64?: string;
} {
  if (bytes === undefined) return {};
  return { payloadText: payloadText(bytes), payloadBase64: Buffer.from(bytes).toString('base64') };
}

/** Plain data as JSON, with bytes in base64. */
export function asJson(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((item: unknown) => asJson(item));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]: [string, unknown]) => [name, asJson(member)]),
    );
  // JSON has no word for the others that a number may be.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}
