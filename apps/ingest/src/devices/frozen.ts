import { defined, SECOND, type Millis, type UtcMillis } from '#libs/kernel';
import type { CodecHeartbeat } from '#libs/telemetry';

/** Reporting intervals that the newest picture may be old. */
const FRESH_INTERVALS = 2;

/**
 * What a heartbeat is believed to say. An agent that says that its camera is up and whose newest picture is old contradicts
 * itself: the picture is frozen, which is down, however well the stream answers.
 *
 * @param ts - of the heartbeat
 * @param intervalMs - how often the device promises to report; undefined when that, or the true time, is not known
 */
export function believed(
  heartbeat: CodecHeartbeat,
  ts: UtcMillis,
  intervalMs: Millis | undefined,
): Pick<CodecHeartbeat, 'state' | 'reason'> {
  const { state, reason, lastFrameAt } = heartbeat;
  const isWorking = state === 'up' || state === 'degraded';
  const isKnown = lastFrameAt !== undefined && intervalMs !== undefined;
  if (!isWorking || !isKnown || ts - lastFrameAt <= FRESH_INTERVALS * intervalMs)
    return { state, ...defined({ reason }) };
  const age = Math.round((ts - lastFrameAt) / SECOND);
  return { state: 'down', reason: `frozen: the newest picture is ${age} s old` };
}
