import type { Millis, UtcMillis } from '#libs/kernel';
import { parseDateTime, type Refusal } from '#libs/telemetry';
import { readNumber, shown } from './reading.js';
import { refusal } from './refusal.js';

/** An instant; undefined when what the device states is none. */
export type Instant = { readonly ts: UtcMillis | undefined } | { readonly refusal: Refusal };

/**
 * Reads a date and time. With `Z` or an offset it is an instant; a local one becomes an instant with `utcOffsetMs` and
 * stays undefined without. Digits below the millisecond are cut off.
 */
export function readDateTime(path: string, found: unknown, utcOffsetMs: Millis | undefined): Instant {
  if (found === undefined) return { ts: undefined };
  const parsed = typeof found === 'string' ? parseDateTime(found) : undefined;
  if (parsed === undefined) {
    return {
      refusal: refusal(
        'schema_violation',
        path,
        `expected an existing date and time such as 2026-01-31T23:59:59+07:00, found ${shown(found)}`,
      ),
    };
  }
  const offsetMs = parsed.offsetMs ?? utcOffsetMs;
  return { ts: offsetMs === undefined ? undefined : parsed.local - offsetMs };
}

/** Beyond this a Date is none (ECMA-262, time values). */
const MAX_TIME_MS = 8.64e15;

/**
 * Reads a count of time since the Unix epoch, UTC.
 *
 * @param unitMs - milliseconds in one count: 1 for milliseconds, 1000 for seconds
 */
export function readEpoch(path: string, found: unknown, unitMs: 1 | 1000): Instant {
  if (found === undefined) return { ts: undefined };
  const number = readNumber(path, found);
  if ('refusal' in number) return number;
  const ts = Math.round(number.value * unitMs);
  if (Math.abs(ts) <= MAX_TIME_MS) return { ts };
  const unit = unitMs === 1 ? 'milliseconds' : 'seconds';
  return {
    refusal: refusal('schema_violation', path, `expected ${unit} since 1970, found ${shown(found)}`),
  };
}
