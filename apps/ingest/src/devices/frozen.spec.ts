import { MINUTE } from '#libs/kernel';
import { HEARTBEAT_STATES, type CodecHeartbeat } from '#libs/telemetry';
import { believed } from './frozen.js';

const ts = Date.parse('2026-01-01T00:00:00Z');
const heartbeat = (more: Partial<CodecHeartbeat>): CodecHeartbeat => ({
  kind: 'heartbeat',
  ts,
  state: 'up',
  ...more,
});

describe('what a heartbeat is believed to say', () => {
  it('is down when the newest picture is older than two intervals, whatever the agent says', () => {
    const frozen = believed(heartbeat({ lastFrameAt: ts - 3 * MINUTE }), ts, MINUTE);
    expect(frozen).toEqual({ state: 'down', reason: 'frozen: the newest picture is 180 s old' });
    expect(believed(heartbeat({ state: 'degraded', lastFrameAt: 0 }), ts, MINUTE).state).toBe('down');
  });

  it('is what it says when its picture is fresh, when it names none, and when nobody knows its interval', () => {
    expect(believed(heartbeat({ lastFrameAt: ts - 2 * MINUTE }), ts, MINUTE)).toEqual({ state: 'up' });
    expect(believed(heartbeat({}), ts, MINUTE)).toEqual({ state: 'up' });
    expect(believed(heartbeat({ lastFrameAt: 0 }), ts, undefined)).toEqual({ state: 'up' });
  });

  it.each(HEARTBEAT_STATES.filter((state) => state !== 'up' && state !== 'degraded'))(
    'that says %s is not made worse by an old picture',
    (state) => {
      const said = heartbeat({ state, reason: 'by hand', lastFrameAt: 0 });
      expect(believed(said, ts, MINUTE)).toEqual({ state, reason: 'by hand' });
    },
  );
});
