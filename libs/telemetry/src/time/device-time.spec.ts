import { DAY } from '#libs/kernel';
import { judgeTime, type TimePolicy } from './device-time.js';

const receivedAt = Date.UTC(2026, 0, 1, 12);
const policy: TimePolicy = {
  maxFutureMs: 300_000,
  oldest: Date.UTC(2000, 0, 1),
  maxAgeMs: 30 * DAY,
  wrongClock: 'arrival',
};
const strict: TimePolicy = { ...policy, wrongClock: 'refuse' };

describe('judgeTime', () => {
  it.each([
    [undefined, { ts: receivedAt, clock: 'none' }],
    [receivedAt - 5, { ts: receivedAt - 5, clock: 'device' }],
    [receivedAt + 300_000, { ts: receivedAt + 300_000, clock: 'device' }],
    [receivedAt + 300_001, { ts: receivedAt, clock: 'wrong' }],
    [Number.MAX_SAFE_INTEGER, { ts: receivedAt, clock: 'wrong' }],
    [receivedAt - 30 * DAY, { ts: receivedAt - 30 * DAY, clock: 'device' }],
    [policy.oldest - 1, { ts: receivedAt, clock: 'wrong' }],
    [0, { ts: receivedAt, clock: 'wrong' }],
  ] as const)('judges %p', (stated, expected) =>
    expect(judgeTime(stated, receivedAt, policy)).toEqual(expected),
  );

  it('refuses what was measured too long ago, under either policy: it is no matter of the clock', () => {
    for (const either of [policy, strict])
      expect(judgeTime(receivedAt - 30 * DAY - 1, receivedAt, either)).toEqual({
        refusal: {
          reason: 'too_late',
          detail:
            'ts 2025-12-02T11:59:59.999Z is 30 days before the arrival; at most 30 are accepted of this device',
        },
      });
  });

  it.each([
    [receivedAt + 300_001, 'timestamp_in_future'],
    [Number.MAX_SAFE_INTEGER, 'timestamp_in_future'],
    [policy.oldest - 1, 'timestamp_too_old'],
    [0, 'timestamp_too_old'],
  ])('refuses %p where wrong clocks are refused: %s', (stated, reason) =>
    expect(judgeTime(stated, receivedAt, strict)).toMatchObject({ refusal: { reason } }),
  );
});
