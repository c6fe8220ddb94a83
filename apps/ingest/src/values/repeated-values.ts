import { HOUR, type Millis, type UtcMillis } from '#libs/kernel';
import type { JudgedTime } from '#libs/telemetry';
import type { BatchDevice } from '../devices/batch-devices.js';

/** Of the promised interval, when a device that keeps it reports again: no two messages come exactly as far apart. */
const NEARLY = 0.9;

/**
 * For how long after a measurement an equal value may be that measurement, said again; 0 when every value was measured anew.
 *
 * - A device that states when it measured says so with each time.
 * - One that does not has measured anew when the interval that it promised is over.
 * - A source that repeats what it last heard of every member (`repeats` of a codec's telemetry) states when something was heard,
 *   not what. While it keeps to the promised interval its messages are taken for measurements. What comes faster was caused
 *   by other members, and nobody knows how often this one is measured: an equal value counts once an hour, the longest
 *   interval after which such sensors report unasked.
 */
export function repeatsWithin(
  repeats: boolean | undefined,
  ts: UtcMillis,
  clock: Extract<JudgedTime, { clock: unknown }>['clock'],
  { held: { registered }, memory }: Pick<BatchDevice, 'held' | 'memory'>,
): Millis {
  const interval = (registered?.intervalMs ?? 0) * NEARLY;
  if (repeats !== true) return clock === 'device' ? 0 : interval;
  const silence = ts - memory.repeatedAt;
  memory.repeatedAt = Math.max(ts, memory.repeatedAt);
  return registered !== undefined && silence >= interval ? 0 : Math.max(interval, HOUR);
}
