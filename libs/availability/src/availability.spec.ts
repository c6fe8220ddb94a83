import { MINUTE, type TimeSpan } from '#libs/kernel';
import { HEARTBEAT_STATES, type HeartbeatState } from '#libs/telemetry';
import fc from 'fast-check';
import { intersect, subtract, total, union, type Spans } from './spans.js';
import {
  availabilityOf,
  deviceTimeline,
  extendRun,
  type HeartbeatSample,
  type LivenessSample,
  type Timeline,
} from './timeline.js';

const SIZE = 30;
const span = fc
  .tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE }))
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const spans = fc.array(span, { maxLength: 6 });
/** The whole numbers that the spans hold: what the arithmetic must agree with. */
const bits = (list: Spans): boolean[] =>
  Array.from({ length: SIZE }, (_, i) => list.some(({ from, to }) => from <= i && i < to));

describe('span arithmetic', () => {
  it('agrees with sets of instants', () => {
    fc.assert(
      fc.property(spans, spans, (x, y) => {
        const [a, b] = [union(x), union(y)];
        expect(bits(a)).toEqual(bits(x));
        expect(bits(intersect(a, b))).toEqual(bits(a).map((bit, i) => bit && bits(b)[i]!));
        expect(bits(subtract(a, b))).toEqual(bits(a).map((bit, i) => bit && !bits(b)[i]!));
        expect(total(a)).toBe(bits(a).filter(Boolean).length);
      }),
    );
  });

  it('returns spans in order, neither empty nor touching', () => {
    fc.assert(
      fc.property(spans, (x) => {
        const joined = union(x);
        joined.forEach(({ from, to }, i) => {
          expect(from).toBeLessThan(to);
          if (i > 0) expect(from).toBeGreaterThan(joined[i - 1]!.to);
        });
      }),
    );
  });
});

const M = MINUTE;
const hour = { from: 0, to: 60 * M };
const every = (from: number, to: number, state: HeartbeatState = 'up'): HeartbeatSample[] =>
  Array.from({ length: to - from }, (_, i) => ({ ts: (from + i) * M, state }));

function timeline(heartbeats: readonly HeartbeatSample[], observed: Spans = [hour]): Timeline {
  return deviceTimeline({ window: hour, heartbeats, observed, intervalMs: M, graceMs: 30_000 });
}

const minutes = (list: Spans): number[][] => list.map(({ from, to }) => [from / M, to / M]);

describe('deviceTimeline', () => {
  it('is up throughout when every heartbeat says so', () => {
    expect(minutes(timeline(every(0, 60)).heartbeat)).toEqual([[0, 60]]);
  });

  it('counts a device that said it was down as down from then until it said it was up', () => {
    const { heartbeat, reported } = timeline([...every(0, 20), ...every(20, 30, 'down'), ...every(30, 60)]);
    expect(minutes(reported)).toEqual([[20, 30]]);
    expect(minutes(heartbeat)).toEqual([
      [0, 20],
      [30, 60],
    ]);
  });

  it('counts silence as down while Pantau listened, from the end of the last heartbeat and its grace', () => {
    const { silent, unobserved } = timeline([...every(0, 20), ...every(30, 60)]);
    expect(minutes(silent)).toEqual([[20.5, 30]]);
    expect(unobserved).toEqual([]);
  });

  it('counts silence as unknown while Pantau did not listen', () => {
    const observed = [
      { from: 0, to: 25 * M },
      { from: 28 * M, to: 60 * M },
    ];
    const { silent, unobserved } = timeline([...every(0, 20), ...every(30, 60)], observed);
    expect(minutes(unobserved)).toEqual([[25, 28]]);
    expect(minutes(silent)).toEqual([
      [20.5, 25],
      [28, 30],
    ]);
  });

  it('believes heartbeats that were buffered while Pantau was down', () => {
    expect(minutes(timeline(every(0, 60), []).heartbeat)).toEqual([[0, 60]]);
  });

  it('does not forgive a longer outage for a heartbeat in the same second as the down report', () => {
    const both: HeartbeatSample[] = [
      { ts: 0, state: 'up' },
      { ts: 0, state: 'down' },
    ];
    expect(minutes(timeline(both).reported)).toEqual([[0, 1.5]]);
    expect(timeline(both)).toEqual(timeline(both.toReversed()));
  });

  const heartbeat = fc.record({
    ts: fc.integer({ min: -5 * M, max: 65 * M }),
    state: fc.constantFrom(...HEARTBEAT_STATES),
  });
  const input = fc.tuple(
    fc.array(heartbeat, { maxLength: 40 }),
    fc.array(
      span.map(({ from, to }) => ({ from: 2 * from * M, to: 2 * to * M })),
      { maxLength: 4 },
    ),
  );

  it('covers the window exactly, without overlap, for any input', () => {
    fc.assert(
      fc.property(input, ([heartbeats, observed]) => {
        const parts = Object.values(timeline(heartbeats, union(observed)));
        expect(union(parts.flat())).toEqual([hour]);
        expect(parts.reduce((sum, part) => sum + total(part), 0)).toBe(60 * M);
      }),
    );
  });

  it('does not depend on order or repetition of the heartbeats', () => {
    fc.assert(
      fc.property(input, ([heartbeats, observed]) => {
        const expected = timeline(heartbeats, union(observed));
        expect(timeline([...heartbeats.toReversed(), ...heartbeats], union(observed))).toEqual(expected);
      }),
    );
  });
});

