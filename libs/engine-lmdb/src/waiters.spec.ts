import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { shardKey } from './lmdb-streams.js';
import { Waiters } from './waiters.js';

const MINUTE = 60_000;

describe('Waiters', () => {
  let looks: number;
  let next: number;
  let waiters: Waiters;
  const stop = new AbortController();

  beforeEach(() => {
    // The channel between threads needs the real turns of the event loop.
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    [looks, next] = [0, 0];
    waiters = new Waiters('waiters.spec', () => {
      looks++;
    });
  });
  afterEach(() => {
    waiters.end();
    waiters.close();
    jest.useRealTimers();
  });

  const waitFor = (offset: number): Promise<void> =>
    waiters.wait('readings', 0, () => next > offset, stop.signal);

  it('looks seldom for appends of other processes while there are none', async () => {
    const waiting = waitFor(0);
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(looks).toBeLessThan(MINUTE / 300);
    next = 1;
    await jest.advanceTimersByTimeAsync(500);
    await waiting;
  });

  it('looks often while another process appends', async () => {
    const first = waitFor(0);
    await jest.advanceTimersByTimeAsync(MINUTE);
    next = 1;
    await jest.advanceTimersByTimeAsync(500);
    await first;
    const second = waitFor(1);
    const before = looks;
    next = 2;
    await jest.advanceTimersByTimeAsync(50);
    await second;
    expect(looks - before).toBe(1);
  });

  it('wakes at once for an append of this process, and looks at nothing when nobody waits', async () => {
    const waiting = waitFor(0);
    next = 1;
    waiters.tell(new Set([shardKey('readings', 0)]));
    // The clock stands still, so no look can have found it.
    await waiting;
    const before = looks;
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(looks - before).toBeLessThanOrEqual(1);
  });
});
