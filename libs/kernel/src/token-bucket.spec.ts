import fc from 'fast-check';
import { TokenBucket, TokenBuckets } from './token-bucket.js';

const RATE = { perSecond: 10, burst: 3 };

describe('TokenBucket', () => {
  it('gives the burst at once, then the rate', () => {
    const bucket = new TokenBucket(RATE, 0);
    expect([0, 0, 0, 0].map((now) => bucket.tryTake(now))).toEqual([true, true, true, false]);
    expect(bucket.tryTake(99)).toBe(false);
    expect(bucket.tryTake(100)).toBe(true);
    expect(bucket.tryTake(100)).toBe(false);
  });

  it('saves up no more than the burst', () => {
    const bucket = new TokenBucket(RATE, 0);
    const taken = Array.from({ length: 10 }, () => bucket.tryTake(3_600_000)).filter(Boolean);
    expect(taken).toHaveLength(3);
  });

  it('lends tokens and says how long each has to wait', () => {
    const bucket = new TokenBucket(RATE, 0);
    expect(Array.from({ length: 6 }, () => bucket.take(0))).toEqual([0, 0, 0, 100, 200, 300]);
    expect(bucket.take(300)).toBe(100);
  });

  it('neither gives nor takes when the clock is set back', () => {
    const bucket = new TokenBucket(RATE, 10_000);
    for (let i = 0; i < 3; i++) bucket.tryTake(10_000);
    expect(bucket.tryTake(0)).toBe(false);
    expect(bucket.tryTake(100)).toBe(true);
  });

  it('never lets more through in any time than burst and rate allow', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (gaps) => {
        const bucket = new TokenBucket(RATE, 0);
        let now = 0;
        let taken = 0;
        for (const gap of gaps) {
          now += gap;
          if (bucket.tryTake(now)) taken++;
          // A millionth for the rounding of fractions.
          expect(taken).toBeLessThanOrEqual(RATE.burst + (now / 1_000) * RATE.perSecond + 1e-6);
        }
      }),
    );
  });
});

describe('TokenBuckets', () => {
  it('keeps a bucket for each key', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    expect(buckets.of('a', 0).tryTake(0)).toBe(true);
    expect(buckets.of('a', 0).tryTake(0)).toBe(false);
    expect(buckets.of('b', 0).tryTake(0)).toBe(true);
  });

  it('remembers who is over the rate while it forgets those who are not, however many come', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    for (let i = 0; i < 49_999; i++) buckets.of(`full-${i}`, 0);
    buckets.of('over', 0).take(0);
    buckets.of('one more', 0);
    expect(buckets.of('over', 0).tryTake(0)).toBe(false);
  });
});