describe('availabilityOf', () => {
  it('gives each way of counting, and nothing where there is nothing to count', () => {
    const observed = [{ from: 0, to: 50 * M }];
    const result = availabilityOf(timeline([...every(0, 30), ...every(30, 40, 'down')], observed));
    expect(result.ms).toMatchObject({
      ...{ heartbeat: 30 * M, reported: 10.5 * M, silent: 9.5 * M, unobserved: 10 * M },
      ...{ degraded: 0, planned: 0, undetermined: 0 },
    });
    expect(result).toMatchObject({ observedOnly: 30 / 50, strict: 30 / 60, optimistic: 40 / 60 });
    expect(availabilityOf(timeline([], [])).observedOnly).toBeNull();
  });

  it('counts degraded time as up and states its share, and planned time neither up nor down', () => {
    const said = [
      ...every(0, 10),
      ...every(10, 20, 'degraded'),
      ...every(20, 30, 'down'),
      ...every(30, 50, 'planned'),
      ...every(50, 60, 'unknown'),
    ];
    const result = availabilityOf(timeline(said));
    expect(result.ms).toMatchObject({
      ...{ heartbeat: 10 * M, degraded: 10 * M, reported: 10 * M },
      ...{ planned: 20 * M, undetermined: 10 * M, silent: 0, unobserved: 0 },
    });
    expect(result).toMatchObject({
      ...{ observedOnly: 20 / 30, strict: 20 / 40, optimistic: 30 / 40, degraded: 10 / 20 },
    });
    // A camera that was off on purpose all the time has no availability, and none that is bad.
    const off = availabilityOf(timeline(every(0, 60, 'planned')));
    expect(off).toMatchObject({ observedOnly: null, strict: null, optimistic: null, degraded: null });
  });

  it('lets a plan speak no longer than other heartbeats: who says nothing after it is silent', () => {
    expect(minutes(timeline([...every(0, 20), ...every(20, 30, 'planned')]).silent)).toEqual([[30.5, 60]]);
  });

  it('stays within 0 and 1, the strict figure never above the observed one, nor that above the optimistic one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 59 })),
        fc.array(fc.nat({ max: 59 })),
        spans,
        (up, down, observed) => {
          const heartbeats = [
            ...up.map((m) => ({ ts: m * M, state: 'up' as const })),
            ...down.map((m) => ({ ts: m * M, state: 'down' as const })),
          ];
          const { strict, observedOnly, optimistic } = availabilityOf(
            timeline(
              heartbeats,
              union(observed.map(({ from, to }) => ({ from: from * 2 * M, to: to * 2 * M }))),
            ),
          );
          expect(strict).toBeGreaterThanOrEqual(0);
          expect(optimistic).toBeLessThanOrEqual(1);
          if (observedOnly === null) return;
          expect(strict!).toBeLessThanOrEqual(observedOnly);
          expect(observedOnly).toBeLessThanOrEqual(optimistic!);
        },
      ),
    );
  });
});

describe('extendRun', () => {
  it.each<[string, LivenessSample[], [number, number][]]>([
    ['joins the beats', [{ at: 0 }, { at: 10 }, { at: 20 }], [[0, 20]]],
    ['joins over a beat that is late', [{ at: 0 }, { at: 30 }], [[0, 30]]],
    [
      'leaves out a suspended machine',
      [{ at: 0 }, { at: 10 }, { at: 41 }, { at: 50 }],
      [
        [0, 10],
        [41, 50],
      ],
    ],
    [
      'leaves out an interruption, however short',
      [{ at: 0 }, { at: 10 }, { at: 20, resumed: true }, { at: 30 }],
      [
        [0, 10],
        [20, 30],
      ],
    ],
    [
      'stays where it was when the clock is put back a little',
      [{ at: 0 }, { at: 20 }, { at: 15 }],
      [[0, 20]],
    ],
  ])('%s', (_name, records, expected) => {
    const spans = records.reduce<TimeSpan[]>((before, record) => extendRun(before, record, 10), []);
    expect(spans.map(({ from, to }) => [from, to])).toEqual(expected);
  });
});
