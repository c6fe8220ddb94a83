import { DAY, HOUR, MINUTE, type Millis } from '#libs/kernel';
import fc from 'fast-check';
import { fleetMessages, groundTruth, type FleetScenario } from './camera-fleet.js';

const FROM = Date.parse('2026-01-01T00:00:00Z');

const scenario: FleetScenario = {
  from: FROM,
  to: FROM + DAY,
  devices: ['cctv-01', 'cctv-02', 'cctv-03', 'cctv-04'],
  intervalMs: MINUTE,
  seed: 1,
  outages: [
    { device: 'cctv-02', kind: 'power-cut', from: FROM + 2 * HOUR, to: FROM + 3 * HOUR },
    {
      device: 'cctv-03',
      kind: 'stream-lost',
      from: FROM + 4 * HOUR,
      to: FROM + 6 * HOUR,
      reason: 'rtsp 404',
    },
    { device: 'cctv-04', kind: 'uplink-lost', from: FROM + 8 * HOUR, to: FROM + 9 * HOUR },
  ],
};

describe('the camera fleet', () => {
  it('sends one heartbeat an interval, in order, with rising frame counts', () => {
    const messages = fleetMessages(scenario, 'cctv-01');
    expect(messages).toHaveLength(24 * 60);
    messages.forEach(({ ts, deliverAt, payload }, i) => {
      expect(ts - (FROM + i * MINUTE)).toBeGreaterThanOrEqual(0);
      expect(ts - (FROM + i * MINUTE)).toBeLessThanOrEqual(0.05 * MINUTE);
      expect(deliverAt).toBe(ts);
      expect(payload).toMatchObject({ seq: i, state: 'up', frames: (i + 1) * 15 * 60 });
    });
  });

  it('is silent in a power cut, says down without a picture, and delivers late after a lost link', () => {
    expect(fleetMessages(scenario, 'cctv-02')).toHaveLength(23 * 60);
    const lost = fleetMessages(scenario, 'cctv-03').filter(({ payload }) => payload['state'] === 'down');
    expect(lost).toHaveLength(120);
    expect(lost[0]?.payload).toMatchObject({ reason: 'rtsp 404' });
    const late = fleetMessages(scenario, 'cctv-04').filter(({ ts, deliverAt }) => deliverAt !== ts);
    expect(late).toHaveLength(60);
    expect(new Set(late.map(({ deliverAt }) => deliverAt))).toEqual(new Set([FROM + 9 * HOUR]));
  });

  it('does the same again from the same seed, and something else from another', () => {
    expect(fleetMessages(scenario, 'cctv-01')).toEqual(fleetMessages(scenario, 'cctv-01'));
    expect(fleetMessages({ ...scenario, seed: 2 }, 'cctv-01')).not.toEqual(
      fleetMessages(scenario, 'cctv-01'),
    );
  });

  it('knows the truth: down in power cuts and without pictures, up while only the link is lost', () => {
    const down = (device: string): Millis =>
      groundTruth(scenario)
        [device]!.filter(({ state }) => state === 'down')
        .reduce((sum, { from, to }) => sum + to - from, 0);
    expect(['cctv-01', 'cctv-02', 'cctv-03', 'cctv-04'].map(down)).toEqual([0, HOUR, 2 * HOUR, 0]);
  });

  it('has a truth that covers the whole time once, and heartbeats that agree with it', () => {
    const outage = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('power-cut', 'stream-lost', 'uplink-lost'))
      .map(([hour, kind]) => ({
        device: 'cctv-01',
        kind: kind,
        from: FROM + hour * HOUR,
        to: FROM + hour * HOUR + 30 * MINUTE,
      }));
    fc.assert(
      fc.property(fc.uniqueArray(outage, { selector: ({ from }) => from }), fc.nat(), (outages, seed) => {
        const made = { ...scenario, devices: ['cctv-01'], outages, seed };
        const truth = groundTruth(made)['cctv-01']!;
        expect(truth[0]?.from).toBe(made.from);
        expect(truth.at(-1)?.to).toBe(made.to);
        truth.slice(1).forEach(({ from }, i) => expect(from).toBe(truth[i]!.to));
        for (const { ts, payload } of fleetMessages(made, 'cctv-01')) {
          expect(payload['state']).toBe(truth.find(({ from, to }) => ts >= from && ts < to)?.state);
        }
      }),
      { numRuns: 30 },
    );
  });
});
