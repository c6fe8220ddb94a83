import { Admission, type Ticket } from './admission.js';
import { LIMITS } from '../broker.fixture.js';
import type { Limits } from '../limits.js';

function admission(limits: Partial<Limits>): { clock: { at: number; now(): number }; door: Admission } {
  const clock = { at: 1_000_000, now: () => clock.at };
  return { clock, door: new Admission({ ...LIMITS, ...limits }, clock) };
}

function place(result: Ticket | string): Ticket {
  if (typeof result === 'string') throw new Error(`refused: ${result}`);
  return result;
}

describe('Admission', () => {
  it('counts connections in total, and frees a place once however often it is released', () => {
    const { door } = admission({ connections: 2 });
    const first = place(door.admit('192.0.2.1'));
    place(door.admit('192.0.2.2'));
    expect(door.admit('192.0.2.3')).toBe('connections');
    first.release();
    first.release();
    expect(door.open).toBe(1);
    place(door.admit('192.0.2.3'));
    expect(door.admit('192.0.2.4')).toBe('connections');
  });

  it('counts connections by address, an IPv6 network being one', () => {
    const { door } = admission({ connectionsPerAddress: 1 });
    place(door.admit('2001:db8:1:2::1'));
    expect(door.admit('2001:db8:1:2:ffff::9')).toBe('connectionsPerAddress');
    place(door.admit('2001:db8:1:3::1'));
    place(door.admit('192.0.2.1'));
    expect(door.admit('::ffff:192.0.2.1')).toBe('connectionsPerAddress');
  });

  it('counts those that have sent no CONNECT yet apart', () => {
    const { door } = admission({ pendingPerAddress: 1 });
    const first = place(door.admit('192.0.2.1'));
    expect(door.admit('192.0.2.1')).toBe('pendingPerAddress');
    place(door.admit('192.0.2.2'));
    first.arrived();
    first.arrived();
    const second = place(door.admit('192.0.2.1'));
    expect(door.admit('192.0.2.1')).toBe('pendingPerAddress');
    second.release();
    place(door.admit('192.0.2.1'));
  });

  it('meters the connections of an address', () => {
    const { clock, door } = admission({ connectsPerAddress: { perSecond: 1, burst: 2 } });
    place(door.admit('192.0.2.1')).release();
    place(door.admit('192.0.2.1')).release();
    expect(door.admit('192.0.2.1')).toBe('connectsPerAddress');
    place(door.admit('192.0.2.2'));
    clock.at += 1_000;
    place(door.admit('192.0.2.1'));
  });
});
