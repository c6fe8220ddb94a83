import { Admission, networkOf, type Ticket } from './admission.js';
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

  it('makes who guesses the password of one name wait twice as long each time, up to five minutes', () => {
    const { clock, door } = admission({});
    for (let i = 0; i < 4; i++) door.failed('192.0.2.1', 'udara-01');
    expect(door.mayTry('192.0.2.1', 'udara-01')).toBe(true);
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      door.failed('192.0.2.1', 'udara-01');
      const from = clock.at;
      while (!door.mayTry('192.0.2.1', 'udara-01')) clock.at += 500;
      waits.push(clock.at - from);
    }
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(300_000);
    // Nobody else waits.
    door.failed('192.0.2.1', 'udara-01');
    expect(door.mayTry('192.0.2.1', 'udara-01')).toBe(false);
    expect(door.mayTry('192.0.2.1', 'udara-02')).toBe(true);
    expect(door.mayTry('192.0.2.2', 'udara-01')).toBe(true);
    door.succeeded('192.0.2.1', 'udara-01');
    expect(door.mayTry('192.0.2.1', 'udara-01')).toBe(true);
  });

  it('meters the wrong guesses of an address; right ones cost nothing', () => {
    const { clock, door } = admission({ authFailuresPerAddress: { perSecond: 1, burst: 2 } });
    for (let i = 0; i < 10; i++) expect(door.mayGuess('192.0.2.1')).toBe(true);
    for (const name of ['a', 'b']) door.failed('192.0.2.1', name);
    expect(door.mayGuess('192.0.2.1')).toBe(false);
    expect(door.mayGuess('192.0.2.2')).toBe(true);
    clock.at += 1_000;
    expect(door.mayGuess('192.0.2.1')).toBe(true);
  });
});

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001::6', '2001:db8:1:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('makes %s %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
