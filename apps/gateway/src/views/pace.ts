import type { Device } from '#libs/identity';
import { DAY, formatDuration, HOUR, MINUTE, SECOND, type Millis } from '#libs/kernel';
import { GAPS, gapsOf, type Pace } from './pace-form.js';

/** A promise that is kept to within this factor is kept: a device may skip every other message on a bad link. */
const TOLERANCE = 2.5;

const USUAL: readonly Millis[] = [
  ...[1, 2, 5, 10, 15, 20, 30].map((n) => n * SECOND),
  ...[1, 2, 3, 5, 10, 15, 20, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 4, 6, 8, 12].map((n) => n * HOUR),
  DAY,
];

/** What the API and the command line say of a device whose readings do not come as often as it is registered to send. */
export interface UnkeptInterval {
  readonly registeredMs: Millis;
  /** Between readings, as it is usual now. */
  readonly observedMs: Millis;
  readonly message: string;
  readonly remedy: string;
}

/** @returns undefined while the interval is kept, or not enough readings are there to tell */
export function unkeptIntervalOf(
  { id, intervalMs }: Pick<Device, 'id' | 'intervalMs'>,
  pace: Pace | undefined,
): UnkeptInterval | undefined {
  const gaps = [...gapsOf(pace)].sort((a, b) => a - b);
  const median = gaps[GAPS >> 1];
  if (gaps.length < GAPS || median === undefined) return undefined;
  if (median <= intervalMs * TOLERANCE && median * TOLERANCE >= intervalMs) return undefined;
  const offered = USUAL.reduce((best, ms) => (Math.abs(ms - median) < Math.abs(best - median) ? ms : best));
  const [every, promised] = [formatDuration(offered), formatDuration(intervalMs)];
  return {
    registeredMs: intervalMs,
    observedMs: median,
    message:
      `Pembacaan datang tiap ${every}, bukan ${promised} seperti yang didaftarkan; angka dan peringatan memakai yang didaftarkan. / ` +
      `Readings come every ${every}, not every ${promised} as registered; figures and alerts go by what is registered.`,
    remedy: `npm run -s pantau -- device set ${id} --interval ${every}`,
  };
}
