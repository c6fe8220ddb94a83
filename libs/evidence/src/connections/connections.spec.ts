import { HOUR } from '#libs/kernel';
import type { PresenceSignal } from '#libs/telemetry';
import { changeOf, connectionsKey, withChange } from './connections.js';

const signal = (n: number, more: Partial<PresenceSignal> = {}): PresenceSignal => ({
  ...{ type: 'presence', site: 'betung', device: 'udara-01', ts: n, receivedAt: n, run: 'r', silenceMs: 90 },
  ...{ session: `s${n}`, state: 'connected', cause: 'connect' },
  ...more,
});

describe('the connections of an hour', () => {
  it('are kept once each, however often the stream is read', () => {
    const begun = changeOf(signal(1));
    const ended = changeOf(signal(1, { state: 'disconnected', cause: 'keepalive' }));
    const row = [begun, ended].reduce(withChange, []);
    expect(row.map(({ event }) => event)).toEqual(['connected', 'expired']);
    expect([begun, ended].reduce(withChange, row)).toBe(row);
  });

  it('are bounded, and end with the last change', () => {
    const changes = Array.from({ length: 1_000 }, (_, n) => changeOf(signal(n)));
    const row = changes.reduce(withChange, []);
    expect(row.length).toBe(200);
    expect(row.at(-1)).toEqual(changes.at(-1));
  });

  it('have a key in the order of time', () => {
    const keys = [-1, 0, HOUR - 1, HOUR].map((ts) => connectionsKey('udara-01', Date.UTC(2026, 0) + ts));
    expect(keys).toEqual(keys.toSorted());
    expect(new Set(keys).size).toBe(3);
  });
});
