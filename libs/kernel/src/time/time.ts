/** Milliseconds since the Unix epoch, UTC. */
export type UtcMillis = number;

/** A length of time in milliseconds. */
export type Millis = number;

/** Where time comes from. Passed in everywhere, so that a replay and a test decide what "now" is. */
export interface Clock {
  now(): UtcMillis;
}

export const SECOND: Millis = 1_000;
export const MINUTE: Millis = 60 * SECOND;
export const HOUR: Millis = 60 * MINUTE;
export const DAY: Millis = 24 * HOUR;

/** A half-open span of time: `from` belongs to it, `to` does not. */
export interface TimeSpan {
  readonly from: UtcMillis;
  readonly to: UtcMillis;
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const DURATION_UNITS: Readonly<Record<string, Millis>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/**
 * Reads a length of time as written in configuration: `250ms`, `30s`, `5m`, `2h`, `1d`.
 *
 * @returns milliseconds, or undefined when the text is not a duration
 */
export function parseDuration(text: string): Millis | undefined {
  const match = DURATION.exec(text.trim());
  const unit = match?.[2] === undefined ? undefined : DURATION_UNITS[match[2]];
  return match?.[1] === undefined || unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** Writes a length of time in its largest whole unit: 7200000 becomes `2h`. */
export function formatDuration(ms: Millis): string {
  for (const [unit, length] of [
    ['d', DAY],
    ['h', HOUR],
    ['m', MINUTE],
    ['s', SECOND],
  ] as const) {
    if (ms >= length && ms % length === 0) return `${ms / length}${unit}`;
  }
  return `${ms}ms`;
}
