import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { shardKey } from './lmdb-streams.js';
import { News } from './news.js';
import { ThreadNews } from './thread-news.js';

const MINUTE = 60_000;

describe('News', () => {
  let looks: number;
  let next: number;
  let news: News;
  const stop = new AbortController();

  beforeEach(() => {
    // The channel between threads needs the real turns of the event loop.
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    [looks, next] = [0, 0];
    news = new News('news.spec', {
      refresh: () => looks++,
      revision: () => String(next),
      end: () => next,
    });
  });
  afterEach(() => {
    news.end();
    news.close();
    jest.useRealTimers();
  });

  const waitFor = (offset: number): Promise<void> => news.wait('readings', 0, offset, stop.signal);

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
    news.tell(new Map([[shardKey('readings', 0), 1]]));
    // The clock stands still, so no look can have found it.
    await waiting;
    const before = looks;
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(looks - before).toBeLessThanOrEqual(1);
  });

  it('looks seldom while what it finds is told of by another thread a moment later', async () => {
    news.watch('readings', 0, () => undefined);
    await jest.advanceTimersByTimeAsync(MINUTE);
    const before = looks;
    const telling = new ThreadNews('news.spec', () => undefined);
    const begin = Date.now();
    while (next < 100) {
      next++;
      const seen = looks;
      while (looks === seen) await jest.advanceTimersByTimeAsync(5);
      telling.tell(new Map([[shardKey('readings', 0), next]]));
      telling.flush();
      await turnOfTheLoop();
    }
    telling.close();
    expect(looks - before).toBeLessThan((Date.now() - begin) / 300);
  });

  it('looks at no shard while nothing was appended, and tells whoever listens of what is new, once', async () => {
    let asked = 0;
    const told: number[] = [];
    news.close();
    news = new News('news.spec', {
      refresh: () => undefined,
      revision: () => String(next),
      end: () => {
        asked++;
        return next;
      },
    });
    const endWatch = news.watch('readings', 0, (end) => told.push(end));
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(asked).toBeLessThanOrEqual(2);
    next = 3;
    news.tell(new Map([[shardKey('readings', 0), 3]]));
    await jest.advanceTimersByTimeAsync(MINUTE);
    endWatch();
    next = 4;
    news.tell(new Map([[shardKey('readings', 0), 4]]));
    expect(told).toEqual([0, 3]);
  });
});
