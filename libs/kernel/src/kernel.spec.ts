import fc from 'fast-check';
import {
  canonicalJson,
  DAY,
  formatDuration,
  hourOf,
  localDateOf,
  localDaySpan,
  parseDuration,
  seededRandom,
  shardOf,
} from './index.js';

describe('local days', () => {
  it('begin at 17:00 UTC of the day before', () => {
    expect(localDaySpan('2026-01-01')).toEqual({
      from: Date.parse('2025-12-31T17:00:00Z'),
      to: Date.parse('2026-01-01T17:00:00Z'),
    });
  });

  it.each(['2026-02-29', '2026-13-01', '2026-1-1', 'today', '', '2026-01-01T00:00:00Z'])(
    'know that "%s" is not a calendar day',
    (text) => expect(localDaySpan(text)).toBeUndefined(),
  );

  it('agree with the time-zone database of the runtime, for every instant since 1970', () => {
    const jakarta = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Jakarta' });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.parse('2100-01-01T00:00:00Z') }), (at) => {
        const date = localDateOf(at);
        expect(date).toBe(jakarta.format(at));
        const span = localDaySpan(date)!;
        expect(span.from <= at && at < span.to).toBe(true);
        expect(span.to - span.from).toBe(DAY);
      }),
    );
  });

  it('hold whole hours', () => {
    expect(hourOf(Date.parse('2026-01-01T05:59:59.999Z'))).toBe(Date.parse('2026-01-01T05:00:00Z'));
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    [' 5m ', 300_000],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', '5 m', '-5m', '5M', 'm', '1e3s', '5m30s'])('refuses "%s"', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  it('are written in their largest whole unit, and read back the same', () => {
    expect(formatDuration(7_200_000)).toBe('2h');
    expect(formatDuration(90_000)).toBe('90s');
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe('canonical JSON', () => {
  it('sorts members, leaves out what is undefined and writes no white space', () => {
    expect(canonicalJson({ b: [1, undefined, 'é'], a: { d: null, c: undefined }, A: 1.0 })).toBe(
      '{"A":1,"a":{"d":null},"b":[1,null,"é"]}',
    );
  });

  it('is one text for one value, whatever the order of its members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        // Through text on both sides: JSON has no -0.
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s, which JSON has not', (value) =>
    expect(() => canonicalJson({ value })).toThrow(TypeError),
  );
});

describe('shards', () => {
  // FNV-1a (32 bit) of these keys by its published constants; a change would break the order of devices on disk.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('of "%s" follow FNV-1a', (key, hash) => expect(shardOf(key, 256)).toBe(hash % 256));

  it('spread device ids evenly', () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[shardOf(`udara-${String(i).padStart(4, '0')}`, 4)]!++;
    for (const count of counts) expect(Math.abs(count - 2_500)).toBeLessThan(250);
  });
});

describe('the seeded source', () => {
  it('repeats itself and stays in [0, 1)', () => {
    const [a, b] = [seededRandom(7), seededRandom(7)];
    let sum = 0;
    for (let i = 0; i < 10_000; i++) {
      const value = a();
      expect(value).toBe(b());
      expect(value >= 0 && value < 1).toBe(true);
      sum += value;
    }
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });
});
